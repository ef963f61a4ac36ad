"""The rule of recorded decisions in backtesting.py; started in its own environment with the inputs' file."""

import json
import sys
import time
import warnings
from pathlib import Path

import backtesting
import pandas as pd  # type: ignore[import-untyped]
from backtesting import Backtest, Strategy

warnings.filterwarnings("ignore")
NAMES = ["at", "Open", "High", "Low", "Close", "Volume", "side", "stop", "target"]


class Recorded(Strategy):  # type: ignore[misc]
    """Long or short as recorded, with the recorded stop and target; a turn closes first."""

    def init(self) -> None:
        """Nothing is computed beforehand."""

    def next(self) -> None:
        """The newest candle is the one that closes at T."""
        side = self.data.side[-1]
        if not side:
            return
        if self.position:
            if self.position.is_long == (side > 0):
                return
            self.position.close()
        price = float(self.data.Close[-1])
        stop, target = (price * (1 - side * self.data.stop[-1]), price * (1 + side * self.data.target[-1]))
        (self.buy if side > 0 else self.sell)(size=0.05, sl=stop, tp=target)


def main() -> None:
    frame = pd.DataFrame(json.loads(Path(sys.argv[1]).read_text()), columns=NAMES)
    frame.index = pd.to_datetime(frame["at"], unit="ms")
    best, trades = float("inf"), 0
    for _ in range(3):
        begun = time.process_time()
        found = Backtest(frame, Recorded, cash=1_000_000_000, commission=0.00055).run()
        best, trades = min(best, time.process_time() - begun), int(found["# Trades"])
    print(json.dumps({"seconds": best, "trades": trades, "version": backtesting.__version__}))


main()
