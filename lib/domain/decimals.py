"""
How a Decimal is written, wherever a person or a text column reads it.
"""

from decimal import Context, Decimal

_WIDE = Context(prec=80)


def plain(value: Decimal) -> Decimal:
    """*value* without trailing zeros and without an exponent: what was written, not what the column pads it to."""
    short = value.normalize(_WIDE)
    return short.quantize(Decimal(1), context=_WIDE) if short.as_tuple().exponent > 0 else short  # type: ignore[operator]
