"""
Where no entry is possible now: an exchange under maintenance, a symbol that is not listed or does not trade.

Venues are asked at start and each minute, in a job of its own: plans read the answers from memory, so the way to an
order makes no request more. Trouble of one symbol or one exchange stays there: entries of its accounts wait with the
reason on their page and in their log, exits and the guardian go on trying, and entries go on by themselves afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lib import log
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.account_records import TraderAccount
from lib.domain.errors import Pause, Retry
from lib.domain.maintenance import Maintenance, entries_wait, still_announced
from lib.domain.reason import NOTHING, Reason
from lib.market.status import ClosedMarket, closed_markets_field
from lib.ports.market import AsyncCandleReader, AsyncMarket, NotListed

LOG = log.get("trading.opening_hours")
BELIEVED_MS = 600_000
"""How long an announcement without an end is believed while the exchange cannot be asked."""

UNLISTED_AGAIN_MS = 300_000
"""How often a symbol that the exchange does not list is asked for: each such answer is an alert."""

Market = tuple[Venue, str]


@dataclass(slots=True)
class OpeningHours:
    """The maintenance of the traded venues, and the traded symbols that are shut."""

    announced: dict[Venue, tuple[Maintenance, ...]] = field(default_factory=dict)
    shut: dict[Market, Reason] = field(default_factory=dict)
    """Symbols without entries, and why."""
    _heard_ms: dict[Venue, int] = field(default_factory=dict)
    _again_ms: dict[Market, int] = field(default_factory=dict)

    def why_closed(self, account: TraderAccount, now_ms: int) -> Reason:
        """Why entries of *account* wait; `NOTHING` = entries are possible."""
        closed = entries_wait(self.announced.get(account.venue, ()), account.uid, now_ms)
        return closed or self.shut.get((account.venue, account.symbol), NOTHING)

    async def refresh(self, market: AsyncMarket, accounts: Iterable[TraderAccount], clock: Clock) -> None:
        """Ask again for every venue and symbol of *accounts*; a venue that cannot be asked is known as before."""
        markets = {(account.venue, account.symbol) for account in accounts}
        for venue in sorted({venue for venue, _ in markets}):
            await self._ask_venue(market, venue, clock.now_ms())
        for one in sorted(markets):
            await self._ask_symbol(market, one, clock.now_ms())
        self.shut = {one: why for one, why in self.shut.items() if one in markets}

    async def _ask_venue(self, market: AsyncMarket, venue: Venue, now_ms: int) -> None:
        try:
            found = await market.maintenance(venue)
        except (Retry, Pause) as away:
            LOG.warning("hours.unread", venue=venue, why=str(away))
            found = self.announced.get(venue, ())
            if now_ms - self._heard_ms.get(venue, now_ms) > BELIEVED_MS:
                found = still_announced(found, now_ms)
        else:
            self._heard_ms[venue] = now_ms
        if found != self.announced.get(venue, ()):
            LOG.alert("hours.announced", venue=venue, standing=len(found))
        self.announced[venue] = found

    async def _ask_symbol(self, market: AsyncMarket, one: Market, now_ms: int) -> None:
        venue, symbol = one
        if now_ms < self._again_ms.get(one, 0):
            return
        try:
            rules = await market.instrument(venue, symbol)
        except NotListed as gone:
            LOG.warning("hours.not_listed", venue=venue, symbol=symbol, why=str(gone))
            self._again_ms[one] = now_ms + UNLISTED_AGAIN_MS
            self._note(one, codes.SYMBOL_NOT_LISTED(symbol=symbol))
        except (Retry, Pause) as away:
            LOG.warning("hours.unread", venue=venue, symbol=symbol, why=str(away))
        else:
            self._note(one, NOTHING if rules.trading else codes.SYMBOL_NOT_TRADING(symbol=symbol))

    def _note(self, one: Market, why: Reason) -> None:
        if why == self.shut.get(one, NOTHING):
            return
        LOG.alert("hours.symbol_shut" if why else "hours.symbol_open", venue=one[0], symbol=one[1], why=why)
        if why:
            self.shut[one] = why
        else:
            del self.shut[one]

    async def show(self, candles: AsyncCandleReader, now_ms: int) -> None:
        """Write the closed venues and symbols into `system:status`."""
        standing = [(venue, entries_wait(found, "", now_ms)) for venue, found in self.announced.items()]
        closed = [ClosedMarket(venue, "", why) for venue, why in standing if why]
        closed += [ClosedMarket(venue, symbol, why) for (venue, symbol), why in sorted(self.shut.items())]
        try:
            await candles.set_status(closed_markets_field(closed))
        except Retry as busy:
            LOG.warning("hours.unshown", why=str(busy))
