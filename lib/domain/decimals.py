"""
How a Decimal is written for a person or a text column.
"""

from decimal import Context, Decimal

_WIDE = Context(prec=80)


def plain(value: Decimal) -> Decimal:
    """*value* without trailing zeros and without an exponent: the number as written, not as a column pads it."""
    short = value.normalize(_WIDE)
    return short.quantize(Decimal(1), context=_WIDE) if short.as_tuple().exponent > 0 else short  # type: ignore[operator]
