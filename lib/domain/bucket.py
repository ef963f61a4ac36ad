"""
Where an account stands, as coarsely as an analyst may be told: one of seven buckets. Pure.

Neither quantity nor entry nor age is in it: two accounts of one bucket are shown the same bytes.
"""

from decimal import Decimal
from typing import Literal

Bucket = Literal["flat", "long_losing", "long_even", "long_winning", "short_losing", "short_even", "short_winning"]
EVEN_R = Decimal("0.25")
"""A position within this many R of its entry is neither winning nor losing."""


def bucket_of(qty: Decimal, entry: Decimal, stop: Decimal, price: Decimal) -> Bucket:
    """
    The bucket of a position of signed *qty* entered at *entry* with its first *stop*, at *price*.

    R is the distance from entry to stop; without a stop on the losing side the position counts as even.
    """
    if qty == 0:
        return "flat"
    sign = 1 if qty > 0 else -1
    risk = (entry - stop) * sign
    known = entry > 0 and stop > 0 and risk > 0
    result = (price - entry) * sign / risk if known else Decimal(0)
    if sign > 0:
        return "long_winning" if result > EVEN_R else "long_losing" if result < -EVEN_R else "long_even"
    return "short_winning" if result > EVEN_R else "short_losing" if result < -EVEN_R else "short_even"
