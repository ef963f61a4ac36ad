"""
One backtest, worked out for the notifier that asked through the pipe (`lib.adapters.backtest_child`); nothing to start
by hand: `make backtest` is that.
"""

from lib import bootstrap
from services.process import run_process

if __name__ == "__main__":
    run_process("backtester", bootstrap.work_backtest)
