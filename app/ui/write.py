"""
How numbers are written: separators, signs, plain decimals. Decimal in, text out; no rounding of what is stored.

Separators are the reader's, whoever the thread writes for right now; nobody named, `1,234.5`. Files, routes and
what a field holds are written elsewhere, the same for everybody.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import ROUND_HALF_EVEN, Decimal

from lib.domain.account import NUMBERS, Numbers
from lib.domain.books import TRADING, USDT, Charge
from lib.domain.separators import separated

CENT = Decimal("0.01")
MEANT = 6
"""Digits of a price that mean something."""
_reader: ContextVar[Numbers] = ContextVar("numbers", default=NUMBERS)


def write_for(numbers: Numbers) -> None:
    """From here on this thread's context writes as its reader has it: said at every run of a page."""
    _reader.set(numbers)


@contextmanager
def writing_for(numbers: Numbers) -> Iterator[None]:
    """Within it numbers are written so, after it as before: for threads that write for one person after the other."""
    before = _reader.set(numbers)
    try:
        yield
    finally:
        _reader.reset(before)


def style() -> Numbers:
    """How numbers are written here, for a browser module that writes some itself."""
    return _reader.get()


def shown(number: str) -> str:
    """*number*, written with `,` between thousands and `.` before the fraction, as the reader has it."""
    return separated(number, _reader.get())


def count(number: int | Decimal) -> str:
    """A number as it is, with its thousands apart."""
    return shown(f"{number:,}")


def money(value: Decimal | None, *, signed: bool = False) -> str:
    """USDT with thousands separators and cents; a dash for nothing known."""
    if value is None:
        return "–"
    rounded = value.quantize(CENT, ROUND_HALF_EVEN)
    return shown(f"{rounded if rounded else abs(rounded):{'+' if signed and rounded else ''},}")


def won(amount: Decimal | None) -> str:
    """Won to the whole beside an amount of USDT, "" for none known."""
    if amount is None:
        return ""
    whole = amount.quantize(Decimal(1), ROUND_HALF_EVEN)
    # apart: a minus grows into the sign's bars, and the amount looks struck out
    sign = "-\N{NARROW NO-BREAK SPACE}" if whole < 0 else ""
    return f"≈ {sign}₩{count(abs(whole))}"


def percent(fraction: Decimal | None, *, places: int = 2, signed: bool = False) -> str:
    """A fraction as percent."""
    if fraction is None:
        return "–"
    rounded = (fraction * 100).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return shown(f"{rounded if rounded else abs(rounded):{'+' if signed and rounded else ''},}%")


def exact(value: Decimal | None) -> str:
    """Every digit that means something: no exponent, no trailing zeros."""
    if value is None:
        return "–"
    text = f"{value:,f}"
    return shown(text.rstrip("0").rstrip(".") if "." in text else text)


def plus(value: Decimal) -> str:
    """Every digit that means something, with its sign."""
    return f"{'+' if value > 0 else ''}{exact(value)}"


def cost(fee: Decimal, charges: Iterable[Charge]) -> str:
    """
    What an execution cost, each part in its coin: `0.33`, `0.33 + GST 0.0594`, `2.6 MNT (≈ 3.14 USDT)`.

    *fee* is all of it in USDT; the parts that *charges* name are told apart.
    """
    named = tuple(charges)
    trading = fee - sum((part.amount for part in named if part.coin == USDT), Decimal(0))
    parts = [_charge(part) for part in named]
    return " + ".join([exact(trading), *parts] if trading or not parts else parts)


def _charge(part: Charge) -> str:
    name = "" if part.kind == TRADING else f"{part.kind} "
    if part.coin == USDT:
        return f"{name}{exact(part.amount)}"
    worth = "" if part.worth is None else f" (≈ {money(part.worth)} USDT)"
    return f"{name}{exact(part.amount)} {part.coin}{worth}"


def price(value: Decimal | None, beside: Decimal | None = None) -> str:
    """
    A price with the digits people know it by: six that count, one after the point at least (64,120.5 · 3,120.55);
    with as many places as the price *beside* it, where there is one.
    """
    if value is None:
        return "–"
    return shown(f"{value.quantize(Decimal(1).scaleb(-places(beside or value)), ROUND_HALF_EVEN):,f}")


def places(like: Decimal) -> int:
    """How many places a price as large as *like* is written with."""
    return max(1, MEANT - 1 - max(like.adjusted(), -MEANT)) if like else 1


def short(text: str, most: int = 120) -> str:
    """One line of at most *most* characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def duration(seconds: float) -> tuple[str, int]:
    """A duration as the key of its unit and the whole number of it: ("age.minutes", 3)."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= size:
            return f"age.{unit}", int(seconds // size)
    return "age.seconds", max(0, int(seconds))
