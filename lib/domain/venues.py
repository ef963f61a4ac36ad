"""
What each venue is and can do: one row a venue, read wherever code would otherwise ask for a venue's name.

Venues differ by these rows and by their hosts (`bybit_sites`), never by a mode of ours. What a row says of the paper
venue is held by contract tests of our own exchange; of Bybit, by its documentation and the acceptance cards.
https://bybit-exchange.github.io/docs/v5/demo
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lib.domain.account import Pool, Venue


@dataclass(frozen=True, slots=True)
class VenueCapabilities:
    """One venue, as the order protocol, the onboarding of a key and the limits need to know it."""

    feeds: frozenset[str]
    """The real feeds whose prices are this venue's own."""
    follows_made_up_feeds: bool = False
    """It also trades on synthetic and replayed prices."""
    pool: Pool = "exchange"
    has_real_money: bool = False
    waits_for_paper: bool = False
    """Auto-trading is switched on here by a stretch of evidence on paper, or by its person's word to do without."""
    opens_accounts: bool = False
    """Accounts are opened here by ourselves: nobody brings a key."""
    offers_everything: bool = True
    """Every question and setting of an account is offered; where not, a key is taken on what it could not be asked."""
    has_stop_inside_entry: bool = True
    """An entry carries its stop: no moment without one."""
    has_idempotent_ids: bool = True
    """The same order id is refused for ever."""
    has_trailing_stop: bool = True
    """A position's stop can be made to follow the price by the venue itself."""

    @property
    def lacks(self) -> tuple[str, ...]:
        """What the order protocol cannot do without and this venue has not, in words; empty = it can be traded on."""
        needed = (
            (self.has_stop_inside_entry, "a stop inside the entry"),
            (self.has_idempotent_ids, "order ids that are refused a second time"),
        )
        return tuple(what for has, what in needed if not has)


_MAIN, _TEST = frozenset({"bybit"}), frozenset({"bybit-testnet"})
CAPABILITIES: Mapping[Venue, VenueCapabilities] = {
    "paper": VenueCapabilities(_MAIN, follows_made_up_feeds=True, pool="paper", opens_accounts=True),
    "demo": VenueCapabilities(_MAIN, waits_for_paper=True, offers_everything=False),
    "testnet": VenueCapabilities(_TEST),
    "mainnet": VenueCapabilities(_MAIN, has_real_money=True),
}
REAL_FEEDS = frozenset[str]().union(*(row.feeds for row in CAPABILITIES.values()))
"""Feeds that are a real venue's prices; every other is made up."""


def pool_of(venue: Venue) -> Pool:
    """The pool an account on *venue* counts in."""
    return CAPABILITIES[venue].pool


def venues_of(pool: Pool) -> tuple[Venue, ...]:
    """The venues whose accounts count in *pool*."""
    return tuple(venue for venue, row in CAPABILITIES.items() if row.pool == pool)


def feed_fits(feed: str, venue: Venue) -> bool:
    """Whether an account on *venue* may trade on decisions made from *feed*."""
    row = CAPABILITIES[venue]
    return feed in row.feeds or (row.follows_made_up_feeds and feed not in REAL_FEEDS)
