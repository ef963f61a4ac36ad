"""
Times as people's tools write them, to epoch ms at the start of a minute.

Epoch seconds, ms, µs and ns are told apart by their size, row by row, because some files change unit half-way. A date
without a zone is UTC. Day and month in doubt (01/02/2022) is refused.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from lib.domain.candle import MINUTE_MS

EARLIEST_MS = 1_230_768_000_000
"""2009-01-01: nothing that is traded here is older."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01."""
# (below this, ms in one)
_UNITS = (
    (Decimal(10) ** 11, Decimal(1000)),
    (Decimal(10) ** 14, Decimal(1)),
    (Decimal(10) ** 17, Decimal("0.001")),
    (Decimal(10) ** 20, Decimal("0.000001")),
)
_NUMBER = re.compile(r"\d{1,20}(\.\d{0,20})?(e\+?\d{1,2})?", re.ASCII | re.IGNORECASE)
_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
_ZONE = r"\s*(Z|UTC|GMT|KST|[+-]\d{2}(?::?\d{2})?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}})(?:[T ]\s*{_CLOCK})?{_ZONE}", re.ASCII | re.I)
_DAY_FIRST = re.compile(rf"(\d{{1,2}})\.(\d{{1,2}})\.(\d{{4}})(?:[T ]\s*{_CLOCK})?{_ZONE}", re.ASCII | re.I)
_IN_DOUBT = re.compile(r"\d{1,2}[/-]\d{1,2}[/-]\d{2,4}\b.*", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2}):?(\d{2})(?::?(\d{2}))?)?", re.ASCII)
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?", re.ASCII)
_ZONES = {"Z": "+0000", "UTC": "+0000", "GMT": "+0000", "KST": "+0900", "": "+0000"}


def is_time_of_day(text: str) -> bool:
    """Whether *text* is a time of day alone, as in the second column of some files."""
    return _TIME_OF_DAY.fullmatch(text.strip()) is not None


def is_metatrader(text: str) -> bool:
    """Whether *text* is a date as MetaTrader writes them, whose clock is its broker's."""
    return re.match(r"\d{4}\.\d{2}\.\d{2}\b", text.strip(), re.ASCII) is not None


def is_moment(text: str, clock: str = "") -> bool:
    """Whether *text* (with its time of day in *clock*) can be read as a time."""
    try:
        epoch_ms(text, clock)
    except ValueError:
        return False
    return True


def minute_ms(text: str, clock: str = "") -> int:
    """Epoch ms of *text*, which must be the start of a minute; ValueError with the reason otherwise."""
    at = epoch_ms(text, clock)
    if at % MINUTE_MS:
        hint = ": a spreadsheet has rounded it" if "e+" in text.lower() else ""
        raise ValueError(f"{f'{text} {clock}'.strip()!r} is not the start of a minute{hint}")
    return at


def epoch_ms(text: str, clock: str = "") -> int:
    """Epoch ms of *text*; ValueError when it is no time between 2009 and 2100."""
    whole = f"{text.strip()} {clock.strip()}".strip()
    if len(whole) > 64:
        raise ValueError(f"{whole[:20]!r}… is not a time")
    at = _counted(whole)
    if at is None:
        at = _written(whole)
    if not EARLIEST_MS <= at < LATEST_MS:
        raise ValueError(f"{whole!r} is not a time between 2009 and 2100")
    return at


def _counted(text: str) -> int | None:
    """A count since the epoch; None when it is none that could be meant."""
    if not _NUMBER.fullmatch(text):
        return None
    value = Decimal(text)
    for below, factor in _UNITS:
        if value < below:
            at = int(value * factor)
            return at if EARLIEST_MS <= at < LATEST_MS or not _COMPACT.fullmatch(text) else None
    return None


def _written(text: str) -> int:
    if found := _YEAR_FIRST.fullmatch(text):
        year, _, month, day, *rest = found.groups("")
    elif found := _DAY_FIRST.fullmatch(text):
        day, month, year, *rest = found.groups("")
    elif found := _COMPACT.fullmatch(text):
        year, month, day, *rest = (*found.groups(""), "", "")
    elif _IN_DOUBT.fullmatch(text):
        raise ValueError(f"{text!r}: which is the month? Write dates as 2022-01-31")
    else:
        raise ValueError(f"{text!r} is not a time")
    hour, minute, second, fraction, zone = rest
    try:
        at = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=_zone(zone)
        )
    except ValueError:
        raise ValueError(f"{text!r} is not a time") from None
    whole = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return whole + int((fraction or "0").ljust(3, "0")[:3])


def _zone(text: str) -> timezone:
    known = _ZONES.get(text.upper(), text)
    digits = known.replace(":", "").ljust(5, "0")
    minutes = int(digits[1:3]) * 60 + int(digits[3:5])
    return timezone(timedelta(minutes=-minutes if digits[0] == "-" else minutes))
