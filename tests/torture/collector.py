"""The collector as it is deployed, on a warped clock; told by a trader's plan, whose trap it has no use for."""

import os
from pathlib import Path

import services.collector
from lib.bootstrap import processes
from services.process import run_process
from tests.e2e.shifted import WIDE
from tests.torture.trader import TraderPlan, speak_into
from tests.torture.warp import Warp


def run(plan: TraderPlan) -> None:
    """Be that collector, to the end of the process."""
    os.environ.clear()
    os.environ.update(plan.env)
    speak_into(Path(plan.log))
    Warp(Path(plan.warp)).install()
    processes.KEPT = WIDE  # type: ignore[assignment, attr-defined]
    run_process("collector", services.collector.main)
