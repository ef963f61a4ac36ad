"""
The arena: a season in which people's strategy versions compete on paper, and who stands where. Pure.

Ranked is what surely is, not what shone: the lower bound of what a decision was worth, for any number of looks and for
as many entries as the season has places. How many places there are is sealed when the season begins, and every entry
takes one for good, whoever leaves, changes its name or deletes an account: no bound gets narrower by losers going away.

An entry is a person's version and model. A new version is another entry from nothing; the same one entered again is the
old entry with all it ever answered, so leaving and coming back raises nobody. What is counted are opinions and not
balances, so neither a deposit nor a new paper account changes a figure. What cannot be told has no rank, only a place
in the order of entry.
"""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from hashlib import sha256

from lib.domain.position import ZERO
from lib.domain.reason import Reason
from lib.domain.scores import BOTH_WAYS
from lib.domain.spelling import has_unseen, normal_email
from lib.domain.stored_reason import parse, stored

DAY_MS = 86_400_000
LEAST_SEASON, MOST_SEASON = 28, 365
"""Whole UTC days of a season."""
LEAST_PLACES, MOST_PLACES = 2, 400
MOST_EACH = 20
USUAL_DAYS, USUAL_PLACES, USUAL_EACH = 120, 100, 5
"""An edge of 0.2 % a trade, twelve a day, is promised to be named after about 87 days: a month is left to come in."""
LEAST_DECIDED, LEAST_DAYS = 100, 14
"""Opinions that were no hold, and whole days, under which an entry has no rank."""
SHORTEST_NAME, LONGEST_NAME = 2, 24
RESERVED = frozenset({"maemae", "매매", "operator", "admin", "administrator", "house", "운영자", "관리자", "하우스"})
"""Names of nobody, as `name_key` has them."""
_ADDRESSES = frozenset("@/\\")
_BY = {"method": BOTH_WAYS, "interval": "anytime", "rank": "low", "decided": LEAST_DECIDED, "days_least": LEAST_DAYS}


@dataclass(frozen=True, slots=True)
class Rules:
    """A season's: *days* whole UTC days, at most *places* entries ever, *each* of them of one person."""

    days: int
    places: int
    each: int

    @property
    def is_lawful(self) -> bool:
        """Whether a season may have them."""
        is_long = LEAST_SEASON <= self.days <= MOST_SEASON
        return is_long and LEAST_PLACES <= self.places <= MOST_PLACES and 1 <= self.each <= MOST_EACH


def rules_text(rules: Rules) -> str:
    """*rules* as they are kept and sealed, with the way of judging of this release."""
    return json.dumps({**asdict(rules), **_BY}, sort_keys=True, separators=(",", ":"))


def read_rules(text: str) -> Rules:
    """The inverse of `rules_text`; ValueError, TypeError or KeyError for anything else."""
    told = json.loads(text)
    return Rules(*(int(told[name]) for name in ("days", "places", "each")))


@dataclass(frozen=True, slots=True)
class Season:
    """
    One season. *rules_as* is the kept text that *seal* is of; *ended_ms* 0 = nobody ended it early; *taken* places, of
    entries that were deleted too. Epoch ms.
    """

    season_id: int
    begun_ms: int
    rules: Rules
    rules_as: str
    seal: str
    ended_ms: int = 0
    taken: int = 0

    @property
    def first_ms(self) -> int:
        """Its first whole UTC day."""
        return next_day(self.begun_ms)

    @property
    def until_ms(self) -> int:
        """The end of its last day, an early one too."""
        planned = self.first_ms + self.rules.days * DAY_MS
        return min(planned, self.ended_ms // DAY_MS * DAY_MS) if self.ended_ms else planned

    @property
    def is_sealed(self) -> bool:
        """Whether it stands as it was sealed, by rules this release judges by."""
        is_as_told = self.rules_as == rules_text(self.rules)
        return self.rules.is_lawful and is_as_told and self.seal == seal_of(self.begun_ms, self.rules_as)

    def is_open(self, now_ms: int) -> bool:
        """Whether somebody may enter."""
        return self.is_sealed and not self.ended_ms and now_ms < self.until_ms


def next_day(at_ms: int) -> int:
    """The first midnight UTC from *at_ms* on."""
    return -(-at_ms // DAY_MS) * DAY_MS


def seal_of(begun_ms: int, rules_as: str) -> str:
    """The sha256 of when a season began and by which rules."""
    return sha256(json.dumps([begun_ms, rules_as]).encode()).hexdigest()


def name_key(name: str) -> str:
    """The one spelling by which a public name is known: no case, no blanks, no punctuation."""
    return "".join(letter for letter in normal_email(name) if unicodedata.category(letter)[0] in "LN")


def is_public_name(name: str) -> bool:
    """Whether somebody may be shown as *name*: seen letters, no address of anybody, no name of the house."""
    is_seen = SHORTEST_NAME <= len(name) <= LONGEST_NAME and name == name.strip() and not has_unseen(name)
    is_long = SHORTEST_NAME <= len(key := name_key(name)) <= LONGEST_NAME
    return is_seen and is_long and key not in RESERVED and not _ADDRESSES & {*normal_email(name)}


@dataclass(frozen=True, slots=True)
class Bound:
    """A mean a decision, and where it surely lies: fractions of the notional."""

    mean: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """
    What an entry's *decisions* of *days* whole UTC days before *until_ms* came to, *decided* of them no hold. *net* a
    decision after fees, funding and calls; *chance*: beyond a coin at the same moments; None while it cannot be told.
    *coin* and *long* are the means of the two baselines there. *fall* is the deepest fall of the sum of its net, in
    notionals of one position. *reason* says it as a sentence.
    """

    until_ms: int
    days: int
    decisions: int
    decided: int
    net: Bound | None
    chance: Bound | None
    coin: Decimal
    long: Decimal
    fall: Decimal
    reason: Reason

    @property
    def more_days(self) -> int | None:
        """About how many days are missing before it can have a rank; None where nothing was decided yet."""
        if not self.decided or not self.days:
            return None
        decisions = -(-max(0, LEAST_DECIDED - self.decided) * self.days // self.decided)
        return max(1, LEAST_DAYS - self.days, decisions)


def standing_text(standing: Standing) -> str:
    """*standing* as it is kept."""
    told = asdict(standing) | {"reason": stored(standing.reason)}
    return json.dumps(told, sort_keys=True, separators=(",", ":"), default=str)


def read_standing(text: str) -> Standing:
    """The inverse of `standing_text`; ValueError, TypeError, LookupError or ArithmeticError for anything else."""
    told = json.loads(text)
    net, chance = (_bound(told[name]) for name in ("net", "chance"))
    until, days, decisions, decided = (int(told[name]) for name in ("until_ms", "days", "decisions", "decided"))
    coin, long, fall = (Decimal(told[name]) for name in ("coin", "long", "fall"))
    return Standing(until, days, decisions, decided, net, chance, coin, long, fall, parse(told["reason"]))


def _bound(told: "dict[str, str] | None") -> Bound | None:
    return None if told is None else Bound(*(Decimal(told[name]) for name in ("mean", "low", "high")))


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One entry as it is kept. *version_id* 0 = the original design; *name* is what its person is shown as, *house* one
    that competes with nobody; *left_ms* 0 = it is shown. Its days begin with the first whole one after *entered_ms*.
    """

    entry_id: int
    season_id: int
    user_id: int
    version_id: int
    model: str
    place: int
    name: str
    house: bool
    entered_ms: int
    left_ms: int = 0
    standing: Standing | None = None

    @property
    def from_ms(self) -> int:
        """Its first whole UTC day."""
        return next_day(self.entered_ms)

    def until_ms(self, season: Season) -> int:
        """The end of its last day: the season's, or that before it left."""
        return min(season.until_ms, self.left_ms // DAY_MS * DAY_MS) if self.left_ms else season.until_ms


@dataclass(frozen=True, slots=True)
class Ranked:
    """*entry* and its *rank*, which those with the same lower bound share."""

    rank: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Board:
    """
    Who is *ranked*, the surest first; who is *waiting* for a rank, in order of entry; *house* entries, which compete
    with nobody; those that *left*; and what random entries and always long made at the same moments.
    """

    ranked: tuple[Ranked, ...]
    waiting: tuple[Entry, ...]
    house: tuple[Entry, ...]
    left: tuple[Entry, ...]
    random: Decimal | None
    long: Decimal | None


def board(entries: Sequence[Entry]) -> Board:
    """*entries* of one season as everybody reads them."""
    there = sorted((one for one in entries if not one.left_ms), key=lambda one: one.place)
    people = [one for one in there if not one.house]
    told = sorted(((low, one) for one in people if (low := _low(one)) is not None), key=lambda pair: -pair[0])
    lows = [low for low, _ in told]
    ranked = tuple(Ranked(lows.index(low) + 1, one) for low, one in told)
    waiting = tuple(one for one in people if _low(one) is None)
    left = tuple(sorted((one for one in entries if one.left_ms), key=lambda one: one.place))
    return Board(ranked, waiting, tuple(one for one in there if one.house), left, *_references(people))


def _low(entry: Entry) -> Decimal | None:
    """What an entry is ranked by."""
    return None if entry.standing is None or entry.standing.net is None else entry.standing.net.low


def _references(people: Sequence[Entry]) -> tuple[Decimal | None, Decimal | None]:
    told = [one.standing for one in people if one.standing is not None and one.standing.decisions]
    if not told:
        return None, None
    count = sum(one.decisions for one in told)
    random, long = (sum((getattr(one, of) * one.decisions for one in told), ZERO) for of in ("coin", "long"))
    return random / count, long / count
