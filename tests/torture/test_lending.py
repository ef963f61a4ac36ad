"""Two of the deaths of `tests.torture.lending`."""

import pytest

from tests.torture import stores
from tests.torture.lending import every, lines, tortured

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

SAMPLE = ("late borrow.after kill", "leader answer.before kill")


async def test_what_was_lent_or_asked_by_who_died_is_neither_doubled_nor_lost() -> None:
    try:
        stores.program("mariadbd", "mysqld")
    except stores.Missing as missing:
        pytest.skip(f"NO MARIADB: {missing}; nobody was lent anything")
    endings = await tortured([one for one in every() if one.name in SAMPLE])
    assert [one.name for one in endings if one.hits] == list(SAMPLE)
    assert [one.problems for one in endings] == [[], []], "\n".join(lines(endings))


def test_every_scenario_of_lending_is_there_once() -> None:
    names = [one.name for one in every()]
    assert len(set(names)) == len(names)
    assert set(SAMPLE) <= set(names)
