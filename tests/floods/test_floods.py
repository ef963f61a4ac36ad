"""During each flood another person's page, their readings and *pause* are answered, and memory stays where it was."""

from collections.abc import Iterator

import pytest

from tests.effort import seeds
from tests.floods.attacks import ATTACKS, STRANGER, Attack, under
from tests.worlds.flooded import ANOTHER, Waits, Web, asking, web

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

MOST_MB = 800
"""A web with nobody on it holds 250; slow password hashes, two at once, add as much and no more."""
ASKED = len(seeds(15))
"""How often another person asks during a flood: an attacker and the web keep a core each all the while."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One process for all floods: what one leaves behind, the next one meets."""
    with web(tmp_path_factory.mktemp("floods")) as made:
        yield made


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_another_person_is_answered_during(running: Web, attack: Attack) -> None:
    waits = Waits()
    with under(attack, running, STRANGER):
        await asking(running, waits, times=ASKED, every_s=0.3)
        memory = running.memory_mb()
    assert waits.failed == []
    assert memory < MOST_MB


async def test_another_person_at_the_floods_own_address_is_answered_too(running: Web) -> None:
    waits = Waits()
    with under(ATTACKS[0], running, ANOTHER):
        await asking(running, waits, times=ASKED, every_s=0.3, source=ANOTHER)
    assert waits.failed == []
