"""
What a signed-in person may do about backtests: ask one at a time, cancel it, delete what came of it, show it by a link.

A question has the limits the person has then, but for those it names. A code is 128 random bits, told once; the store
keeps its sha256. A deleted result stays counted as a try.
"""

import secrets
from dataclasses import dataclass, replace

from lib.accounts import checking
from lib.accounts.acts import act
from lib.accounts.entrance import sha256
from lib.accounts.refusal import Refusal
from lib.accounts.strategies import MadeShare
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.domain.backtests import FREE, MOST_DAYS, Wish, wish_problem
from lib.domain.pace import Pace
from lib.ports.backtests import BacktestForms
from lib.ports.people import Accounts, Throttles

MOST_SHOWN = 20
"""Links of a person that open at once."""


QUESTIONS = Pace(free=30, first_ms=10_000, longest_ms=600_000, halving_ms=1_800_000)
"""Every question is kept for good, for it counts as a try."""


@dataclass(frozen=True, slots=True)
class Past:
    """Whose past may be asked about: that of *symbols* of *feed*. Candles of any other would fill the disk."""

    feed: str
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """The number of the person's backtest."""

    job_id: int


class BacktestDesk:
    """Synchronous and safe from any thread; *Retry* when the database is away. *past* is whose candles there are."""

    def __init__(
        self, forms: BacktestForms, accounts: Accounts, throttles: Throttles, past: Past, clock: Clock
    ) -> None:
        self._forms, self._accounts, self._past, self._clock = forms, accounts, past, clock
        self._paces = checking.PacedChecks(throttles, clock)

    @act
    def ask(self, user: SessionUser, wish: Wish) -> Asked | Refusal:
        """Have *wish* worked out, or the number under which it was before."""
        now = self._clock.now_ms()
        if wish.kind not in FREE:
            return Refusal("refuse.field", field="kind")  # what costs money is asked of `QuarantineDesk`
        chosen = self._accounts.chosen(user.user_id)
        asked = wish if chosen is None else replace(wish, limits=chosen[0].limits)
        if (problem := wish_problem(asked, now)) == "until":
            return Refusal("refuse.backtest.span", most=MOST_DAYS[asked.kind])
        if problem is not None or asked.symbol not in self._past.symbols:
            return Refusal("refuse.field", field=problem or "symbol")
        if refusal := self._paces.counted((f"past:{user.user_id}", QUESTIONS)):
            return refusal
        made = self._forms.ask(user.user_id, self._past.feed, asked, now)
        return Refusal("refuse.backtest.one") if made is None else Asked(made)

    @act
    def cancel(self, user: SessionUser, job_id: int) -> Refusal | None:
        """It is wanted no more; what waits ends at once, what runs within seconds."""
        return _found(self._forms.cancel(user.user_id, job_id, self._clock.now_ms()))

    @act
    def delete(self, user: SessionUser, job_id: int) -> Refusal | None:
        """Its result and its link go; that it was tried stays counted."""
        return _found(self._forms.hide(user.user_id, job_id, self._clock.now_ms()))

    @act
    def share(self, user: SessionUser, job_id: int) -> MadeShare | Refusal:
        """A link that shows the result to whoever has it, until it is taken back; a link before opens no more."""
        if user.is_guest:
            return Refusal("refuse.guest")
        code = secrets.token_urlsafe(16)
        made = self._forms.share(user.user_id, job_id, sha256(code), MOST_SHOWN)
        return MadeShare(code) if made else Refusal("refuse.backtest.share", most=MOST_SHOWN)

    @act
    def unshare(self, user: SessionUser, job_id: int) -> Refusal | None:
        """The link opens nothing from now on."""
        return _found(self._forms.unshare(user.user_id, job_id))


def _found(done: bool) -> Refusal | None:
    return None if done else Refusal("refuse.not_found")
