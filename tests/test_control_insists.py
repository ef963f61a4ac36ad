"""An operator's switch is thrown even where a frozen process holds its row for a while."""

import pytest

from lib.clock import SteppedClock
from lib.domain.errors import Retry
from services.control import insist


class HeldRow:
    """A switch whose row is held by somebody until *free_ms*."""

    def __init__(self, clock: SteppedClock, free_ms: int) -> None:
        self.clock, self.free_ms, self.thrown = clock, free_ms, 0

    async def throw(self) -> None:
        await self.clock.sleep(2)
        if self.clock.now_ms() < self.free_ms:
            raise Retry("the database is busy or away (OperationalError 1205)")
        self.thrown += 1


async def test_a_switch_whose_row_is_held_is_thrown_as_soon_as_it_is_free(capsys: pytest.CaptureFixture[str]) -> None:
    row = HeldRow(SteppedClock(0), free_ms=9_000)
    await insist(row.clock, 60, row.throw)
    assert row.thrown == 1
    assert row.clock.now_ms() < 12_000
    assert "not thrown yet, trying again: the database is busy" in capsys.readouterr().out


async def test_a_switch_that_cannot_be_thrown_in_time_is_said_to_be_so(capsys: pytest.CaptureFixture[str]) -> None:
    row = HeldRow(SteppedClock(0), free_ms=10**9)
    with pytest.raises(Retry, match="1205"):
        await insist(row.clock, 60, row.throw)
    assert not row.thrown
    assert row.clock.now_ms() >= 60_000
