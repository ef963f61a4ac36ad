"""
The operators' room: what a person with the operator's role may do from a page or a route.

Synchronous; forms and routes run it in threads. Whoever is no operator at that moment is told that there is no such
thing, whatever they ask. Every act is a row before anything of it happens (`lib.domain.operator_act`): switches, locks
and invitations are then done here, by the terminal's own use-cases; orders to settle and platform settings wait for the
trader. Whatever closes, loosens or lets somebody in wants a proof of the last five minutes. Nothing here reads a key,
acts as another person, or takes anybody's word for "stopped".
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from lib import log
from lib.accounts.invites import DAY_MS, LONGEST_DAYS, MOST_INVITES, code_sha256, new_code
from lib.accounts.step_up import unproved
from lib.accounts.web import Refusal, SessionUser
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.errors import Retry
from lib.domain.model_profile import KeptModel, ModelProfile, flaw_of
from lib.domain.model_wish import ModelWish
from lib.domain.operator_act import ActKind, NewAct, signed
from lib.domain.order import TERMINAL
from lib.domain.platform_settings import (
    BANNER_CHARS,
    KRW,
    LIMIT_BOUNDS,
    ArenaDoor,
    Banner,
    GuestDoor,
    Registration,
    banner_text,
    loosens,
    read_limit,
)
from lib.domain.pricing import AnalystPrices
from lib.domain.reason import Reason
from lib.domain.spelling import has_unseen
from lib.domain.switches import waits_for_sweep
from lib.domain.won_rates import WrongRate, read_named
from lib.ports.operators import Invitations, NoOperator, NoSuchSubject, OperatorActs, OperatorRoster, SwitchBoard
from lib.trading.kill_switch.operator import NoSuchAccountError, Switchman

S = TypeVar("S", bound="OperatorsRoom")
P = ParamSpec("P")
R = TypeVar("R")
Act = Callable[Concatenate[S, SessionUser, P], R]

NOTHING_HERE = Refusal("refuse.not_found")
LONGEST_WHY = 300
LONGEST_NAME = 40
LONGEST_RATES = 1_000
DOORS: Mapping[str, frozenset[str]] = {
    "registration": frozenset(Registration),
    "guests": frozenset(GuestDoor),
    "arena": frozenset(ArenaDoor),
}
SHUT = "closed"
"""What closes a door; every other word may open one."""
DEFAULT = "default"
"""Said instead of a limit's figure: the environment's counts again; instead of rates: there are none."""
ENDS = frozenset(state.value for state in TERMINAL)
_log = log.get("operators")


def operating(
    method: Callable[Concatenate[S, SessionUser, P], R],
) -> Callable[Concatenate[S, SessionUser, P], R | Refusal]:
    """*method* of the room, for operators alone; for everybody else there is no such thing."""

    @wraps(method)
    def refusing(self: S, user: SessionUser, /, *args: P.args, **kwargs: P.kwargs) -> R | Refusal:
        return method(self, user, *args, **kwargs) if self.admits(user) else NOTHING_HERE

    return refusing


@dataclass(frozen=True, slots=True)
class RoomPorts:
    """
    What the room works with. *limits* are the platform's as this process' environment has them, and *may_resume* is
    False where it says that nothing may be traded.
    """

    roster: OperatorRoster
    acts: OperatorActs
    board: SwitchBoard
    invitations: Invitations
    clock: Clock
    limits: PlatformLimits
    may_resume: bool = True


@dataclass(frozen=True, slots=True)
class Invited:
    """Codes just made, which exist nowhere else; good before *until_ms*."""

    codes: tuple[str, ...]
    until_ms: int

    def __repr__(self) -> str:
        return f"Invited({len(self.codes)})"


class OperatorsRoom:
    """Every act an operator's page or route offers. Account 0 is the platform."""

    def __init__(self, ports: RoomPorts) -> None:
        self._ports = ports

    def admits(self, user: SessionUser) -> bool:
        """Whether the person is an operator at this moment, in a session that may act."""
        return not user.read_only and not user.is_guest and self._ports.roster.is_operator(user.user_id)

    # --- switches and locks ---------------------------------------------------------------------------------------

    @operating
    def stop(self, user: SessionUser, account_id: int) -> Refusal | None:
        """No new entries of that account, or of anybody (0)."""
        return self._switch(user, "stop", account_id)

    @operating
    def flatten(self, user: SessionUser, account_id: int) -> Refusal | None:
        """As `stop`, and what we opened is closed. One account's wants the proof too: many make everybody's."""
        return self._unproved(user) or self._switch(user, "flatten", account_id)

    @operating
    def resume(self, user: SessionUser, account_id: int) -> Refusal | None:
        """
        Take the switches of that account, or the platform's (0), back; locks stay, and what an owner stopped is the
        owner's to allow again.
        """
        if not account_id and not self._ports.may_resume:
            return Refusal("refuse.operator.environment")
        if not account_id and waits_for_sweep(asyncio.run(self._ports.board.flags())):
            return Refusal("refuse.operator.restored")
        if account_id and self._is_owners(account_id):
            return Refusal("refuse.operator.owners")
        return self._unproved(user) or self._switch(user, "resume", account_id)

    @operating
    def unlock(self, user: SessionUser, account_id: int, kind: str, why: str) -> Refusal | None:
        """End a risk lock before its time."""
        if refusal := _name_refusal(kind, "kind") or _why_refusal(why) or self._unproved(user):
            return refusal

        def end() -> Refusal | Reason:
            ended = asyncio.run(self._switchman(user).unlock(account_id, kind))
            return codes.OPERATOR_DONE() if ended else Refusal("refuse.lock.gone", why=codes.NO_SUCH_LOCK())

        return self._done(user, "unlock", account_id, {"kind": kind, "why": why}, end)

    def _switch(self, user: SessionUser, kind: ActKind, account_id: int) -> Refusal | None:
        man = self._switchman(user)
        throws: dict[str, Callable[[int], Coroutine[Any, Any, bool | None]]]
        throws = {"stop": man.stop, "flatten": man.flatten, "resume": man.resume}
        throw = throws[kind]

        def thrown() -> Reason:
            goes_on = asyncio.run(throw(account_id))
            return codes.OWNERS_STOP_STAYS() if goes_on is False else codes.OPERATOR_DONE()

        return self._done(user, kind, account_id, {}, thrown)

    def _is_owners(self, account_id: int) -> bool:
        found = asyncio.run(self._ports.board.accounts())
        return any(one.account_id == account_id and one.paused_by == "owner" for one in found)

    def _switchman(self, user: SessionUser) -> Switchman:
        return Switchman(self._ports.board, signed(user.user_id))

    # --- newcomers ------------------------------------------------------------------------------------------------

    @operating
    def invite(self, user: SessionUser, count: int, days: int) -> Refusal | Invited:
        """Make invitations, each good once; the codes are told here and never again."""
        if not (1 <= count <= MOST_INVITES and 1 <= days <= LONGEST_DAYS):
            return Refusal("refuse.operator.invites", most=MOST_INVITES, days=LONGEST_DAYS)
        if refusal := self._unproved(user):
            return refusal
        made = tuple(new_code() for _ in range(count))
        until_ms = self._ports.clock.now_ms() + days * DAY_MS

        def add() -> Reason:
            hashes = [code_sha256(code) for code in made]
            self._ports.invitations.add(hashes, until_ms, signed(user.user_id))
            return codes.INVITES_MADE(count=count, until=until_ms)

        told = {"count": str(count), "days": str(days)}
        return self._done(user, "invite", 0, told, add) or Invited(made, until_ms)

    # --- what the trader does -------------------------------------------------------------------------------------

    @operating
    def settle(self, user: SessionUser, link: str, state: str, why: str) -> Refusal | None:
        """Ask the trader to end an order that only a person can end, after it has asked the exchange once more."""
        if refusal := _name_refusal(link, "link") or _why_refusal(why) or self._unproved(user):
            return refusal
        if state not in ENDS:
            return Refusal("refuse.field", field="state")
        return self._ask(user, "settle", {"link": link, "state": state, "why": why})

    @operating
    def choose(self, user: SessionUser, setting: str, word: str, why: str) -> Refusal | None:
        """Ask the trader to open or close a door: registration, guests, the arena."""
        if word not in DOORS.get(setting, ()):
            return Refusal("refuse.field", field=setting if setting in DOORS else "setting")
        if refusal := _why_refusal(why) or (None if word == SHUT else self._unproved(user)):
            return refusal
        return self._ask(user, "setting", {"setting": setting, "value": word, "why": why})

    @operating
    def say(self, user: SessionUser, banner: Banner | None) -> Refusal | None:
        """Ask the trader to put the banner over every page; None takes it away."""
        try:
            if banner is not None:
                banner_text(banner)
        except ValueError:
            return Refusal("refuse.operator.banner", most=BANNER_CHARS)
        ko, en = (banner.ko, banner.en) if banner else ("", "")
        return self._ask(user, "setting", {"setting": "banner", "ko": ko, "en": en})

    @operating
    def set_rates(self, user: SessionUser, value: str, why: str) -> Refusal | None:
        """
        Ask the trader to set won for one USDT by date (`1390,2026-03-01=1402.5`), or (DEFAULT) to have none.

        Like the banner it is only shown, and can be taken back: it wants no proof.
        """
        if refusal := _why_refusal(why) or _rates_refusal(value):
            return refusal
        return self._ask(user, "setting", {"setting": KRW, "value": value, "why": why})

    @operating
    def set_limit(self, user: SessionUser, name: str, value: str, why: str, *, loosen: bool) -> Refusal | None:
        """Ask the trader to set a platform limit, or (DEFAULT) to take the environment's; never looser than that."""
        if refusal := _why_refusal(why) or self._limit_refusal(name, value):
            return refusal
        if loosen and (refusal := self._unproved(user)):
            return refusal
        args = {"setting": f"limit:{name}", "value": value, "why": why, "loosen": "yes" if loosen else "no"}
        return self._ask(user, "setting", args)

    @operating
    def set_model(self, user: SessionUser, wish: ModelWish, why: str) -> Refusal | None:
        """
        Ask the trader to put a model on the list, or to change what one costs, may cost a day and is offered.

        What people's decisions may come from wants a proof. The trader knows the list, and may refuse.
        """
        if refusal := _why_refusal(why) or _model_refusal(wish) or self._unproved(user):
            return refusal
        return self._ask(user, "setting", wish.args | {"why": why})

    def _limit_refusal(self, name: str, value: str) -> Refusal | None:
        if name not in LIMIT_BOUNDS:
            return Refusal("refuse.field", field="limit")
        if value == DEFAULT:
            return None
        try:
            read_limit(name, value)
        except ValueError:
            bounds = LIMIT_BOUNDS[name]
            return Refusal("refuse.operator.limit", least=str(bounds.least), most=f"{bounds.most:f}")
        if loosens(name, None, value, self._ports.limits):
            return Refusal("refuse.operator.looser", usual=f"{getattr(self._ports.limits, name)}")
        return None

    def _unproved(self, user: SessionUser) -> Refusal | None:
        return unproved(user, self._ports.clock.now_ms())

    # --- the rows -------------------------------------------------------------------------------------------------

    def _ask(self, user: SessionUser, kind: ActKind, args: Mapping[str, str]) -> Refusal | None:
        begun = self._begin(user, kind, 0, args)
        return begun if isinstance(begun, Refusal) else None

    def _done(
        self,
        user: SessionUser,
        kind: ActKind,
        account_id: int,
        args: Mapping[str, str],
        work: Callable[[], Refusal | Reason],
    ) -> Refusal | None:
        """Write the act, do it, write what became of it. *Retry* when it was not done: the database is away."""
        begun = self._begin(user, kind, account_id, args)
        if isinstance(begun, Refusal):
            return begun
        try:
            result = work()
        except NoSuchAccountError:
            result = Refusal("refuse.operator.account", why=codes.NO_SUCH_ACCOUNT(account=account_id))
        except Retry as busy:
            self._end(begun, codes.OPERATOR_NOT_DONE(why=busy.why))
            raise
        self._end(begun, result.why if isinstance(result, Refusal) else result)
        return result if isinstance(result, Refusal) else None

    def _end(self, act_id: int, result: Reason) -> None:
        try:
            self._ports.acts.end(act_id, result)
        except Retry as busy:
            # what was done is done; its row says that nobody knows
            _log.warning("operator.act_unended", act=act_id, why=str(busy))

    def _begin(self, user: SessionUser, kind: ActKind, account_id: int, args: Mapping[str, str]) -> int | Refusal:
        act = NewAct(user.user_id, kind, account_id, args, user.network, self._ports.clock.now_ms())
        try:
            act_id = self._ports.acts.begin(act)
        except NoOperator:
            return NOTHING_HERE
        except NoSuchSubject:
            return Refusal("refuse.operator.account", why=codes.NO_SUCH_ACCOUNT(account=account_id))
        _log.warning("operator.act", act=act_id, kind=kind, account=account_id, who=signed(user.user_id))
        return act_id


def _why_refusal(why: str) -> Refusal | None:
    fits = bool(why.strip()) and len(why) <= LONGEST_WHY and not has_unseen(why)
    return None if fits else Refusal("refuse.operator.why", most=LONGEST_WHY)


def _rates_refusal(value: str) -> Refusal | None:
    if len(value) > LONGEST_RATES:
        return Refusal("refuse.operator.rates_long", most=LONGEST_RATES)
    try:
        if value != DEFAULT:
            read_named(value)
    except WrongRate as wrong:
        return Refusal("refuse.operator.rates", part=wrong.line)
    return None


def _model_refusal(wish: ModelWish) -> Refusal | None:
    """What can be told of a wish without the list: its amounts, and of a new model the rest."""
    blank = KeptModel(ModelProfile(wish.name, wish.name, "https://api.example.com/v1", wish.name), 0, "", 0)
    is_new = bool(wish.base_url or wish.model)
    try:
        profile = wish.over(None if is_new else blank).profile
    except ValueError:
        return Refusal("refuse.model.price")
    # a budget of a model whose price we know is fine: the trader fills it in
    known = replace(profile, prices=profile.prices if profile.prices.known else AnalystPrices(free=True))
    flaw = flaw_of(known)
    return Refusal(f"refuse.model.{flaw}") if flaw else None


def _name_refusal(name: str, field: str) -> Refusal | None:
    fits = 0 < len(name) <= LONGEST_NAME and name.isascii() and not has_unseen(name)
    return None if fits else Refusal("refuse.field", field=field)
