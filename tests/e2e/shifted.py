"""
A real process of the system on a clock that runs ahead: SERVICE SHIFT_MS.

So a test need not wait for the next five-minute boundary. And the collector keeps hours beside its minutes, but no
days: the simulated market makes each candle out of its minutes, and a year of them at every start is half a minute of
the processor. Everything else is the process as it is deployed.
"""

import importlib
import sys

from lib.bootstrap import processes
from lib.clock import SystemClock
from services.process import run_process

WIDE = ("1h",)
"""The lists kept beside the minutes here."""
BESIDE_THE_SCREENS = {"web": "app.server"}


def main() -> None:
    """Shift this process's clock, shorten what it keeps and run the service's own entry point."""
    service, shift = sys.argv[1], int(sys.argv[2])
    true_now = SystemClock.now_ms

    def shifted(self: SystemClock) -> int:
        return true_now(self) + shift

    SystemClock.now_ms = shifted  # type: ignore[method-assign]
    processes.KEPT = WIDE  # type: ignore[assignment, attr-defined]
    run_process(service, importlib.import_module(BESIDE_THE_SCREENS.get(service, f"services.{service}")).main)


if __name__ == "__main__":
    main()
