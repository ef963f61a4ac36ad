"""Candle files as people have them: every make of the same four minutes is read alike, or refused in one line."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from pyarrow import feather, parquet

from lib.adapters import unpacking
from lib.domain.candle import MINUTE_MS, Candle, candle_problem
from lib.domain.errors import Halt
from lib.market.files.candle_file import CandleFile
from lib.simulator.feeds import INSTRUMENTS
from lib.simulator.market.candle_files import read_candles
from tests.effort import examples

D = Decimal
T0 = 1_767_225_600_000
"""2026-01-01 00:00 UTC."""
WANTED = [
    Candle(T0, D("87000.0"), D("87010.5"), D("86990.0"), D("87005.0"), D("12.5")),
    Candle(T0 + MINUTE_MS, D("87005.0"), D("87012.0"), D("87000.0"), D("87001.2"), D("9.125")),
    Candle(T0 + 2 * MINUTE_MS, D("87001.2"), D("87001.2"), D("86950.0"), D("86960.0"), D("40.25")),
    Candle(T0 + 3 * MINUTE_MS, D("86960.0"), D("86999.9"), D("86955.5"), D("86999.9"), D("0")),
]
OURS = "open_time,open,high,low,close,volume"


def rows(stamp: str = "ms", between: str = ",", extra: str = "", point: str = ".") -> list[str]:
    return [between.join([moment(c, stamp), *(str(n).replace(".", point) for n in values(c))]) + extra for c in WANTED]


def values(candle: Candle) -> tuple[Decimal, ...]:
    return candle.open, candle.high, candle.low, candle.close, candle.volume


def moment(candle: Candle, stamp: str) -> str:
    counted = {"s": candle.open_time // 1000, "ms": candle.open_time, "us": candle.open_time * 10**3}
    counted["ns"] = candle.open_time * 10**6
    if stamp in counted:
        return str(counted[stamp])
    return datetime.fromtimestamp(candle.open_time / 1000, UTC).strftime(stamp)


def text(header: str, lines: list[str], end: str = "\n") -> str:
    return end.join([header, *lines] if header else lines) + end


def binance(stamp: str = "ms") -> list[str]:
    scale = {"ms": 1, "us": 1000}[stamp]
    return [
        f"{row},{(c.open_time + 59_999) * scale},1087562.5,812,6.2,539000.1,0"
        for row, c in zip(rows(stamp), WANTED, strict=True)
    ]


BINANCE = f"{OURS},close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
CDD = "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount"


def cdd(symbol: str = "BTCUSDT", stamp: str = "ms") -> list[str]:
    return [
        ",".join([moment(c, stamp), moment(c, "%Y-%m-%d %H:%M:%S"), symbol, *map(str, values(c)), "1.0", "5"])
        for c in reversed(WANTED)
    ]


def as_json(lines: list[str], *, quoted: bool = False) -> list[list[object]]:
    kind: type = str if quoted else float
    return [[int(cells[0]), *map(kind, cells[1:])] for cells in (line.split(",") for line in lines)]


NAMES = OURS.split(",")
OBJECTS = [dict(zip(NAMES, row, strict=True)) for row in as_json(rows())]
MAKES: dict[str, str] = {
    "ours": text(OURS, rows()),
    "further columns": text(f"{OURS},note", rows(extra=",x")),
    "header timestamp": text("timestamp,open,high,low,close,volume", rows()),
    "header of capitals in quotes": text('"Open Time","Open","High","Low","Close","Volume"', rows()),
    "header date and ISO": text("Date,Open,High,Low,Close,Volume", rows("%Y-%m-%dT%H:%M:%SZ")),
    "ISO without a zone": text("datetime,open,high,low,close,volume", rows("%Y-%m-%d %H:%M:%S")),
    "ISO with a fraction and a zone": text("date,open,high,low,close,volume", rows("%Y-%m-%d %H:%M:%S.000000+00:00")),
    "Korean time": text(
        "시간,시가,고가,저가,종가,거래량",
        [row.replace("2026-01-01 00:", "2026-01-01 09:") for row in rows("%Y-%m-%d %H:%M:00+09:00")],
    ),
    "no header": text("", rows()),
    "numbered columns": text("0,1,2,3,4,5", rows()),
    "numbered columns and an index": text(",0,1,2,3,4,5", [f"{n},{row}" for n, row in enumerate(rows())]),
    "an index without a name": text(f",{OURS}", [f"{n},{row}" for n, row in enumerate(rows())]),
    "newest first": text(OURS, rows()[::-1]),
    "no order at all": text(OURS, [rows()[n] for n in (2, 0, 3, 1)]),
    "seconds": text(OURS, rows("s")),
    "microseconds": text(OURS, rows("us")),
    "nanoseconds": text(OURS, rows("ns")),
    "seconds, then ms": text(OURS, rows("s")[:2] + rows("ms")[2:]),
    "floats of seconds": text(OURS, [row.replace(",", ".0,", 1) for row in rows("s")]),
    "exponents": text(OURS, [f"{D(c.open_time):.12e}," + ",".join(f"{n:.10e}" for n in values(c)) for c in WANTED]),
    "noise of floats": text(OURS, [row.replace("87001.2", "87001.200000000006") for row in rows()]),
    "byte order mark": "\ufeff" + text(OURS, rows()),
    "blank lines": text(OURS, ["", *rows(), "", "  "]),
    "Windows line ends": text(OURS, rows(), "\r\n"),
    "old Mac line ends": text(OURS, rows(), "\r"),
    "no line end": text(OURS, rows()).rstrip(),
    "semicolon": text(OURS.replace(",", ";"), rows(between=";")),
    "semicolon and decimal comma": text(OURS.replace(",", ";"), rows(between=";", point=",")),
    "tab": text(OURS.replace(",", "\t"), rows(between="\t")),
    "bar": text(OURS.replace(",", "|"), rows(between="|")),
    "blanks between": text("", rows(between="  ")),
    "thousands in quotes": text(
        OURS,
        [f"{c.open_time}," + ",".join(f'"{n:,}"' for n in values(c)) for c in WANTED],
    ),
    "Binance": text(BINANCE, binance()),
    "Binance without header": text("", binance()),
    "Binance spot in microseconds": text("", binance("us")),
    "Bybit, by the day": text(
        "start_at,symbol,period,open,high,low,close,volume,turnover",
        [",".join([moment(c, "s"), "BTCUSDT", "1", *map(str, values(c)), "1.0"]) for c in WANTED],
    ),
    "Bybit, for MetaTrader": text("", rows("%Y.%m.%d %H:%M")),
    "Bybit, klines": text("startTime,openPrice,highPrice,lowPrice,closePrice,volume,turnover", rows(extra=",1.0")),
    "MetaTrader 4": text("", rows("%Y.%m.%d,%H:%M")),
    "MetaTrader 5": text(
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
        [
            "\t".join([moment(c, "%Y.%m.%d"), moment(c, "%H:%M:%S"), *map(str, values(c)[:4]), "7", str(c.volume), "1"])
            for c in WANTED
        ],
    ),
    "Dukascopy": text("Gmt time,Open,High,Low,Close,Volume", rows("%d.%m.%Y %H:%M:%S.000")),
    "compact dates": text("", rows("%Y%m%d %H%M%S", ";")),
    "CryptoDataDownload": text("https://www.CryptoDataDownload.com\n" + CDD, cdd()),
    "CryptoDataDownload in seconds": text("https://www.CryptoDataDownload.com\n" + CDD, cdd("BTC/USD", "s")),
    "comments above": text("# made by somebody\n# on a Monday\n#" + OURS, rows()),
    "joined end to end": text(OURS, rows()[:2]) + text(OURS, rows()[2:]),
    "overlapping": text(OURS, rows()[:3] + rows()[1:]),
    "freqtrade": json.dumps(as_json(rows())),
    "Binance's answer": json.dumps([[*row, T0, "1", 2, "3", "4", "0"] for row in as_json(rows(), quoted=True)]),
    "Bybit's answer": json.dumps(
        {"retCode": 0, "result": {"symbol": "BTCUSDT", "list": [r[::1] for r in as_json(rows(), quoted=True)[::-1]]}}
    ),
    "objects": json.dumps(OBJECTS),
    "objects, one a line": "\n".join(json.dumps(one) for one in OBJECTS) + "\n",
    "columns of lists": json.dumps({name: [one[name] for one in OBJECTS] for name in NAMES}),
    "columns of objects": json.dumps({name: {str(n): one[name] for n, one in enumerate(OBJECTS)} for name in NAMES}),
    "split columns": json.dumps({"columns": NAMES, "index": [0, 1, 2, 3], "data": as_json(rows())}),
    "udf": json.dumps({"s": "ok", **{k: [one[n] for one in OBJECTS] for k, n in zip("tohlcv", NAMES, strict=True)}}),
}


def put(folder: Path, content: str | bytes, name: str = "candles.csv") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def read(file: Path, symbol: str = "BTCUSDT") -> CandleFile:
    return read_candles(file, INSTRUMENTS[symbol])


@pytest.mark.parametrize("make", MAKES)
def test_every_make_of_a_file_holds_the_same_candles(tmp_path: Path, make: str) -> None:
    assert read(put(tmp_path, MAKES[make])).candles == WANTED


# --- packed and tabular -----------------------------------------------------------------------------------------------


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def table(kind: pa.DataType, number: pa.DataType) -> pa.Table:
    times = pa.array([c.open_time for c in WANTED]).cast(pa.timestamp("ms")).cast(kind)
    numbers = {name: pa.array([float(values(c)[n]) for c in WANTED], number) for n, name in enumerate(NAMES[1:])}
    return pa.table({"date": times, **numbers})


def in_feather(data: pa.Table, **options: object) -> bytes:
    out = io.BytesIO()
    feather.write_feather(data, out, **options)
    return out.getvalue()


def in_parquet(data: pa.Table) -> bytes:
    out = io.BytesIO()
    parquet.write_table(data, out)
    return out.getvalue()


CSV = MAKES["ours"].encode()
PACKED = {
    "gzip": gzip.compress(CSV),
    "bzip2": bz2.compress(CSV),
    "xz": lzma.compress(CSV),
    "zip": zipped(**{"data/a.csv": CSV}),
    "zip of a Mac": zipped(**{"a.csv": CSV, "__MACOSX/._a.csv": b"\0\5", ".DS_Store": b"x"}),
    "gzip in a zip": zipped(**{"a.csv.gz": gzip.compress(CSV)}),
    "UTF-16": MAKES["tab"].encode("utf-16"),
    "Korean Windows": MAKES["Korean time"].encode("cp949"),
    "freqtrade's feather": in_feather(table(pa.timestamp("ms", "UTC"), pa.float64()), compression="lz4"),
    "pandas' feather": in_feather(table(pa.timestamp("ns"), pa.float64()), compression="zstd"),
    "feather of float32": in_feather(table(pa.int64(), pa.float32())),
    "feather by its index": in_feather(
        table(pa.timestamp("ns"), pa.float64()).rename_columns(["__index_level_0__", *NAMES[1:]])
    ),
    "parquet": in_parquet(table(pa.timestamp("us", "UTC"), pa.float64())),
    "freqtrade's packed JSON": gzip.compress(MAKES["freqtrade"].encode()),
}


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("name", ["candles", "candles.csv.gz"])
def test_what_a_file_is_its_bytes_say_and_not_its_name(tmp_path: Path, packing: str, name: str) -> None:
    assert read(put(tmp_path, PACKED[packing], name)).candles == WANTED


def test_nothing_is_unpacked_past_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_BYTES", 10_000)
    bomb = text(OURS, rows()).encode() + b"\n" * 10_000
    for packed in (gzip.compress(bomb), bz2.compress(bomb), lzma.compress(bomb), zipped(a=bomb)):
        assert "cut it into years" in refused(put(tmp_path, packed))
    monkeypatch.setattr(unpacking, "MOST_ROWS", 3)
    for packed in (PACKED["parquet"], PACKED["pandas' feather"]):
        assert "4 rows: at most 3" in refused(put(tmp_path, packed))


# --- what is not as it should be, and taken ---------------------------------------------------------------------------


def test_a_gap_is_told_and_the_rest_is_used(tmp_path: Path) -> None:
    found = read(put(tmp_path, text(OURS, [rows()[0], rows()[3]])))
    assert found.candles == [WANTED[0], WANTED[3]]
    assert found.missing == 2
    assert found.notes == (
        "2 minutes are missing in 1 gaps, at most 2 after 2026-01-01 00:00 UTC: what trades there is skipped",
    )


def test_a_minute_written_without_values_is_a_gap(tmp_path: Path) -> None:
    lines = [rows()[0], f"{T0 + MINUTE_MS},,,,,", f"{T0 + 2 * MINUTE_MS},NaN,NaN,NaN,NaN,0", rows()[3]]
    assert read(put(tmp_path, text(OURS, lines))).missing == 2


def test_equal_rows_count_once_and_are_told(tmp_path: Path) -> None:
    found = read(put(tmp_path, MAKES["overlapping"]))
    assert found.notes == ("2 rows are there twice, with equal values",)


def test_a_file_without_volume_is_told(tmp_path: Path) -> None:
    lines = [row.rsplit(",", 1)[0] for row in rows()]
    for content in (text("time,open,high,low,close", lines), text("", lines)):
        found = read(put(tmp_path, content))
        assert {candle.volume for candle in found.candles} == {0}
        assert found.notes == ("the file has no volume: it counts as 0",)


def test_a_brokers_clock_is_told(tmp_path: Path) -> None:
    for make in ("Bybit, for MetaTrader", "MetaTrader 4", "MetaTrader 5"):
        assert [note for note in read(put(tmp_path, MAKES[make])).notes if "UTC+3" in note]
    assert not read(put(tmp_path, MAKES["ours"])).notes


def test_prices_between_ticks_are_rounded_to_them_and_told(tmp_path: Path) -> None:
    found = read(put(tmp_path, text(OURS, [f"{T0},87000.07,87010.55,86990.01,87005.03,1"])))
    assert found.candles == [Candle(T0, D("87000.1"), D("87010.6"), D("86990.0"), D("87005.0"), D(1))]
    assert found.notes == ("1 candles have prices between ticks of 0.1 and are rounded to them",)


# --- refusals ---------------------------------------------------------------------------------------------------------


def refused(file: Path, symbol: str = "BTCUSDT") -> str:
    with pytest.raises(Halt) as halt:
        read(file, symbol)
    line = str(halt.value)
    assert line.startswith(f"candle file {file}: ")
    assert "\n" not in line
    return line


def every(minutes: int, count: int = 4, stamp: str = "ms") -> list[str]:
    step = minutes * MINUTE_MS
    candles = [Candle(T0 + n * step, *values(WANTED[0])) for n in range(count)]
    return [",".join([moment(c, stamp), *map(str, values(c))]) for c in candles]


ONE = rows()[0]
REFUSALS = {
    "": "line 1: the file is empty",
    "\n\n": "line 1: the file is empty",
    "a,b,c": "line 1: no rows of time",
    OURS: "line 2: there is no candle in it",
    f"{OURS}\n{ONE}\nx": "line 3: has 1 fields instead of 6",
    f"{OURS}\n{ONE}\n\n{ONE[:20]}": "line 4: has 2 fields instead of 6",
    f"{OURS}\n{ONE},7": "line 2: has 7 fields instead of 6",
    f"{OURS}\n{ONE.replace('87010.5', 'NaN')}": "line 2: not a number: 'NaN'",
    f"{OURS}\n{ONE.replace('87010.5', '1_0')}": "line 2: not a number: '1_0'",
    f"{OURS}\n{ONE.replace('12.5', '1.2K')}": "line 2: not a number: '1.2K'",
    f"{OURS}\n{ONE.replace('87010.5', '1')}": "line 2: high and low do not enclose",
    f"{OURS}\n{ONE.replace('87010.5', '-1')}": "line 2: price is not a positive",
    f"{OURS}\n{ONE.replace('87010.5', '1e400')}": "line 2: not a sane number",
    f"{OURS}\n12,1,1,1,1,1": "line 2: '12' is not a time between 2009 and 2100",
    f"{OURS}\n{T0 + 1},1,1,1,1,1": f"line 2: '{T0 + 1}' is not the start of a minute",
    f"{OURS}\n1.76722E+12,1,1,1,1,1": "is not the start of a minute: a spreadsheet has rounded it",
    f"{OURS}\n01/02/2026 00:00,1,1,1,1,1": "line 2: '01/02/2026 00:00': which is the month?",
    f"{OURS}\n2026-02-30 00:00,1,1,1,1,1": "line 2: '2026-02-30 00:00' is not a time",
    f"{OURS}\n{ONE}\n{ONE.replace('12.5', '13')}": "line 3: 2026-01-01 00:00 UTC is there twice and differs from",
    "open_time,open,high,low,volume\n1,2,3,4,5": "line 1: the header has no column 'close'",
    "when,open,high,low,close\n1,2,3,4,5": "line 1: the header has no column of the open time",
    "open_time,open,open,high,low,close\n1,2,3,4,5,6": "line 1: the header names 'open' twice",
    f"Zeit,Anfang,Hoch,Tief,Schluss,Menge\n{ONE}": "line 1: which columns are these: Zeit, Anfang",
    "timestamp,symbol,side,size,price,tickDirection\n1,BTCUSDT,Buy,1,2,x": "line 1: these are single trades",
    text(OURS, every(5)): "line 3: these are 5-minute candles, and one-minute candles are needed",
    text(OURS, every(60, 3)[::-1]): "these are 1-hour candles",
    text(OURS, every(1440, stamp="%Y-%m-%d")): "these are 1-day candles",
    text(OURS, every(10080)): "these are 1-week candles",
    text(OURS, every(5)[:1] + every(5)[2:]): "these are 5-minute candles",
    text(BINANCE, [f"{ONE},{T0 + 299_999},1,1,1,1,0"]): "line 2: these are 5-minute candles",
    text("start_at,symbol,period,open,high,low,close", [f"{T0},BTCUSDT,15,1,1,1,1"]): "line 2: these are 15-minute",
    text(f"{OURS},interval", [f"{ONE},4h"]): "line 2: these are 4-hour candles",
    text("Zeit;open;high;low;close;volume".replace("Zeit", "time"), [f"{T0};87,000;87,001;86,999;87,000;1"]): (
        "line 2: '87,000' can be read as 87 and as 87000"
    ),
    json.dumps({"result": {"XXBTZUSD": [[*r[:5], r[4], r[5], 9] for r in as_json(rows())], "last": 1}}): (
        "row 1: the sixth column is a price in every row, and not a volume"
    ),
    '{"a": 1}': "the JSON holds no tables of candles",
    "[1, 2]": "the JSON holds no rows of candles",
    "[[1, 2], 3]": "row 2: is not a candle",
    "[[1,": "line 1: is not JSON",
    '[{"a": [1]}]': "row 1: holds a value that is not a number",
    "[" * 100_000: "is nested too deep",
    "<!DOCTYPE html><html>no such file</html>": "is a web page",
}


@pytest.mark.parametrize("content", REFUSALS, ids=range(len(REFUSALS)))
def test_what_cannot_be_read_is_one_line_with_file_place_and_reason(tmp_path: Path, content: str) -> None:
    assert REFUSALS[content] in refused(put(tmp_path, content))


BROKEN = {
    "cut gzip": (gzip.compress(CSV)[:-12], "is damaged or was cut short"),
    "cut zip": (zipped(a=CSV)[:-12], "is a damaged zip"),
    "two in a zip": (zipped(a=CSV, b=CSV), "the zip holds 2 files: it must hold one"),
    "a workbook": (zipped(**{"xl/workbook.xml": b"<x/>"}), "an Excel file: save it as CSV"),
    "packed too often": (
        gzip.compress(gzip.compress(gzip.compress(gzip.compress(CSV)))),
        "packed more than three times",
    ),
    "HDF5": (b"\x89HDF\r\n\x1a\n", "is an HDF5 file: write it as CSV or feather"),
    "tar": (b"a".ljust(257, b"\0") + b"ustar\0", "is a tar archive"),
    "no text": (b"\x00\x01\x02\x03", "is not text"),
    "cut feather": (PACKED["pandas' feather"][:-40], "cannot be read as feather or parquet"),
    "cut UTF-16": (b"\xff\xfea", "is not text"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_candle_file_says_what_it_is(tmp_path: Path, kind: str) -> None:
    content, words = BROKEN[kind]
    assert words in refused(put(tmp_path, content))


def test_a_file_that_is_not_there_and_a_folder_are_one_line_too(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refused(tmp_path / "none.csv")
    assert "is a folder: name one file" in refused(tmp_path)
    assert "is not a file" in refused(Path("/dev/zero"))


# --- whose prices -----------------------------------------------------------------------------------------------------


def flat(price: str, when: str = "2026-01-01 00:00") -> str:
    return text("date,open,high,low,close,volume", [f"{when},{price},{price},{price},{price},1"])


@pytest.mark.parametrize(
    ("symbol", "price", "when"),
    [
        ("BTCUSDT", "3210.55", "2026-01-01 00:00"),
        ("BTCUSDT", "4900", "2025-08-24 00:00"),
        ("BTCUSDT", "0.08", "2024-01-01 00:00"),
        ("ETHUSDT", "87000", "2026-01-01 00:00"),
        ("ETHUSDT", "15500", "2022-11-21 00:00"),
        ("ETHUSDT", "3900", "2020-03-13 00:00"),
        ("SOLUSDT", "2400", "2025-06-01 00:00"),
    ],
)
def test_prices_of_another_symbol_are_refused(tmp_path: Path, symbol: str, price: str, when: str) -> None:
    assert f"line 2: these prices do not fit {symbol}" in refused(put(tmp_path, flat(price, when)), symbol)


@pytest.mark.parametrize(
    ("symbol", "price", "when"),
    [
        ("BTCUSDT", "3850", "2020-03-13 02:00"),
        ("BTCUSDT", "28990", "2020-12-31 23:59"),
        ("BTCUSDT", "15480", "2022-11-21 00:00"),
        ("ETHUSDT", "4950.12", "2025-08-24 00:00"),
        ("ETHUSDT", "85.5", "2018-12-15 00:00"),
        ("SOLUSDT", "1.205", "2021-01-01 00:00"),
        ("SOLUSDT", "294.3", "2025-01-19 00:00"),
    ],
)
def test_prices_the_symbol_has_had_are_taken(tmp_path: Path, symbol: str, price: str, when: str) -> None:
    assert len(read(put(tmp_path, flat(price, when)), symbol).candles) == 1


@pytest.mark.parametrize(
    "named", ["BTCUSDT", "BTC/USDT", "BTC-USDT", "btcusd", "BTC/USDT:USDT", "BTCUSDT.P", "XBTUSD", ""]
)
def test_any_way_to_write_the_symbol_is_the_symbol(tmp_path: Path, named: str) -> None:
    assert read(put(tmp_path, text(CDD, cdd(named)))).candles == WANTED


@pytest.mark.parametrize("named", ["ETHUSDT", "ETH/USD", "1000BTCUSDT", "BTCDOMUSDT", "WBTCUSDT"])
def test_a_file_that_names_another_symbol_is_refused(tmp_path: Path, named: str) -> None:
    content = text("https://www.CryptoDataDownload.com\n" + CDD, cdd(named))
    line = refused(put(tmp_path, content))
    assert line.endswith(f"line 3: these prices do not fit BTCUSDT: the file's own column says {named}")


# --- anything at all --------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [*(bytes([n]) for n in range(256)), b"\n", b",", b";", b'"', b"nan", b"1e9", b"[", b"{", b"null", b"2026-01-01"]
)
SOURCES = [content.encode() for content in MAKES.values()] + list(PACKED.values())


@given(st.sampled_from(SOURCES), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 9), PIECES), max_size=6))
@examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_damaged_anyhow_is_candles_or_one_line(
    tmp_path: Path, source: bytes, damage: list[tuple[int, int, bytes]]
) -> None:
    for at, length, piece in damage:
        source = source[:at] + piece + source[at + length :]
    file = put(tmp_path, source)
    try:
        found = read(file)
    except Halt as halt:
        line = str(halt)
        assert line.startswith(f"candle file {file}: ")
        assert "\n" not in line
        assert len(line) < 400
    else:
        times = [candle.open_time for candle in found.candles]
        assert times == sorted(set(times))
        assert all(candle_problem(candle, MINUTE_MS) is None for candle in found.candles)
