"""Months of candles on disk: read back as they were kept, and nothing that is not what its name says."""

import hashlib
import tempfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from lib.adapters.candle_shelf import MOST_BYTES, ParquetShelf
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.months import month_span
from lib.ports.library import KeptMonth
from tests.fakes.market import run_of

MONTH = "2024-02"
BEGIN, END = month_span(MONTH)
SYMBOL = "BTCUSDT"


def kept(count: int = 3_000, source: str = "rest here") -> KeptMonth:
    return KeptMonth(SYMBOL, MONTH, BEGIN, END, source, run_of(count, start=BEGIN))


def only_file(folder: Path) -> Path:
    (found,) = folder.rglob("*.parquet")
    return found


def test_what_is_kept_is_read_back_to_the_last_digit(tmp_path: Path) -> None:
    shelf = ParquetShelf(tmp_path, "synthetic")
    shelved = shelf.keep(kept())
    found = shelf.read(SYMBOL, MONTH)
    assert found is not None
    assert list(found.candles) == run_of(3_000, start=BEGIN)
    assert [str(one.close) for one in found.candles[:3]] == [str(one.close) for one in run_of(3, start=BEGIN)]
    assert (found.from_ms, found.until_ms, found.source) == (BEGIN, END, "rest here")
    assert shelf.months(SYMBOL) == [shelved]
    assert found.candles[-1] == found.candles[2_999]
    assert list(found.candles[1_438:1_443]) == run_of(3_000, start=BEGIN)[1_438:1_443]
    with pytest.raises(IndexError):
        found.candles[3_000]


@given(st.lists(st.decimals("0.00000001", "99999999", places=8), min_size=1, max_size=30))
@settings(max_examples=30)
def test_any_price_survives(prices: list[Decimal]) -> None:
    candles = [Candle(BEGIN + n * MINUTE_MS, p, p, p, p, Decimal(0)) for n, p in enumerate(prices)]
    with tempfile.TemporaryDirectory() as folder:
        shelf = ParquetShelf(Path(folder), "x")
        shelf.keep(KeptMonth(SYMBOL, MONTH, BEGIN, END, "", candles))
        found = shelf.read(SYMBOL, MONTH)
        assert found is not None
        assert list(found.candles) == candles


def test_the_same_candles_have_the_same_name_and_others_another(tmp_path: Path) -> None:
    here, there = ParquetShelf(tmp_path, "a"), ParquetShelf(tmp_path, "b")
    assert here.keep(kept()) == there.keep(kept())
    assert there.keep(kept(source="elsewhere")) != here.keep(kept())
    assert len(list((tmp_path / "b").rglob("*.parquet"))) == 1, "the older file of a month goes"


@pytest.mark.parametrize("harm", ["cut", "bit", "empty", "renamed", "other month", "huge"])
def test_a_file_that_is_not_what_its_name_says_is_put_away(tmp_path: Path, harm: str) -> None:
    shelf = ParquetShelf(tmp_path, "synthetic")
    shelf.keep(kept())
    path = only_file(tmp_path)
    data = path.read_bytes()
    if harm == "renamed":
        path.rename(path.with_name(f"{MONTH}.{'0' * 32}.parquet"))
    elif harm == "other month":
        path.rename(path.with_name(path.name.replace(MONTH, "2024-03")))
    elif harm == "huge":
        with path.open("ab") as file:
            file.truncate(MOST_BYTES + 1)
    else:
        broken = {"cut": data[: len(data) // 2], "bit": data[:100] + bytes([data[100] ^ 1]) + data[101:], "empty": b""}
        path.write_bytes(broken[harm])
    month = "2024-03" if harm == "other month" else MONTH
    assert shelf.read(SYMBOL, month) is None
    assert shelf.months(SYMBOL) == [], "it is not asked for twice"
    shelf.keep(kept())
    assert shelf.read(SYMBOL, MONTH) is not None


def test_a_stranger_s_table_under_its_right_hash_is_refused_too(tmp_path: Path) -> None:
    stream = pa.BufferOutputStream()
    parquet.write_table(pa.table({"open_time": [1]}), stream)
    data = bytes(stream.getvalue())
    folder = tmp_path / "x" / SYMBOL
    folder.mkdir(parents=True)
    (folder / f"{MONTH}.{hashlib.sha256(data).hexdigest()[:32]}.parquet").write_bytes(data)
    assert ParquetShelf(tmp_path, "x").read(SYMBOL, MONTH) is None


def test_half_written_files_and_strangers_are_no_months(tmp_path: Path) -> None:
    shelf = ParquetShelf(tmp_path, "replay:../a file.csv")
    shelf.keep(kept())
    folder = only_file(tmp_path).parent
    for name in ("2024-01.draft", "2024-01.parquet", "note.txt", f"{MONTH}.{'a' * 32}.123.draft"):
        (folder / name).write_text("x")
    assert [one.month for one in shelf.months(SYMBOL)] == [MONTH]
    assert folder.parent.parent == tmp_path, "a feed's name makes no folder above"


@pytest.mark.parametrize("symbol", ["../x", "", "btc", "A" * 31, "BTC/USDT"])
def test_a_symbol_is_no_path(tmp_path: Path, symbol: str) -> None:
    with pytest.raises(ValueError, match="not a symbol"):
        ParquetShelf(tmp_path, "x").months(symbol)


def test_what_is_no_month_is_not_kept(tmp_path: Path) -> None:
    shelf, rows = ParquetShelf(tmp_path, "x"), run_of(3, start=BEGIN)
    for odd in (
        KeptMonth(SYMBOL, MONTH, BEGIN - 1, END, "", rows),
        KeptMonth(SYMBOL, MONTH, BEGIN, END, "", rows[::-1]),
        KeptMonth(SYMBOL, MONTH, BEGIN, END, "", run_of(3, start=END)),
        KeptMonth(SYMBOL, MONTH, BEGIN, END, "", run_of(3, start=BEGIN + 1)),
    ):
        with pytest.raises(ValueError, match=r"span|order|off the minute"):
            shelf.keep(odd)
