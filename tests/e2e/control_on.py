"""The operator's command line on a clock that runs ahead, as the processes of the test do: SHIFT_MS WORDS…"""

import sys

from lib.clock import SystemClock
from services.control import main


def run() -> int:
    """Shift this process's clock, then be the command line."""
    shift, true_now = int(sys.argv[1]), SystemClock.now_ms

    def shifted(self: SystemClock) -> int:
        return true_now(self) + shift

    SystemClock.now_ms = shifted  # type: ignore[method-assign]
    return main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(run())
