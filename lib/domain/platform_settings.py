"""
Platform settings, which an operator changes while everything runs, kept as rows of text and read strictly. Pure.

A setting without a row has the environment's value. A row that cannot be read never loosens anything: registration and
guests count as closed, a banner as none, and an unreadable limit stops every entry (`lib.domain.gates`) until an
operator sets that limit again. Of every limit the larger figure is the looser one. This module neither keeps rows nor
knows who may change them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from lib.domain.account import NO_PERSON_CAP, PlatformLimits
from lib.domain.spelling import is_prose
from lib.domain.won_rates import WonRate, read_named

PREFIX = "platform:"
"""The prefix of every platform setting's row; `system_settings` holds other rows too."""
REGISTRATION = f"{PREFIX}registration"
GUESTS = f"{PREFIX}guests"
BANNER = f"{PREFIX}banner"
ARENA = f"{PREFIX}arena"
LIMIT = f"{PREFIX}limit:"
"""Followed by a field of `PlatformLimits`."""
KRW = "krw_per_usdt"
KRW_PER_USDT = f"{PREFIX}{KRW}"
"""Won for one USDT by date (`lib.domain.won_rates`), to show beside amounts; no trade looks at it."""

KEEP_TEXTS = "keep_texts_days"
KEEP_TEXTS_DAYS = f"{PREFIX}{KEEP_TEXTS}"
"""How many days the analyst's prompts and answers stay in the database; 0 = for ever."""
USUAL_DAYS, LEAST_DAYS, MOST_DAYS = 90, 7, 3_650

BANNER_CHARS = 300
_FIGURE = re.compile(r"[0-9]{1,11}(\.[0-9]{1,8})?")
Rows = Mapping[str, str]
"""Stored text by the row's whole name."""
Figure = Decimal | int
Word = TypeVar("Word", bound=StrEnum)


class Registration(StrEnum):
    """Who may register with a password: everybody, people with an invitation, nobody."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


class GuestDoor(StrEnum):
    """Whether new guests come in: as long as registration is open, in any case, not at all."""

    FOLLOW = "follow"
    OPEN = "open"
    CLOSED = "closed"


class ArenaDoor(StrEnum):
    """Whether the arena is shown and may be entered while a season runs."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Admission:
    """The doors that are open for people without an account: registration and guests."""

    registration: Registration = Registration.OPEN
    guests: GuestDoor = GuestDoor.FOLLOW

    @property
    def takes_guests(self) -> bool:
        """Whether a new guest may come in."""
        if self.guests is GuestDoor.FOLLOW:
            return self.registration is Registration.OPEN
        return self.guests is GuestDoor.OPEN


@dataclass(frozen=True, slots=True)
class Banner:
    """One line for all people, in Korean and in English: text, never markup."""

    ko: str
    en: str

    def in_language(self, language: str) -> str:
        """The line for a page in *language*."""
        return self.ko if language == "ko" else self.en


@dataclass(frozen=True, slots=True)
class Bounds:
    """The range of a limit: from *least* to *most*; *whole* = no fractions."""

    least: Decimal
    most: Decimal
    whole: bool = False


def _count(least: int, most: int) -> Bounds:
    return Bounds(Decimal(least), Decimal(most), whole=True)


LIMIT_BOUNDS: Mapping[str, Bounds] = {
    "daily_loss": Bounds(Decimal(0), Decimal("0.5")),
    "max_exposure": Bounds(Decimal(0), Decimal(1_000_000_000)),
    "entries_per_day": _count(0, 1_000_000),
    "analyst_failures": _count(1, 288),
    "analyst_tokens": _count(0, 10**10),
    "analyst_cost": Bounds(Decimal(0), Decimal(100_000)),
    "guest_tokens": _count(0, 10**10),
    "person_cost": Bounds(Decimal(0), NO_PERSON_CAP),
    "shadows": _count(0, 20),
    "shadow_calls": _count(0, 10**6),
    "shadow_cost": Bounds(Decimal(0), Decimal(100_000)),
    "past_calls": _count(0, 10**6),
    "past_cost": Bounds(Decimal(0), Decimal(100_000)),
    "past_person_calls": _count(0, 10**6),
    "past_person_cost": Bounds(Decimal(0), Decimal(100_000)),
    "past_unpriced_calls": _count(0, 10**6),
}
"""Every limit of `PlatformLimits`, in its order and units."""


@dataclass(frozen=True, slots=True)
class LimitOverrides:
    """What an operator set instead of the environment's limits; *unreadable* names the rows that say nothing."""

    figures: Mapping[str, Figure] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()

    def over(self, limits: PlatformLimits) -> PlatformLimits:
        """*limits* with what was set in their place."""
        changed: dict[str, Any] = dict(self.figures)
        return replace(limits, unreadable=self.unreadable, **changed)


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One entry of the audit trail. *before* and *after* are stored text, None = no row; *at_ms* in epoch ms."""

    name: str
    before: str | None
    after: str | None
    who: str
    why: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation as shown at *at_ms* (epoch ms), by the hash of its code."""

    code_sha256: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Invites:
    """How many invitations are still good, were used, and ended unused."""

    good: int
    used: int
    over: int


def read_limit(name: str, text: str) -> Figure:
    """The limit *name* as *text* says it: plain digits, no sign and no exponent. ValueError says what is wrong."""
    bounds = LIMIT_BOUNDS.get(name)
    if bounds is None:
        raise ValueError(f"there is no limit {name!r}: {', '.join(LIMIT_BOUNDS)}")
    figure = Decimal(text) if _FIGURE.fullmatch(text) else None
    if figure is None or not bounds.least <= figure <= bounds.most or (bounds.whole and "." in text):
        kind = "a whole number" if bounds.whole else "a number"
        raise ValueError(f"{name} must be {kind} from {bounds.least} to {bounds.most}")
    return int(figure) if bounds.whole else figure


def limit_overrides(rows: Rows) -> LimitOverrides:
    """The limits that the rows among *rows* set."""
    figures: dict[str, Figure] = {}
    unreadable = []
    for row in sorted(rows):
        name = row.removeprefix(LIMIT)
        if name == row:
            continue
        try:
            figures[name] = read_limit(name, rows[row])
        except ValueError:
            unreadable.append(name)
    return LimitOverrides(figures, tuple(unreadable))


def loosens(name: str, before: str | None, after: str | None, usual: PlatformLimits) -> bool:
    """
    Whether the limit *name* would let more through with the row *after* than with *before*.

    None = no row: *usual* counts. A row that cannot be read lets nothing through, so any row after it loosens.
    """
    was, will = (limit_overrides({} if text is None else {f"{LIMIT}{name}": text}) for text in (before, after))
    if was.unreadable or will.unreadable:
        return bool(was.unreadable)
    return name in LIMIT_BOUNDS and bool(getattr(will.over(usual), name) > getattr(was.over(usual), name))


def admission(rows: Rows) -> Admission:
    """The doors that *rows* leave open; an unknown word closes its door."""
    usual = Admission()
    return Admission(
        _word(Registration, rows.get(REGISTRATION, usual.registration), Registration.CLOSED),
        _word(GuestDoor, rows.get(GUESTS, usual.guests), GuestDoor.CLOSED),
    )


def arena_door(rows: Rows) -> ArenaDoor:
    """How *rows* leave the arena: open without one; an unknown word closes it."""
    return _word(ArenaDoor, rows.get(ARENA, ArenaDoor.OPEN), ArenaDoor.CLOSED)


def is_arena_open(rows: Rows) -> bool:
    """Whether *rows* leave the arena open."""
    return arena_door(rows) is ArenaDoor.OPEN


def _word(words: type[Word], text: str, otherwise: Word) -> Word:
    return words(text) if text in set(words) else otherwise


def banner_text(banner: Banner) -> str:
    """*banner* as its row's text. ValueError when *banner* is no banner."""
    if not (_is_line(banner.ko) and _is_line(banner.en)):
        raise ValueError(f"a banner is one line of 1 to {BANNER_CHARS} visible characters in each language")
    return json.dumps({"ko": banner.ko, "en": banner.en}, ensure_ascii=False)


def _is_line(said: object) -> bool:
    fits = isinstance(said, str) and len(said.strip()) > 0 and len(said) <= BANNER_CHARS
    return fits and is_prose(str(said)) and not set(str(said)) & {"\n", "\t"}


def read_banner(rows: Rows) -> Banner | None:
    """The banner of *rows*; None where there is none, or none that can be read."""
    try:
        pairs = json.loads(rows.get(BANNER, ""), object_pairs_hook=list)
        said = dict(pairs)
        banner = Banner(said["ko"], said["en"])
        return banner if len(pairs) == 2 and banner_text(banner) else None
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def krw_rates(rows: Rows) -> tuple[WonRate, ...]:
    """Won for one USDT as an operator set them, by day; none where nobody did, and for a row that cannot be read."""
    try:
        return read_named(rows[KRW_PER_USDT])
    except (LookupError, ValueError):
        return ()


def read_days(text: str) -> int:
    """How many days *text* says that texts are kept. ValueError for anything but 0 and LEAST_DAYS to MOST_DAYS."""
    days = int(text) if re.fullmatch(r"[0-9]{1,4}", text) else -1
    if days and not LEAST_DAYS <= days <= MOST_DAYS:
        raise ValueError(f"{KEEP_TEXTS} is a whole number from {LEAST_DAYS} to {MOST_DAYS}, or 0 for ever")
    return days


def keep_texts_days(rows: Rows) -> int:
    """How many days texts are kept; 0 = for ever, which a row that cannot be read counts as."""
    try:
        return read_days(rows.get(KEEP_TEXTS_DAYS, str(USUAL_DAYS)))
    except ValueError:
        return 0
