"""
What operators ask for on the web and the trader alone may do: settle an order by hand, change a platform setting.

An act is taken by the leading trader, once, and ends with one reason. It is the same use-case as the terminal's, with
one rule more: a limit asked for on the web never becomes looser than this process's environment, so that a web that was
taken over cannot loosen one. An act that waited too long is not carried out, and one that fails takes no other with it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lib import log
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.domain.model_wish import SETTING
from lib.domain.operator_act import OperatorAct
from lib.domain.order import TERMINAL, OrderState
from lib.domain.platform_settings import BANNER, KRW, LIMIT_BOUNDS, Banner, SettingChange
from lib.domain.reason import Reason
from lib.ports.exchange import Exchanges
from lib.ports.ledger import Ledger
from lib.ports.operators import RequestedActs
from lib.trading.model_requests import ModelRequests
from lib.trading.orders.settle_by_hand import Word, ask_again, settle
from lib.trading.platform_desk import WORDS, PlatformDesk, SettingRefused, said

LOG = log.get("trading.operators")
TOO_LATE_MS = 60_000
LIMIT = "limit:"
LOOSER = "looser than the environment: that takes a terminal"


@dataclass(slots=True)
class OperatorRequests:
    """Takes the acts that wait for a trader, carries them out and writes what became of them."""

    acts: RequestedActs
    ledger: Ledger
    exchanges: Exchanges
    desk: PlatformDesk
    clock: Clock
    holder: str
    lease_ms: int
    models: ModelRequests | None = None
    """The list of models; None = it is not changed here."""
    _taking: bool = field(default=False)

    async def run_pass(self) -> None:
        """Take what waits and carry it out, one after another; *Retry* when the database is away."""
        if self._taking:
            return
        self._taking = True
        try:
            if not await self.acts.waiting():
                return
            if await self.ledger.hold_lease(self.holder, self.lease_ms) is None:
                return
            for act in await self.acts.take(self.clock.now_ms()):
                await self._carry_out(act)
        finally:
            self._taking = False

    async def _carry_out(self, act: OperatorAct) -> None:
        try:
            result = await self._result(act)
        except Retry as busy:
            result = codes.OPERATOR_NOT_DONE(why=busy.why)
        except Exception as bug:  # noqa: BLE001 - one act's failure is no other act's
            LOG.error("operator.act_failed", bug, act=act.id, kind=act.kind)
            result = codes.COMMAND_INTERRUPTED()
        LOG.warning("operator.act_done", act=act.id, kind=act.kind, who=act.who, result=result)
        try:
            await self.acts.done(act.id, result)
        except Retry as busy:
            # the others of this pass are taken already: nobody would carry them out later
            LOG.warning("operator.result_unwritten", act=act.id, why=str(busy))

    async def _result(self, act: OperatorAct) -> Reason:
        if self.clock.now_ms() - act.asked_ms > TOO_LATE_MS:
            return codes.COMMAND_TOO_LATE()
        try:
            if act.kind == "settle":
                return await self._settle(act)
            change = await asyncio.to_thread(self._setting(act.args), act)
        except SettingRefused as refused:
            return codes.OPERATOR_REFUSED_FOR(why=refused.why)
        except (ValueError, LookupError) as refused:
            return codes.OPERATOR_REFUSED(why=str(refused))
        if change is None:
            return codes.SETTING_UNCHANGED()
        if change.name == BANNER:
            return codes.OPERATOR_DONE()
        return codes.SETTING_CHANGED(before=_brief(change.before), after=_brief(change.after))

    # --- an order only a person can end ---------------------------------------------------------------------------

    async def _settle(self, act: OperatorAct) -> Reason:
        link, state = act.args["link"], act.args["state"]
        if state not in {one.value for one in TERMINAL}:
            raise ValueError(f"{state[:20]} ends no order")
        order = await self.ledger.order_by_link(link)
        if order is None:
            return codes.NO_SUCH_ORDER(link=link)
        evidence = await ask_again(self.ledger, self.exchanges, order)
        word = Word(OrderState(state), act.who, act.args["why"])
        against = await settle(self.ledger, order, evidence, word)
        if against:
            return against if codes.ORDER_CONTRADICTED.is_of(against) else codes.OPERATOR_REFUSED_FOR(why=against)
        return codes.ORDER_SETTLED(state=state.lower(), evidence=evidence.why)

    # --- platform settings ----------------------------------------------------------------------------------------

    def _setting(self, args: Mapping[str, str]) -> Callable[[OperatorAct], SettingChange | None]:
        """How to make the change that *args* name."""
        if args["setting"] in WORDS:
            return self._door
        if args["setting"] == "banner":
            return self._banner
        if args["setting"] == KRW:
            return self._rates
        if args["setting"].removeprefix(LIMIT) in LIMIT_BOUNDS:
            return self._limit
        if args["setting"].startswith(SETTING) and self.models is not None:
            return self.models.change
        raise ValueError("there is no such setting")

    def _door(self, act: OperatorAct) -> SettingChange | None:
        return self.desk.choose(act.args["setting"], act.args["value"], act.who, act.args["why"])

    def _banner(self, act: OperatorAct) -> SettingChange | None:
        ko, en = act.args["ko"], act.args["en"]
        return self.desk.say(Banner(ko, en) if ko or en else None, act.who)

    def _rates(self, act: OperatorAct) -> SettingChange | None:
        return self.desk.rates(act.args["value"], act.who, act.args["why"])

    def _limit(self, act: OperatorAct) -> SettingChange | None:
        name, value = act.args["setting"].removeprefix(LIMIT), act.args["value"]
        if self.desk.is_looser_than_environment(name, value):
            raise SettingRefused(codes.LIMIT_PAST_ENVIRONMENT(), LOOSER)
        loosen = act.args.get("loosen") == "yes"
        return self.desk.limit(name, value, act.who, act.args["why"], may_loosen=loosen)


def _brief(text: str | None) -> str:
    """A row's text as a reason has room for it."""
    return said(text)[:100]
