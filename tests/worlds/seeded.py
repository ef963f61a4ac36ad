"""
One world of one seed: an exchange, a ledger, people, and one to three trader processes in virtual time.

    chaos (faults at every port) → healing (none) → the last cycle → end checks

Everything between the analyst's raw answer and the exchange's books is the real code: parser, use-cases, signed client,
venue, engine. The same seed gives the same run.
"""

import asyncio
import json
import random
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any, cast

import redis.asyncio

from lib.adapters.bybit.limits.limiter import Limits, LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitAsyncMarket, BybitExchanges
from lib.adapters.redis.limiter import RedisLimits
from lib.domain.account import AccountSettings, PlatformLimits
from lib.domain.account_records import NewAccount
from lib.domain.candle import MINUTE_MS
from lib.domain.exit_rules import ExitRules
from lib.domain.fill_prices import EngineConfig
from lib.domain.order import CYCLE_MS, TERMINAL
from lib.domain.worker import Worker
from lib.simulator.engine.charges import USDT, FeeTerms
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import OrderRecord
from lib.simulator.venue.venue import Venue, VenueConfig
from lib.trading.commands import CommandRunner
from lib.trading.context import TradingContext
from lib.trading.guardian.task import Guardian
from lib.trading.kill_switch.stopper import Stopper
from lib.trading.part import Share, Whole
from lib.trading.state import TraderState
from lib.trading.trader import Trader
from tests.factories import INSTALLATION, SYMBOL, T, instrument
from tests.sim.budget import BudgetClient, BudgetServer
from tests.sim.cabinet import Cabinet, MemoryCabinet, SqliteCabinet
from tests.sim.crowd import Crowd, draw_settings
from tests.sim.events import plan_events
from tests.sim.hints import PrivateStreams
from tests.sim.loop import VirtualLoop
from tests.sim.market import SeededMarket, TwoMarkets, Weather
from tests.sim.network import Network
from tests.sim.ports import Border, CommandBox, MoodyAnalyst, ShakyCandles, ShakyLedger, ShakyTransport
from tests.sim.post import Post
from tests.sim.process import Process, live
from tests.sim.recovery import Recoveries
from tests.sim.referee import CLOCK_MS, Person, Referee
from tests.sim.temper import Temper, Trouble, draw_temper
from tests.worlds.props import OpenSeals

INSIDE = "http://127.0.0.1:1"
HISTORY_MS = 40 * MINUTE_MS
SWITCHING = ("pause", "set_flags", "set_account_flags")
"""What the traders themselves may write that keeps entries from being sent."""
ENDING = ("move", "close_order")
"""What may end a row."""
CHAOS_MS = 230_000
"""How long after the last T but one the world stays bad."""
LAST_CYCLE_MS = 45_000
"""How long the last, healthy cycle is given."""
HINTED, BUDGETED = 3 / 4, 1 / 6
"""Shares of the worlds with private streams and with a shared budget, which costs time."""
CHARGED = 1 / 3
"""Share of the accounts that may pay fees in another coin or be charged a tax."""
MANAGING = 1 / 2
"""Share of the people whose analyst answers in version 2."""
RULED = 3
"""In one of so many worlds strategies have exits by rule."""
DIVIDED = 1 / 4
"""Share of the worlds whose accounts are divided among workers."""
PAIRED, TWO = 1 / 3, 3 / 4
"""Share of the worlds with two symbols, and of the accounts there that trade both."""
NARROW = 1 / 5
"""Share of the worlds whose platform has room for few."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What kind of world a seed is."""

    cycles: int = 1
    traders: int = 1
    accounts: int = 2
    has_people: bool = False
    has_web: bool = False
    """Whether anybody may ask the traders for something."""
    lead_ms: int = 15_000
    """How long before the first T the world begins."""
    has_hints: bool = False
    """Whether the guardians follow private streams."""
    has_budget: bool = False
    """Whether the traders share one request budget in Redis; else each has its own."""
    is_divided: bool = False
    """Whether the accounts are divided among the processes, the first of which leads."""


def draw_shape(rng: random.Random) -> Shape:
    """Mostly short: the minutes between two cycles cost more than they show."""
    cycles, traders, accounts = rng.choice((1, 1, 2, 2, 3)), rng.choice((1, 1, 2, 2, 3)), rng.choice((2, 2, 3))
    has_people, has_web, lead_ms = rng.random() < 0.7, rng.random() < 0.3, rng.randint(3_000, 25_000)
    has_hints, has_budget = rng.random() < HINTED, rng.random() < BUDGETED
    return Shape(cycles, traders, accounts, has_people, has_web, lead_ms, has_hints, has_budget)


def divided(shape: Shape, rng: random.Random) -> Shape:
    """*shape*, in a share of the worlds with its accounts divided among two or three processes."""
    if rng.random() >= DIVIDED:
        return shape
    return replace(shape, is_divided=True, traders=rng.choice((2, 2, 3)), accounts=max(shape.accounts, 3))


def draw_platform(rng: random.Random) -> PlatformLimits:
    """Mostly far away; else so near that the people of a world meet it together."""
    if rng.random() >= NARROW:
        return PlatformLimits()
    return PlatformLimits(
        max_exposure=Decimal(rng.choice((1_500, 20_000, 5_000_000))), entries_per_day=rng.choice((1, 2, 4, 10_000))
    )


def draw_exits(rng: random.Random) -> ExitRules:
    """Rules as a person may choose them, mostly such as a short world shows."""
    even, minutes = rng.choice(("0", "0.5", "0.5", "1")), rng.choice((0, 0, 5, 6))
    trail, begins = rng.choice(("0", "0.5", "0.5", "1")), rng.choice(("0", "0", "0.25", "0.5"))
    return ExitRules(Decimal(even), minutes, Decimal(trail), Decimal(begins) if trail != "0" else Decimal(0))


class World:
    """Build it, `run` it, then ask `tests.sim.verdict` what became of it."""

    def __init__(
        self,
        seed: int,
        *,
        sqlite: bool = False,
        verbose: bool = False,
        temper: Temper | None = None,
        shape: Shape | None = None,
    ) -> None:
        self.seed, self.verbose = seed, verbose
        self.lines: list[str] = []
        self._context = copy_context()
        self.rng = rng = random.Random(seed)
        self._fees = random.Random(f"fees of {seed}")
        self._answers = random.Random(f"answers of {seed}")
        self._exits = random.Random(f"exits of {seed}")
        self.loop = VirtualLoop()
        drawn = draw_shape(rng)
        self.shape = shape or divided(drawn, random.Random(f"workers of {seed}"))
        self.first_t = T
        self.start_ms = T - self.shape.lead_ms
        self.heal_at = T + (self.shape.cycles - 1) * CYCLE_MS + CHAOS_MS
        self.last_t = T + self.shape.cycles * CYCLE_MS
        self.end_at = self.last_t + LAST_CYCLE_MS
        self.trouble = Trouble(rng, temper or draw_temper(rng))
        self.trouble.heals_at = self.heal_at
        self.symbols = random.Random(f"symbols of {seed}")
        self.has_two = self.symbols.random() < PAIRED
        self._build_exchange()
        self.cabinet: Cabinet = (SqliteCabinet if sqlite else MemoryCabinet)(self, INSTALLATION)
        self.platform = draw_platform(random.Random(f"platform of {seed}"))
        owns = self._owns if self.shape.is_divided else None
        self.referee = Referee(self.engine, self.cabinet, self.now_ms, self._in_time, self.platform, owns)
        self.referee.traders = self.shape.traders
        self._build_shared()
        self.recoveries = Recoveries(self.cabinet, self.referee.people, self.now_ms, self._is_calm)
        self.commands = CommandBox()
        self.post = Post(self.trouble, self.later, seed)
        self.network = Network(self.venue, self.trouble, self)
        self.crowd = Crowd(self)
        self.lives: list[Process] = []
        self._traders: dict[str, Trader] = {}
        for _ in range(self.shape.accounts):
            self._add_person()

    # --- Clock --------------------------------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """The true time; the ledger's and the exchange's too."""
        return self.start_ms + round(self.loop.now_s * 1000)

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError  # neither ledger nor exchange waits on the true time

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Do *act* in *seconds*."""
        self.loop.call_later(seconds, act, context=self._context)

    def story(self, line: str) -> None:
        """Tell what happened, when somebody reads along."""
        if self.verbose:
            self.lines.append(f"{(self.now_ms() - self.first_t) / 1000:9.3f}  {line}")

    # --- building -----------------------------------------------------------------------------------------------------

    def _build_exchange(self) -> None:
        rng = self.rng
        weather = Weather(
            rng.choice((0.0002, 0.0005, 0.001, 0.002)), rng.choice((0, 0, 0.05, 0.2)), rng.choice((0, 0, 0, 0.02))
        )
        first = (self.start_ms - HISTORY_MS) // MINUTE_MS * MINUTE_MS
        self.market: SeededMarket | TwoMarkets = SeededMarket(random.Random(rng.random()), first, weather)
        if self.has_two:
            second = SeededMarket(random.Random(self.symbols.random()), first, weather)
            self.market = TwoMarkets(self.market, second)
        self.market.wild = range(self.start_ms, self.heal_at)
        config = EngineConfig(match_delay_ms=rng.choice((20, 40, 600)))
        listed = {symbol: instrument(symbol=symbol) for symbol in self.market.symbols}
        self.engine = Engine(self.market, listed, config)
        self.engine.advance(self.start_ms)
        visible = rng.choice((0, 0, 500, 3_000))
        self.venue = Venue(self.engine, self, VenueConfig(ip_limit=None, visible_delay_ms=visible))

    def _build_shared(self) -> None:
        """What the processes have in common beside ledger and exchange."""
        self.streams = PrivateStreams(self.engine, self.later, self.advance) if self.shape.has_hints else None
        self.budget = self.referee.budget = BudgetServer(self) if self.shape.has_budget else None
        self.engine.on_accept, self.engine.on_stop = self._accepted, self._stop_accepted
        self.engine.on_trail = self.referee.trail_accepted
        self.engine.listen(self._changed)

    def _accepted(self, order: OrderRecord) -> None:
        self.referee.accept(order)
        if self.streams is not None:
            self.streams.accepted(order)

    def _stop_accepted(self, uid: int, symbol: str, stop: Decimal) -> None:
        self.referee.stop_accepted(uid, symbol, stop, self.trouble.ledger_failed_ms)

    def _changed(self, topic: str, uid: int, subject: object) -> None:
        self.referee.see(topic, uid, subject)
        if self.streams is not None:
            self.streams.changed(uid)

    def _add_person(self) -> None:
        people = self.cabinet.people
        user_id = people.add_user(f"person{len(self.referee.people)}@example.org", "!")
        person, settings = self.open_account(user_id), self._with_answers(draw_settings(self.rng))
        settings = self._with_ceiling(settings)
        people.change_settings(user_id, settings)
        people.set_auto_trade(user_id, True, self.start_ms - MINUTE_MS)
        person.settings[self.cabinet.switches(person.account_id).settings_version] = settings
        self.referee.add(person)

    def _with_answers(self, settings: AccountSettings) -> AccountSettings:
        """Some of the people's analysts may close; dice of their own, as with fees."""
        settings = replace(settings, answer_version=2 if self._answers.random() < MANAGING else 1)
        return replace(settings, exits=draw_exits(self._exits)) if self.seed % RULED == 0 else settings

    def _with_ceiling(self, settings: AccountSettings) -> AccountSettings:
        """In worlds with two symbols limits so near that two positions meet them."""
        if not self.has_two:
            return settings
        tight: dict[str, Any] = {
            "max_positions": self.symbols.choice((1, 2, 3)),
            "max_exposure": Decimal(self.symbols.choice(("0.4", "0.8", "3"))),
            "max_margin": Decimal(self.symbols.choice(("0.1", "0.5"))),
            "correlation": Decimal(self.symbols.choice((0, 1, 1))),
        }
        return replace(settings, limits=replace(settings.limits, **tight))

    def open_account(self, user_id: int) -> Person:
        """A fresh account at the exchange, registered in the place of the person's other; ValueError when in use."""
        balance = Decimal(self.rng.choice((300, 2_000, 10_000, 50_000)))
        account = self.engine.create_account(balance, terms=self._draw_terms())
        key = account.keys[0]
        new = NewAccount(
            user_id=user_id,
            venue="paper",
            feed="synthetic",
            uid=str(account.uid),
            symbol=SYMBOL,
            sealed_key=json.dumps([key.key, key.secret]),
            key_last4=key.key[-4:],
            key_version=1,
            start_balance=balance,
            opened_ms=self.now_ms(),
        )
        person = Person(self.cabinet.people.add_account(new), user_id, account.uid)
        person.cash.append((0, balance))
        if self.has_two and self.symbols.random() < TWO:
            person.symbols = TwoMarkets.symbols
            self.cabinet.people.choose_symbols(user_id, person.symbols, self.now_ms())
        return person

    def _draw_terms(self) -> FeeTerms:
        """Mostly a fee in USDT; its own dice, so that the worlds of before stay what they were."""
        if self._fees.random() >= CHARGED:
            return FeeTerms()
        return FeeTerms(self._fees.choice((USDT, "MNT")), self._fees.choice(("", "GST", "VAT")))

    def advance(self) -> None:
        """Let the exchange come to now."""
        self.engine.advance(self.now_ms())

    # --- processes ----------------------------------------------------------------------------------------------------

    def start_trader(self, slot: int) -> None:
        """A new process in *slot*, with nothing but what the ledger holds."""
        name, skew_ms = f"trader-{slot}.{len(self.lives)}", self._skew()
        process = Process(name, self.loop, self, skew_ms, lambda p, why: self._ended(slot, p, why))
        if self.lives:
            self.recoveries.started(process)
        self.lives.append(process)
        self.referee.processes = [p for p in self.referee.processes if not p.is_dead] + [process]
        self.story(f"{process.name} starts, clock {process.skew_ms:+} ms")
        self._traders[process.name] = self._trader(process, slot)
        life = self.loop.create_task(live(process, self._traders[process.name]))
        life.add_done_callback(partial(self._died, process))

    def terminate(self, process: Process) -> None:
        """SIGTERM to *process*."""
        self.story(f"{process.name} is told to end")
        drained = self.loop.create_task(self._traders[process.name].drain())
        drained.add_done_callback(lambda _: process.kill("drained"))

    def _died(self, process: Process, life: "asyncio.Task[None]") -> None:
        """A process must not end by a bug; nothing here drains one."""
        if not life.cancelled() and (bug := life.exception()) is not None:
            self.loop.troubles.append(f"{process.name} died of {bug!r}")
            process.kill(f"died of {bug!r}")

    def _skew(self) -> int:
        if self.trouble.healing:
            return 0
        if self.trouble.chance("skewed"):
            self.trouble.note("clock skew")
            return self.rng.randint(-6_000, 6_000)
        return self.rng.randint(-700, 700)

    def _ended(self, slot: int, process: Process, why: str) -> None:
        self.story(f"{process.name} ends: {why}")
        longest = min(50, max((self.heal_at - self.now_ms()) / 1000, 0) + 4)
        self.later(self.rng.uniform(1, longest), lambda: self.start_trader(slot))

    def _trader(self, process: Process, slot: int) -> Trader:
        border = Border(process, self.trouble, self)
        transport = ShakyTransport(self.network, border)
        limits = self._limits(border)

        def transport_for(_: str) -> ShakyTransport:
            return transport

        ledger, state = ShakyLedger(self.cabinet.ledger, border, self._written), TraderState()
        worker = Worker(process.name, "", 100)
        share = Share(worker, ledger, state, process) if self.shape.is_divided else None
        context = TradingContext(
            orders=ledger,
            books=ledger,
            limits=ledger,
            switches=ledger,
            cycles=ledger,
            notifier=ledger,
            exchanges=BybitExchanges(OpenSeals(), {"paper": INSIDE}, transport_for, process, limits),
            market=BybitAsyncMarket(INSIDE, {"paper": INSIDE}, transport_for, process, limits),
            candles=ShakyCandles(self.market, border),
            analyst=MoodyAnalyst(border, self.seed),
            clock=process,
            feed="synthetic",
            model="sim",
            installation=INSTALLATION,
            holder=process.name,
            platform=self.platform,
            state=state,
            part=share or Whole(),
        )
        command_runner = CommandRunner(context, self.commands, OpenSeals(), None) if self.shape.has_web else None  # type: ignore[arg-type]
        leads = slot == 0 or share is None
        stopper = Stopper(context, everybody=leads) if self.shape.has_people or self.shape.has_web else None
        hints = self.streams.open(border) if self.streams is not None else None
        guardian, calls = Guardian(context, hints), self.post.desk(border)
        trader = Trader(context, guardian, command_runner, stopper, leads=leads, share=share, calls=calls)
        self.post.boxes[process.name] = process, trader.called
        return trader

    def _limits(self, border: Border) -> Limits:
        if self.budget is None:
            return LocalLimiter(border.process, ip_calls=0)
        return RedisLimits(cast("redis.asyncio.Redis", BudgetClient(self.budget, border)), border.process)

    def _written(self, name: str) -> None:
        if name in SWITCHING:
            self.referee.note_switches()
        if name in ENDING:
            self.recoveries.written()

    # --- running ------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until the end."""
        for slot in range(self.shape.traders):
            self.later(self.rng.uniform(0, 3), partial(self.start_trader, slot))
        self._plan_events()
        self.later((self.heal_at - self.start_ms) / 1000, self._heal)
        self.later((self.end_at - self.start_ms) / 1000, self._end)
        self._look()
        if self.streams is not None:
            self.streams.watch_prices(self.now_ms())
        self.loop.run_forever()

    def _end(self) -> None:
        """Stop, but for an order of the last moments (by a rule of time, say), which has as long as others."""
        signed = max((row.signed_ts for row in self.cabinet.rows() if row.state not in TERMINAL), default=0)
        if self.end_at - LAST_CYCLE_MS < signed and self.now_ms() < min(signed, self.end_at) + LAST_CYCLE_MS:
            self.later(1, self._end)
        else:
            self.loop.stop()

    def _look(self) -> None:
        self.referee.look()
        self.later(10, self._look)

    def _plan_events(self) -> None:
        plan_events(self)

    def _heal(self) -> None:
        self.story("the world heals")
        self.trouble.healing = True
        self.engine.faults.clear()
        for process in self.lives:
            if not self._in_time(process):
                process.skew_ms = 0  # somebody sets the clock: with a wrong one nothing can be closed

    def _owns(self, process: Process, account_id: int) -> bool:
        trader = self._traders.get(process.name)
        return trader is not None and trader.context.part.owns(account_id)

    def _in_time(self, process: Process) -> bool:
        """Whether ledger and venue, whose clock may be off too, take what *process* stamps."""
        before_venue = process.skew_ms - (self.venue.now_ms() - self.now_ms())
        return abs(process.skew_ms) <= CLOCK_MS and before_venue <= CLOCK_MS

    def _is_calm(self, since_ms: int) -> bool:
        """Whether the shared budget has been well since then, and the clock of everybody who lives is right."""
        has_budget = self.budget is None or self.budget.troubled_ms < since_ms
        return has_budget and all(self._in_time(process) for process in self.lives if not process.is_dead)

    def close(self) -> None:
        """Forget the tasks that were still running."""
        for process in self.lives:
            process.is_dead = process.stopped = True
        self.cabinet.close()
        self.loop.wind_down()
