"""
What the trading desk works with, and where it stands: its ports, and the deployment's feed, venues and own mark.
"""

from dataclasses import dataclass

from lib.accounts.models import OwnModelDesk
from lib.clock import Clock
from lib.domain.account import Venue
from lib.ports.exchange import AccountProbe, KeyProbe, PaperAccounts
from lib.ports.people import Accounts, CommandQueue, Keyring, OwnLocks, Throttles
from lib.ports.secrets import Sealer


@dataclass(frozen=True, slots=True)
class TradingPorts:
    """What the desk works with."""

    accounts: Accounts
    keyring: Keyring
    queue: CommandQueue
    paper: PaperAccounts
    key_probe: KeyProbe
    account_probe: AccountProbe
    sealer: Sealer
    locks: OwnLocks
    throttles: Throttles
    clock: Clock
    models: OwnModelDesk | None = None
    """None = there is the environment's model alone."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    Where this deployment trades: its feed, the venues it may use, what a new account trades, its own mark, and the
    *addresses* it is known to call from (empty = nobody said).
    """

    feed: str
    venues: tuple[Venue, ...]
    symbol: str
    installation: str
    addresses: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    """What an account may trade besides *symbol*, which a new account begins with."""

    @property
    def offered(self) -> tuple[str, ...]:
        """Every symbol an account may trade, in the operator's order."""
        return tuple(dict.fromkeys((self.symbol, *self.symbols)))
