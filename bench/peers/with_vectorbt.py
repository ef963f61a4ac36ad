"""The rule of recorded decisions in vectorbt's `from_signals`; started in its own environment with the inputs' file."""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import vectorbt as vbt

warnings.filterwarnings("ignore")


def main() -> None:
    rows = np.array(json.loads(Path(sys.argv[1]).read_text()))
    index = pd.to_datetime(rows[:, 0].astype("int64"), unit="ms")
    opens, highs, lows, closes = (pd.Series(rows[:, column], index) for column in (1, 2, 3, 4))
    side, stops, targets = rows[:, 6], rows[:, 7], rows[:, 8]
    best, trades = float("inf"), 0
    for _ in range(4):  # the first one compiles
        begun = time.process_time()
        portfolio = vbt.Portfolio.from_signals(
            close=closes,
            open=opens,
            high=highs,
            low=lows,
            entries=pd.Series(side > 0, index),
            short_entries=pd.Series(side < 0, index),
            sl_stop=pd.Series(np.where(side != 0, stops, np.nan), index),
            tp_stop=pd.Series(np.where(side != 0, targets, np.nan), index),
            fees=0.00055,
            init_cash=10_000,
            size=1_000,
            size_type="value",
            upon_opposite_entry="reverse",
            freq="1min",
        )
        trades = int(portfolio.trades.count())
        best = min(best, time.process_time() - begun)
    print(json.dumps({"seconds": best, "trades": trades, "version": vbt.__version__}))


main()
