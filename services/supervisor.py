"""
The supervisor process: keeps the processes of Procfile.local running until SIGTERM or Ctrl-C; a second ends at once.

`make run` is this after its own set-up (services/local.py). By itself it keeps them on the environment it is given, for
a machine that has neither systemd nor containers.
"""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path

from lib import bootstrap, settings
from lib.settings import Settings
from lib.supervision.screen import Screen, Sentences
from lib.supervision.supervisor import Supervisor
from services.process import prepare_logs, run_process

ROOT = Path(__file__).resolve().parents[1]
OURSELVES = "maemae"


def supervise(loaded: Settings, env: Mapping[str, str], redis: bootstrap.EmbeddedRedis | None = None) -> None:
    """Keep the processes of Procfile.local on *env*, and *redis* where it was started here, until told to end."""
    commands = bootstrap.read_procfile(ROOT / "Procfile.local")
    screen = Screen((OURSELVES, *commands), plain="NO_COLOR" in env)
    try:
        with redirect_stdout(Sentences(screen, OURSELVES)):
            prepare_logs("supervisor", loaded)
            with bootstrap.measured("supervisor", loaded) as metrics:
                asyncio.run(_run(bootstrap.supervisor(commands, env, screen, metrics, redis)))
    finally:
        bootstrap.forget_state(loaded.data_dir)
        screen.close()


async def _run(kept: Supervisor) -> None:
    stop = asyncio.Event()

    def told() -> None:
        if stop.is_set():
            kept.hurry()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told)
    await kept.run(stop)


def main(loaded: Settings) -> None:
    """Entry point under `run_process`."""
    supervise(loaded, {**settings.inherited(), "DATA_DIR": str(loaded.data_dir)})


if __name__ == "__main__":
    run_process("supervisor", main)
