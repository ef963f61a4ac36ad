"""
What every card works with, and the one way a card is asked: its answer is a value, whatever goes wrong.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.errors import Pause, Retry
from lib.domain.preflight import Card, CardResult
from lib.domain.preflight_rules import Found
from lib.domain.venues import CAPABILITIES, VenueCapabilities
from lib.ports.preflight import Evidence, Journal, NotOffered, PreflightVenue


@dataclass(frozen=True, slots=True)
class Preflight:
    """One account at one venue under examination. *installation* is this deployment's id, as in its orders' ids."""

    venue: Venue
    symbol: str
    at: PreflightVenue
    journal: Journal
    evidence: Evidence
    clock: Clock
    installation: str
    version: str

    @property
    def capabilities(self) -> VenueCapabilities:
        """What the venue is and can do."""
        return CAPABILITIES[self.venue]


Question = Callable[[], Awaitable[Found]]


async def ask(preflight: Preflight, card: Card, question: Question) -> CardResult:
    """The result of *card*: what *question* found, or why the venue did not answer."""
    preflight.evidence.turn_to(card)
    try:
        found = await question()
        return CardResult(card, found.passed, found.got)
    except NotOffered:
        # what cannot be asked here is found out by the order cards, on a venue without real money alone
        why = codes.CARD_NOT_OFFERED(venue=preflight.venue)
        return CardResult(card, not preflight.capabilities.offers_everything, why)
    except (Retry, Pause) as held:
        return CardResult(card, False, held.answer.why if held.answer else held.why)
    finally:
        preflight.evidence.turn_to(None)
