"""
A stateful machine over the in-process world: Hypothesis picks what happens next and shrinks what breaks.

Where the simulation walks seeds through virtual time, this one takes single steps and looks after each of them. The
exchange holds every accepted order against its promises (`World.violations`); at the end the world is healed and every
row must say what the exchange says.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lib.domain.errors import Retry
from lib.domain.order import TERMINAL, VERDICTS, OrderState
from lib.domain.position import ZERO
from lib.trading.guardian.task import Guardian
from lib.trading.orders.reconcile import reconcile
from tests.effort import examples
from tests.factories import REF
from tests.worlds.one_process import World
from tests.worlds.props import CREATE, Killed

ON_THE_WAY = ("drop_before", "drop_reply", "duplicate", "http_5xx_before", "http_5xx_after", "err_10000_after")
AT_THE_VENUE = ("err_10016_before", "err_10016_after", "rate_limit_past_reset", "async_reject", "no_fill", "drop_stop")
PATHS = (CREATE, "/v5/order/realtime", "/v5/order/history", "/v5/position/list", "/v5/position/set-leverage")
HEAL_S = (30, 30, 60)


class OrderMachine(RuleBasedStateMachine):
    """One account, one trader that may die at any call, an exchange that lies, a person who meddles."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = World()
        self.account_id = self.world.add_account()
        self.context, self.guardian = self.world.context, self.world.guardian
        self.meddled = False
        self.ended: dict[int, OrderState] = {}
        self.events_seen = 0

    def run(self, work: Coroutine[Any, Any, object]) -> None:
        """Carry *work* out on this machine's loop; a job that must wait or dies leaves the rest to the next one."""
        with suppress(Retry, Killed):
            self.loop.run_until_complete(work)

    # --- what the system does -----------------------------------------------------------------------------------------

    @rule(view=st.sampled_from(["buy", "sell", "hold"]))
    def cycle(self, view: Any) -> None:
        self.run(self.world.cycle(view, context=self.context))

    @rule()
    def the_same_cycle_again(self) -> None:
        self.run(self.world.again(context=self.context))

    @rule(path=st.sampled_from(PATHS), after=st.booleans(), view=st.sampled_from(["buy", "sell"]))
    def die_at(self, path: str, after: bool, view: Any) -> None:
        def die() -> None:
            raise Killed

        self.world.on(path, die, after=after)
        self.run(self.world.cycle(view, context=self.context))
        self.world.transport.before = self.world.transport.after = lambda request: None
        self.context = self.world.new_context()
        self.guardian = Guardian(self.context)
        self.run(reconcile(self.context, sweep=True))

    @rule()
    def reconciliation(self) -> None:
        self.run(reconcile(self.context, sweep=False))

    @rule()
    def guard(self) -> None:
        self.run(self.guardian.run_pass())

    # --- what the world does ------------------------------------------------------------------------------------------

    @rule(kind=st.sampled_from(ON_THE_WAY + AT_THE_VENUE), path=st.sampled_from((None, *PATHS)))
    def trouble(self, kind: str, path: str | None) -> None:
        self.world.fault(kind, path)

    @rule(effect=st.sampled_from(["applied", "lost"]))
    def unconfirmed_commit(self, effect: Any) -> None:
        self.world.ledger.commit_unknown = effect

    @rule(seconds=st.integers(1, 400))
    def time_passes(self, seconds: int) -> None:
        self.world.wait(seconds)

    @rule(percent=st.integers(-4, 4))
    def price_moves(self, percent: int) -> None:
        self.world.trade_at(str((REF * (100 + percent) / 100).quantize(Decimal("0.1"))))

    @precondition(lambda self: self.world.position().is_flat is False)
    @rule()
    def the_stop_is_lost(self) -> None:
        self.world.remove_stop()

    @rule(side=st.sampled_from(["buy", "sell"]))
    def a_person_trades_by_hand(self, side: str) -> None:
        self.meddled = True
        self.world.by_hand(side, "0.003")

    @rule()
    def the_key_is_replaced(self) -> None:
        self.world.rekey()

    # --- what must hold after every step ------------------------------------------------------------------------------

    @invariant()
    def the_exchange_saw_no_broken_promise(self) -> None:
        assert self.world.violations == []

    @invariant()
    def a_verdict_stands(self) -> None:
        for order in self.world.orders(self.account_id):
            before = self.ended.setdefault(order.id, order.state) if order.state in TERMINAL else None
            assert before in (None, order.state), f"{order.order_link_id}: {before} became {order.state}"
            if order.id in self.ended:
                assert order.state is self.ended[order.id]

    @invariant()
    def what_was_sent_is_never_called_unsent(self) -> None:
        for order in self.world.orders(self.account_id):
            if order.state in (OrderState.EXPIRED, OrderState.BLOCKED):
                assert order.attempts == 0

    def teardown(self) -> None:
        """Heal the world: then every row is terminal and says what the exchange says, and nothing is naked."""
        try:
            self._heal()
            self._hold_against_the_exchange()
        finally:
            self.loop.close()

    def _heal(self) -> None:
        world = self.world
        world.venue.faults.clear()
        world.ledger.commit_unknown = ""
        for seconds in HEAL_S:
            world.wait(seconds)
            self.run(reconcile(self.context, sweep=True))
            self.run(self.guardian.run_pass())

    def _hold_against_the_exchange(self) -> None:
        world = self.world
        rows = {order.order_link_id: order for order in world.orders(self.account_id)}
        there = {record.link_id: record for record in world.accepted(self.account_id) if record.status != "Rejected"}
        assert there.keys() <= rows.keys(), "an order of ours without a row"
        for link, row in rows.items():
            assert row.state in TERMINAL, f"{link} is still {row.state}"
            filled = there[link].filled if link in there else ZERO
            assert row.filled_qty == filled, f"{link}: booked {row.filled_qty}, the exchange has {filled}"
            if row.state in VERDICTS - {OrderState.REJECTED}:
                assert link in there, f"{link} is {row.state} and nowhere at the exchange"
        position = world.position(self.account_id)
        if not position.is_flat and not self.meddled:
            assert position.stop_loss > 0, "a position without a stop after healing"


OrderMachine.TestCase.settings = examples(
    60, stateful_step_count=20, derandomize=True, suppress_health_check=list(HealthCheck)
)
TestAnyOrderOfEventsKeepsThePromises = OrderMachine.TestCase
