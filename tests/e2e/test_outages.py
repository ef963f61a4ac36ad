"""Redis, MariaDB, the exchange, its stream and the analyst each go away across a boundary: nothing wrong is ordered."""

import pytest

from tests.torture import stores
from tests.torture.ground import opened
from tests.torture.outages import OUTAGES, play

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]


@pytest.mark.parametrize("name", OUTAGES)
async def test_an_outage_orders_nothing_wrong_and_is_recovered_from_without_a_hand(name: str) -> None:
    try:
        stores.program("mariadbd", "mysqld")
    except stores.Missing as missing:
        pytest.skip(f"NO MARIADB: {missing}; the outages were not played")
    async with opened() as ground:
        found = await play(ground, name)
    assert found.problems == []
    assert found.restarts == 0
