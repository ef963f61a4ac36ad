"""
Which column of a candle file is which: by its name in the header, or by its place where there is none.

Names are compared without case, quotes, spaces and punctuation. A file names its columns once; columns nobody asked for
are passed over. Volume is in base units: a column that names a quote currency is not it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lib.market.files.moments import is_moment, is_time_of_day

TIMES = (
    *("open_time", "opentime", "open_timestamp", "time_open", "opened_at", "open_at"),
    *("start_at", "startat", "start_time", "starttime", "start", "candle_begin_time", "begin"),
    *("unix", "unix_timestamp", "timestamp", "timestamp_ms", "timestamp_utc", "ts", "datetime", "date_time"),
    *("datetime_utc", "date_utc", "time_utc", "utc_time", "gmt_time", "date", "time", "t"),
    *("일시", "날짜", "시각", "시간"),
)
"""Names of the open time, the surest first."""
CLOCKS = ("time", "hour", "시간", "시각")
"""Names of a time of day that stands beside a date."""
OPENS = ("open", "open_price", "openprice", "o", "시가")
HIGHS = ("high", "high_price", "highprice", "h", "고가")
LOWS = ("low", "low_price", "lowprice", "l", "저가")
CLOSES = ("close", "close_price", "closeprice", "c", "종가")
PRICES = (OPENS, HIGHS, LOWS, CLOSES)
VOLUMES = (
    *("volume", "vol", "base_volume", "volume_base", "base_asset_volume", "volumefrom", "volume_from", "v"),
    *("tickvol", "tick_volume", "거래량"),
)
CLOSE_TIMES = ("close_time", "closetime", "close_timestamp", "end_time", "endtime", "end_at", "time_close", "end")
SYMBOLS = ("symbol", "pair", "ticker", "instrument", "market", "coin")
INTERVALS = ("period", "interval", "timeframe", "resolution")
QUOTES = ("USDT", "USDC", "BUSD", "FDUSD", "USD", "PERP", "EUR", "KRW", "TUSD", "DAI")

TRADES = ("side", "tick_direction", "tickdirection", "trade_id", "is_buyer_maker", "trdmatchid")
"""Names that only files of single trades have."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of what a candle is made of in a row of *width* cells; None = not in this file."""

    width: int
    time: int
    open: int
    high: int
    low: int
    close: int
    volume: int | None
    clock: int | None = None
    close_time: int | None = None
    symbol: int | None = None
    interval: int | None = None
    named: bool = True
    """False = told by place alone."""

    @property
    def prices(self) -> tuple[int, int, int, int]:
        """Places of open, high, low and close."""
        return self.open, self.high, self.low, self.close

    def without_clock(self) -> "Columns":
        """The same, for a file whose dates hold the time of day themselves."""
        return replace(self, clock=None)


def columns_by_name(names: Sequence[str]) -> Columns | None:
    """The columns of a header, or None when this is none. ValueError when it is one that lacks a column we need."""
    plain = [plain_name(name) for name in names]
    prices = [_place(plain, known) for known in PRICES]
    time = _place(plain, TIMES)
    if all(place is None for place in prices):
        if time is not None and any(name in TRADES for name in plain):
            raise ValueError("these are single trades, not candles")
        return None
    if missing := [
        known[0] for known, place in zip((OPENS, HIGHS, LOWS, CLOSES), prices, strict=True) if place is None
    ]:
        raise ValueError(f"the header has no column {missing[0]!r}")
    if time is None:
        raise ValueError("the header has no column of the open time: call it open_time")
    _refuse_twice(names, plain)
    opened, high, low, closed = (place for place in prices if place is not None)
    clock = _place(plain, CLOCKS)
    return Columns(
        len(names),
        time,
        opened,
        high,
        low,
        closed,
        _volume(plain),
        clock=clock if clock != time and plain[time] in ("date", "날짜") else None,
        close_time=_place(plain, CLOSE_TIMES),
        symbol=_place(plain, SYMBOLS),
        interval=_place(plain, INTERVALS),
    )


def columns_by_place(cells: Sequence[str], begin: int = 0) -> Columns | None:
    """The columns where no header names them, from a row: from *begin* on time, open, high, low, close, volume."""
    clock = begin + 1 if len(cells) > begin + 1 and is_time_of_day(cells[begin + 1]) else None
    first = begin + 1 if clock is None else begin + 2
    if len(cells) < first + 4 or not is_moment(cells[begin], "" if clock is None else cells[clock]):
        return None
    if not all(re.search(r"\d", cell) for cell in cells[first : first + 4]):
        return None
    volume = first + 4 if len(cells) > first + 4 and cells[first + 4].strip() else None
    # Binance's rows are twelve, the seventh is the close time
    close_time = first + 5 if len(cells) >= first + 10 and is_moment(cells[first + 5]) else None
    return Columns(
        len(cells),
        begin,
        first,
        first + 1,
        first + 2,
        first + 3,
        volume,
        clock=clock,
        close_time=close_time,
        named=False,
    )


def counts_columns(names: Sequence[str]) -> int | None:
    """Where the columns begin when a header only numbers them (0,1,2…, an index before them or not); else None."""
    begin = 1 if names and not names[0].strip() else 0
    numbered = [str(number) for number in range(len(names) - begin)]
    return begin if len(names) > begin and [name.strip() for name in names[begin:]] == numbered else None


def plain_name(name: str) -> str:
    """*name* as it is compared: `"<Open Time>"` is open_time."""
    return re.sub(r"[\W_]+", "_", name.strip().lower()).strip("_")


def _place(plain: Sequence[str], known: Sequence[str]) -> int | None:
    return next((plain.index(name) for name in known if name in plain), None)


def _volume(plain: Sequence[str]) -> int | None:
    if (place := _place(plain, VOLUMES)) is not None and plain[place] not in ("tickvol", "tick_volume"):
        return place
    quotes = tuple(quote.lower() for quote in QUOTES)
    of_a_coin = [n for n, name in enumerate(plain) if re.fullmatch(r"volume_[a-z0-9]+", name)]
    in_base = [n for n in of_a_coin if plain[n].removeprefix("volume_") not in quotes]
    return in_base[0] if len(in_base) == 1 else place


def _refuse_twice(names: Sequence[str], plain: Sequence[str]) -> None:
    needed = {name for known in PRICES for name in known}
    for name, known in zip(names, plain, strict=True):
        if known in needed and list(names).count(name) > 1:
            raise ValueError(f"the header names {name.strip()!r} twice")
