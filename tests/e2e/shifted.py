"""
A real process of the system on a clock that runs ahead: SERVICE SHIFT_MS.

So a test need not wait for the next five-minute boundary; everything else is the process as it is deployed.
"""

import importlib
import sys

from lib.clock import SystemClock
from services.process import run_process

BESIDE_THE_SCREENS = {"web": "app.server"}


def main() -> None:
    """Shift this process's clock and run the service's own entry point."""
    service, shift = sys.argv[1], int(sys.argv[2])
    true_now = SystemClock.now_ms

    def shifted(self: SystemClock) -> int:
        return true_now(self) + shift

    SystemClock.now_ms = shifted  # type: ignore[method-assign]
    run_process(service, importlib.import_module(BESIDE_THE_SCREENS.get(service, f"services.{service}")).main)


if __name__ == "__main__":
    main()
