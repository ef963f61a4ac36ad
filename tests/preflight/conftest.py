"""The simulated exchange with an account as a careful person sets it up, under examination."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib.simulator.engine.accounts import Account
from tests.contract.exchange_worlds import World, in_process
from tests.worlds.examined import Examined


@dataclass
class Scene:
    """A world, its one account, and a preflight of it."""

    world: World
    account: Account
    folder: Path

    def examined(self, venue: str = "testnet") -> Examined:
        """A preflight of this account as one on *venue*."""
        made = Examined(self.world.transport, self.world.clock, self.world.key, self.folder)
        made.venue = venue  # type: ignore[assignment]
        return made


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with in_process() as world:
        [account] = world.engine.accounts.values()
        [key] = account.keys
        key.permissions = {"ContractTrade": ["Order", "Position"]}
        key.ips = ["127.0.0.1"]
        yield Scene(world, account, tmp_path)
