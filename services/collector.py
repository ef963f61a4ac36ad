"""
The collector process: candles in, until SIGTERM.

Nothing but signals and one call; what is collected and how is `lib.market.collector`.
"""

import signal

from lib import bootstrap
from lib.settings import Settings
from services.process import run_process


def main(settings: Settings) -> None:
    """Entry point under `run_process`."""
    with bootstrap.measured("collector", settings) as metrics:
        collector = bootstrap.collector(settings, metrics)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: collector.stop())
        collector.run()


if __name__ == "__main__":
    run_process("collector", main)
