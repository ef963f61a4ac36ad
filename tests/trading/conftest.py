"""A world per test, and the promises every test holds it to."""

from collections.abc import Iterator

import pytest

from tests.worlds.one_process import World


@pytest.fixture
def world() -> Iterator[World]:
    """A world with one account (id 1) of 10,000 USDT at medium risk."""
    made = World()
    made.add_account()
    yield made
    assert made.violations == []
