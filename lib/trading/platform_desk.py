"""
Platform settings at the hand of an operator: strict words in, one change with its entry in the trail out.

The terminal uses it directly; what an operator asks for on the web is carried out by the trader through it, and there
no limit becomes looser than the environment's. *ValueError* is the one line that says why not, and nothing changed.
"""

from dataclasses import dataclass

from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.platform_settings import (
    ARENA,
    BANNER,
    GUESTS,
    KEEP_TEXTS_DAYS,
    KRW_PER_USDT,
    LIMIT,
    REGISTRATION,
    ArenaDoor,
    Banner,
    GuestDoor,
    Registration,
    SettingChange,
    banner_text,
    loosens,
    read_days,
    read_limit,
)
from lib.domain.reason import Reason
from lib.domain.won_rates import read_named
from lib.ports.platform import PlatformBook

DEFAULT = "default"
"""Said instead of a limit's figure: the row is taken away, and the environment counts."""
WORDS: dict[str, tuple[str, type[Registration] | type[GuestDoor] | type[ArenaDoor]]] = {
    "registration": (REGISTRATION, Registration),
    "guests": (GUESTS, GuestDoor),
    "arena": (ARENA, ArenaDoor),
}


COSTS = ("analyst_cost", "person_cost", "shadow_cost", "past_cost", "past_person_cost")
"""Limits of a cost."""


class SettingRefused(ValueError):
    """A change that is not made; *why* is for a page, the line for a terminal."""

    def __init__(self, why: Reason, line: str) -> None:
        super().__init__(line)
        self.why = why


@dataclass(frozen=True, slots=True)
class PlatformDesk:
    """
    *limits* is what this environment says without a row; *counts_cost* = what the analyst costs is known to it.

    A change is None where the row said so already. *who* and *why* go into the trail.
    """

    book: PlatformBook
    limits: PlatformLimits
    counts_cost: bool

    def choose(self, setting: str, word: str, who: str, why: str) -> SettingChange | None:
        """A door: registration, guests or the arena."""
        name, words = WORDS[setting]
        if word not in set(words):
            raise ValueError(f"{setting} is {', '.join(words)}")
        return self.book.change(name, word, who, why)

    def say(self, banner: Banner | None, who: str) -> SettingChange | None:
        """The banner over every page; None takes it away."""
        return self.book.change(BANNER, None if banner is None else banner_text(banner), who, "")

    def rates(self, value: str, who: str, why: str) -> SettingChange | None:
        """Won for one USDT by date, as `read_named` reads them, or DEFAULT for none; *WrongRate* counts parts."""
        after = None if value == DEFAULT else ",".join(map(str, read_named(value)))
        return self.book.change(KRW_PER_USDT, after, who, why)

    def keep_texts(self, value: str, who: str, why: str) -> SettingChange | None:
        """How many days texts stay in the database, or DEFAULT."""
        after = None if value == DEFAULT else str(read_days(value))
        return self.book.change(KEEP_TEXTS_DAYS, after, who, why)

    def limit(self, name: str, value: str, who: str, why: str, *, may_loosen: bool) -> SettingChange | None:
        """A limit to *value*, or to DEFAULT; without *may_loosen* nothing that lets more through than before."""
        after = None if value == DEFAULT else value
        if after is not None:
            read_limit(name, after)
            if name in COSTS and not self.counts_cost:
                raise SettingRefused(
                    codes.COST_UNKNOWN(),
                    f"{name} would count nothing: what the model costs is not known to this environment",
                )
        row = f"{LIMIT}{name}"
        before = self.book.rows().get(row)
        if loosens(name, before, after, self.limits) and not may_loosen:
            line = f"{name} from {said(before)} to {said(after)} loosens: say --loosen if that is meant"
            raise SettingRefused(codes.LIMIT_LOOSENS(), line)
        return self.book.change(row, after, who, why)

    def is_looser_than_environment(self, name: str, value: str) -> bool:
        """Whether the limit *name* at *value* lets more through than the environment does by itself."""
        return value != DEFAULT and loosens(name, None, value, self.limits)


def said(text: str | None) -> str:
    """A row's text, DEFAULT for no row."""
    return DEFAULT if text is None else text
