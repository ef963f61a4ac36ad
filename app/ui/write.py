"""
How numbers are written: separators, signs, plain decimals. Decimal in, text out; no rounding of what is stored.
"""

from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")


def money(value: Decimal | None, *, signed: bool = False) -> str:
    """USDT with thousands separators and cents; a dash for nothing known."""
    if value is None:
        return "–"
    rounded = value.quantize(CENT, ROUND_HALF_EVEN)
    return f"{rounded if rounded else abs(rounded):{'+' if signed and rounded else ''},}"


def percent(fraction: Decimal | None, *, places: int = 2, signed: bool = False) -> str:
    """A fraction as percent."""
    if fraction is None:
        return "–"
    rounded = (fraction * 100).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return f"{rounded if rounded else abs(rounded):{'+' if signed and rounded else ''},}%"


def exact(value: Decimal | None) -> str:
    """Every digit that means something: no exponent, no trailing zeros."""
    if value is None:
        return "–"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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
