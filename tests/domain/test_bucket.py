"""Seven buckets, and nothing finer."""

from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.bucket import Bucket, bucket_of

D = Decimal
PRICES = st.decimals(1, 100_000, places=1)


@pytest.mark.parametrize(
    ("qty", "stop", "price", "bucket"),
    [
        (0, 0, 60_000, "flat"),
        (1, 59_000, 60_250, "long_even"),
        (1, 59_000, 60_251, "long_winning"),
        (1, 59_000, 59_749, "long_losing"),
        (-1, 61_000, 59_750, "short_even"),
        (-1, 61_000, 59_749, "short_winning"),
        (-1, 61_000, 60_251, "short_losing"),
        (1, 61_000, 70_000, "long_even"),
        (1, 0, 70_000, "long_even"),
        (-1, 0, 70_000, "short_even"),
    ],
)
def test_the_bucket_is_by_r_and_even_where_r_is_not_known(qty: int, stop: int, price: int, bucket: str) -> None:
    assert bucket_of(D(qty), D(60_000), D(stop), D(price)) == bucket


@given(st.decimals(-5, 5, places=3), PRICES, PRICES, PRICES)
def test_every_account_is_in_one_of_seven(qty: Decimal, entry: Decimal, stop: Decimal, price: Decimal) -> None:
    assert len(get_args(Bucket)) == 7
    assert bucket_of(qty, entry, stop, price) in get_args(Bucket)
