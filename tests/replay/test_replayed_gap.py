"""A replay goes on after a hole in its file: what falls into it is skipped visibly, and the books stay whole."""

from pathlib import Path

import pytest

from lib.domain.candle import MINUTE_MS
from lib.domain.errors import Halt
from lib.replay.replay import ReplayPlan, replay

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

T0 = 1_640_995_200_000


def candle_file(folder: Path, minutes: int, *, hole: range = range(0)) -> Path:
    rows = ["timestamp,open,high,low,close,volume"]
    for n in range(minutes):
        price = 50_000 + n % 7 * 10
        if n not in hole:
            rows.append(f"{T0 + n * MINUTE_MS},{price},{price + 15},{price - 5},{price + 10},1.5")
    file = folder / "candles.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


def plan(file: Path, symbol: str = "BTCUSDT") -> ReplayPlan:
    return ReplayPlan(file, users=2, days=1, symbol=symbol, database_url="", redis_url="")


def silent(done: int, total: int) -> None:
    """Nobody watches."""


async def test_cycles_in_a_hole_are_skipped_and_counted_and_the_rest_is_decided(tmp_path: Path) -> None:
    found = await replay(plan(candle_file(tmp_path, 140, hole=range(75, 86))), silent)
    # T at minutes 60 to 135, of which 75 to 110 have no thirty candles behind them
    assert (found.cycles, found.decided, found.skipped) == (16, 8, 8)
    assert found.skip_reasons == {"candle_stale": 2, "candles_missing": 6}
    assert found.clean
    assert any(note.startswith("11 minutes are missing in 1 gaps") for note in found.notes)
    assert "the file ends before 1 days are over" in found.notes


async def test_a_file_of_too_few_candles_and_a_symbol_nobody_simulates_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(Halt, match="is too short: 64 candles"):
        await replay(plan(candle_file(tmp_path, 64)), silent)
    with pytest.raises(Halt, match="DOGEUSDT cannot be simulated: this feed knows BTCUSDT"):
        await replay(plan(candle_file(tmp_path, 140), "DOGEUSDT"), silent)
