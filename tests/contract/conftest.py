"""Fixtures of the ledger's contract: one `world` per implementation."""

from collections.abc import Iterator

import pytest

from lib.clock import SteppedClock
from tests.contract.ledger_worlds import MemoryWorld, SqlWorld, World
from tests.factories import T
from tests.servers import SERVERS


@pytest.fixture(params=["memory", "sqlite", *SERVERS])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A ledger at T + 4 s, empty."""
    clock = SteppedClock(T + 4_000)
    if request.param == "memory":
        yield MemoryWorld(clock)
        return
    made = SqlWorld(request.getfixturevalue(f"{request.param}_engine"), clock)
    yield made
    made.close()
