"""
Who watches the promises where they can be broken: at the exchange, at the instant an order is accepted.

Everything is worked out here from the exchange's own books and from what was committed when, by rules written anew:
nothing of `lib.domain.risk` or of the guardian is called. A broken promise is a line in *violations*.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lib.domain.account import RISK_PROFILES, AccountSettings, PlatformLimits
from lib.domain.order import CYCLE_MS, LinkId, parse_link_id
from lib.domain.position import unrealised_pnl
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import Execution, OrderRecord, Trail
from tests.factories import SYMBOL
from tests.sim.budget import BudgetServer
from tests.sim.cabinet import Cabinet
from tests.sim.process import Process

WINDOW_MS, AGE_MS, SLACK_MS = 5_000, 90_000, 2_000
NAKED_MS = 30_000
TAKEOVER_MS = 20_000
"""A lease of an account ends twelve seconds after its owner; others look every three."""
CLOCK_MS = 900
MEMORY_MS = 10_000
"""How long a call made while the ledger was away may be under way."""
COLLAR = Decimal("0.003")
ROUNDING = Decimal("1.001")
JUMP = Decimal("0.06")
"""How far a price may have moved since an order was planned."""


@dataclass(slots=True)
class Held:
    """What the referee must remember of one symbol of an account."""

    symbol: str
    own: Decimal = Decimal(0)
    """What our entries hold, signed."""
    entry: str = ""
    """The link id of the newest of them."""
    stop: Decimal = Decimal(0)
    """The tightest stop of ours that the exchange accepted for the position of that entry; 0 = none."""
    entered_ms: int = 0
    """When that entry filled first."""
    trailed_ms: int = 0
    """When a trailing stop of ours was last accepted."""
    stops: dict[str, Decimal] = field(default_factory=dict)
    """The stop inside each entry, by its link id."""
    owned: deque[tuple[int, Decimal]] = field(default_factory=lambda: deque(maxlen=16))
    naked_since: int | None = None
    turned_down_ms: int = 0
    """When the exchange last ended a close of the guardian's unfilled: it is the exchange that keeps the position."""
    releveraged: bool = False


@dataclass(slots=True)
class Person:
    """One account with what the referee must remember of it."""

    account_id: int
    user_id: int
    uid: int
    settings: dict[int, AccountSettings] = field(default_factory=dict)
    """By settings_version."""
    off: tuple[str, int] = ("", 0)
    """Which switch is off, and since when."""
    key: tuple[int, int] = (1, 0)
    """The key's version, and since when."""
    cash: deque[tuple[int, Decimal]] = field(default_factory=lambda: deque(maxlen=64))
    guards: dict[Process, int] = field(default_factory=dict)
    """Where accounts are divided: who must guard this one, and since when."""
    excused: bool = False
    """Its key is dead: nobody can act for it any more."""
    held: dict[str, Held] = field(default_factory=dict)
    """By symbol."""
    symbols: tuple[str, ...] = (SYMBOL,)
    """Those it trades or traded."""
    taken_off: dict[str, int] = field(default_factory=dict)
    """Symbols its owner took off, and since when."""

    def on(self, symbol: str) -> Held:
        return self.held.setdefault(symbol, Held(symbol))


class Referee:
    """
    Hears of everything at *engine*; *now_ms* is the true time.

    *processes* are those who could act, as far as their clocks are *in_time*; where accounts are divided, *owns* says
    whose each account is, and its owner alone guards it.
    """

    def __init__(
        self,
        engine: Engine,
        cabinet: Cabinet,
        now_ms: Callable[[], int],
        in_time: Callable[[Process], bool],
        platform: PlatformLimits,
        owns: Callable[[Process, int], bool] | None = None,
    ) -> None:
        self._engine, self._cabinet, self._now_ms, self._in_time = engine, cabinet, now_ms, in_time
        self._owns = owns
        self._platform = platform
        self.traders = 1
        self.people: dict[int, Person] = {}
        self.processes: list[Process] = []
        self.violations: list[str] = []
        self.accepted: list[tuple[int, str, int]] = []
        """(uid, link id, at) of every order of ours."""
        self.rolled_back_ms = 0
        """When the database last lost commits."""
        self.worst_naked = 0
        self.worst_undisturbed = 0
        """Beside one trader whom no fault has hit; another may hold a close that nobody knows the end of."""
        self.worst_all_up = 0
        """With every trader up and hit by no fault, and the shared budget there."""
        self.budget: BudgetServer | None = None
        """Where the processes share a request budget: who was let through."""
        self.tightened = 0
        """Stops of ours that were accepted nearer to the price than every one before."""
        self.trailed = 0
        """Trailing stops of ours that were accepted."""
        self._entries: set[tuple[int, str, int]] = set()

    def add(self, person: Person) -> None:
        self.people[person.uid] = person
        self.note_switches()

    def note_switches(self) -> None:
        """Something may have been committed that stops entries: remember since when."""
        now = self._now_ms()
        for person in self.people.values():
            switches = self._cabinet.switches(person.account_id)
            if switches.off != person.off[0]:
                person.off = (switches.off, person.off[1] if switches.off and person.off[0] else now)
            if switches.key_version != person.key[0]:
                person.key = (switches.key_version, now)

    def note_lost(self) -> None:
        """The database lost its last commits: whatever of them stopped entries does so no more."""
        self.rolled_back_ms = now = self._now_ms()
        self.note_switches()
        for person in self.people.values():
            off = set(person.symbols) - self._cabinet.traded(person.account_id)
            person.taken_off = {symbol: person.taken_off.get(symbol, now) for symbol in person.symbols if symbol in off}

    # --- acceptance ---------------------------------------------------------------------------------------------------

    def accept(self, order: OrderRecord) -> None:
        """The exchange took *order*."""
        link, person = parse_link_id(order.link_id), self.people.get(order.uid)
        if link is None or person is None:
            return
        self.accepted.append((order.uid, order.link_id, order.created_ms))
        if order.reduce_only:
            self._judge_exit(order, person)
        else:
            self._judge_entry(order, link, person)

    def _judge_entry(self, order: OrderRecord, link: LinkId, person: Person) -> None:
        now = order.created_ms
        key = (order.uid, order.symbol, link.t_ms)
        self._require(key not in self._entries, "P1", order, "a second entry of this T")
        self._entries.add(key)
        late = now - link.t_ms
        self._require(late <= AGE_MS + WINDOW_MS + SLACK_MS, "P2", order, f"accepted {late} ms after its T")
        name, since = person.off
        self._require(not name or now - since <= WINDOW_MS + SLACK_MS, "P3", order, f"{now - since} ms after: {name}")
        if self.budget is not None:
            was_let = self.budget.use_grant(order.uid, now - WINDOW_MS - SLACK_MS)
            self._require(was_let, "budget", order, "sent without a place in the shared request budget")
        person.on(order.symbol).stops[order.link_id] = order.protection.stop_loss
        off = person.taken_off.get(order.symbol)
        taken_off = off is not None and now - off > WINDOW_MS + SLACK_MS
        self._require(not taken_off, "P3", order, "entered in a symbol that was taken off")
        self._judge_key(order, person, now)
        self._judge_caps(order, person, now)
        if not self.rolled_back_ms:  # what the database lost, it cannot count
            self._judge_platform(order)

    def _judge_key(self, order: OrderRecord, person: Person, now: int) -> None:
        row, (version, since) = self._cabinet.row(order.link_id), person.key
        if row is not None and row.key_version != version:
            self._require(now - since <= WINDOW_MS + SLACK_MS, "P3", order, f"{now - since} ms after a key change")

    def _judge_caps(self, order: OrderRecord, person: Person, now: int) -> None:
        stop, sign = order.protection.stop_loss, 1 if order.side == "buy" else -1
        self._require(stop > 0, "P5", order, "no stop attached")
        ref = order.price / (1 + sign * COLLAR)
        distance = (ref - stop) * sign / ref
        self._require(Decimal("0.0019") <= distance <= Decimal("0.0501"), "P5", order, f"stop at {distance:.4f}")
        gain = (order.protection.take_profit - ref) * sign / ref
        self._require(0 < gain <= min(Decimal("0.201"), 11 * distance), "P7", order, f"target at {gain:.4f}")
        row = self._cabinet.row(order.link_id)
        known = person.settings.get(row.settings_version) if row else None
        # of a row the database has lost nobody knows by which settings it was planned: by some of the person's
        broken = [self._broken_cap(order, person, s, now) for s in ([known] if known else person.settings.values())]
        self._require(not all(broken), "P7", order, next(iter(broken), ""))

    def _broken_cap(self, order: OrderRecord, person: Person, settings: AccountSettings, now: int) -> str:
        """Which cap of *settings* the entry breaks, "" when none."""
        ref = order.price / (1 + (1 if order.side == "buy" else -1) * COLLAR)
        level = RISK_PROFILES[settings.risk_level]
        cap = min(level.leverage_cap, settings.max_leverage)
        leverage = self._engine.books.holding(self._engine.accounts[order.uid], order.symbol).position.leverage
        is_hands = any(held.releveraged for held in person.held.values())
        equity, notional = (self._equity(person, now) + self._beside(person, order.symbol)) * ROUNDING, order.qty * ref
        side = 1 if order.side == "buy" else -1
        others = [one for one in person.held if one != order.symbol and self._signed(person, one)]
        alike = sum((max(self._signed(person, one) * side, Decimal(0)) for one in others), Decimal(0))
        margin = notional / max(Decimal(leverage), Decimal(1))
        risk = level.risk_per_trade if settings.risk_per_trade is None else settings.risk_per_trade
        at_risk, allowed = order.qty * abs(ref - order.protection.stop_loss), equity * min(risk, level.risk_per_trade)
        held = (
            (leverage <= cap or is_hands, f"leverage {leverage} over {cap}"),
            (notional <= equity * settings.limits.max_exposure, f"notional {notional}"),
            (self.rolled_back_ms or len(others) < settings.limits.max_positions, f"{len(others)} positions beside it"),
            (
                self.rolled_back_ms
                or not alike
                or notional + alike * settings.limits.correlation
                <= equity * settings.limits.max_exposure * (1 + 2 * COLLAR),
                f"notional {notional} beside {alike} of the same direction",
            ),
            (margin <= equity * settings.limits.max_margin or is_hands, f"margin {margin}"),
            (at_risk <= allowed * Decimal("1.01"), f"{at_risk} at risk of {allowed}"),
        )
        return next((why for holds, why in held if not holds), "")

    def _judge_platform(self, order: OrderRecord) -> None:
        entries = len(self._entries)
        self._require(entries <= self._platform.entries_per_day, "P7", order, f"the platform's entry {entries} today")
        exposure = sum((self._exposure(person) for person in self.people.values()), Decimal(0))
        most = self._platform.max_exposure * (1 + 2 * COLLAR)
        self._require(exposure <= most, "P7", order, f"the platform's exposure {exposure}")

    def _exposure(self, person: Person) -> Decimal:
        """What our entries hold, at its average price, and what they may become, at their limit."""
        return sum((abs(self._signed(person, symbol)) for symbol in person.symbols), Decimal(0))

    def _signed(self, person: Person, symbol: str) -> Decimal:
        """The same in one symbol, negative for a short."""
        account, own = self._engine.accounts[person.uid], person.on(symbol).own
        holding = account.holdings.get(symbol)
        held = own * holding.position.avg_entry_price if holding is not None else Decimal(0)
        ours = (o for o in account.orders.values() if not o.reduce_only and parse_link_id(o.link_id) is not None)
        mine = (o for o in ours if o.symbol == symbol)
        return held + sum(((o.qty - o.filled) * o.price * (1 if o.side == "buy" else -1) for o in mine), Decimal(0))

    def _beside(self, person: Person, symbol: str) -> Decimal:
        """What the positions in other symbols may have been worth to the account when the order was planned."""
        holdings = self._engine.accounts[person.uid].holdings
        others = [one.position for name, one in holdings.items() if name != symbol and one.position.qty]
        gained = sum((unrealised_pnl(one, self._engine.books.mark(one.symbol)) for one in others), Decimal(0))
        moved = sum((abs(one.qty) * one.avg_entry_price for one in others), Decimal(0)) * JUMP
        return max(gained, Decimal(0)) + moved

    def _equity(self, person: Person, now: int) -> Decimal:
        """The most cash the account had while the order may have been planned."""
        recent = [cash for at, cash in person.cash if at >= now - AGE_MS - WINDOW_MS - SLACK_MS]
        before = [cash for at, cash in person.cash if at < now - AGE_MS - WINDOW_MS - SLACK_MS]
        return max([*recent, *before[-1:]], default=Decimal(0))

    def _judge_exit(self, order: OrderRecord, person: Person) -> None:
        now = order.created_ms
        here = person.on(order.symbol)
        before = [own for at, own in here.owned if at < now - 15_000]
        held = [here.own, *before[-1:], *(own for at, own in here.owned if at >= now - 15_000)]
        most = max(abs(own) for own in held)
        self._require(order.qty <= most, "P7", order, f"closes {order.qty}, ours were {most}")

    def stop_accepted(self, uid: int, symbol: str, stop: Decimal, ledger_failed_ms: int) -> None:
        """P9: a trading-stop of ours was accepted (nobody else makes one); when the ledger last failed somebody."""
        person = self.people.get(uid)
        if person is None or not (here := person.on(symbol)).own:
            return
        standing = self._engine.books.holding(self._engine.accounts[uid], symbol).position.stop_loss
        sign = 1 if here.own > 0 else -1
        if (stop - here.stop) * sign >= 0:
            self.tightened += stop != here.stop
            here.stop = stop
        elif not self._may_be_from_memory(standing, ledger_failed_ms):
            self.violations.append(f"P9 {here.entry}: a stop at {stop} after one at {here.stop}")

    def trail_accepted(self, uid: int, symbol: str, wanted: Trail) -> None:
        """
        P9 of the exchange's own trailing: it only tightens by itself, and no call of ours begins it anew farther away.

        The twin of a call may arrive within its window; what the exchange moved in between is the exchange's.
        """
        person = self.people.get(uid)
        if person is None or not (here := person.on(symbol)).own:
            return
        account, now = self._engine.accounts[uid], self._now_ms()
        child = account.orders.get(self._engine.books.holding(account, symbol).trail_id)
        is_twin = now - here.trailed_ms <= WINDOW_MS + SLACK_MS
        if child is not None and not child.trail.active_price and not is_twin:
            sign, mark = (1 if here.own > 0 else -1), self._engine.books.mark(symbol)
            begins = mark - sign * wanted.distance
            if wanted.active_price or (begins - child.trigger_price) * sign < 0:
                self.violations.append(f"P9 {here.entry}: trailing begins anew behind {child.trigger_price}")
        here.trailed_ms = now
        self.trailed += 1

    def _may_be_from_memory(self, standing: Decimal, ledger_failed_ms: int) -> bool:
        """Whether the stop was gone while the ledger was away, or the database has lost moves."""
        is_away = self._now_ms() - ledger_failed_ms <= MEMORY_MS
        return bool(self.rolled_back_ms) or (not standing and is_away)

    def _require(self, holds: bool, promise: str, order: OrderRecord, why: str) -> None:
        if not holds:
            self.violations.append(f"{promise} {order.link_id}: {why}")

    # --- positions ----------------------------------------------------------------------------------------------------

    def see(self, topic: str, uid: int, subject: Any) -> None:
        """The exchange tells of a change."""
        person = self.people.get(uid)
        if person is None:
            return
        if topic == "wallet":
            person.cash.append((self._engine.last_advanced_ms, subject.cash))
        elif topic == "execution":
            self._count(person, subject)
        elif topic == "order":
            self._hear_end(person, subject)
        elif topic == "position":
            position = subject[1].position
            own = person.on(position.symbol).own
            ours = own != 0 and (own > 0) == (position.qty > 0) and position.qty != 0
            self._see(
                person, person.on(position.symbol), ours and not position.stop_loss, self._engine.last_advanced_ms
            )

    def _hear_end(self, person: Person, order: OrderRecord) -> None:
        link = parse_link_id(order.link_id)
        if link is not None and link.leg == "g" and order.status in ("Cancelled", "Rejected"):
            person.on(order.symbol).turned_down_ms = order.updated_ms

    def _count(self, person: Person, execution: Execution) -> None:
        if execution.exec_type not in ("Trade", "BustTrade"):
            return
        here = person.on(execution.symbol)
        signed = execution.qty if execution.side == "buy" else -execution.qty
        link = parse_link_id(execution.link_id)
        if link is not None and link.leg == "e":
            here.own += signed
            if here.entry != execution.link_id:
                here.entry, here.stop = execution.link_id, here.stops.get(execution.link_id, Decimal(0))
                here.entered_ms, here.trailed_ms = execution.at_ms, 0
        elif here.own * signed < 0:
            here.own = here.own + signed if abs(signed) < abs(here.own) else Decimal(0)
        here.owned.append((execution.at_ms, here.own))

    def _see(self, person: Person, here: Held, is_naked: bool, at: int) -> None:
        if is_naked and here.naked_since is None:
            here.naked_since = at
        elif not is_naked and here.naked_since is not None:
            self._measure(person, here, at)
            here.naked_since = None

    def look(self) -> None:
        """A position may be naked without anything happening: measure what lasts."""
        for person in self.people.values():
            if self._owns is not None:
                self._note_guards(person, self._owns)
            for here in person.held.values():
                if here.naked_since is not None:
                    self._measure(person, here, self._now_ms())

    def _measure(self, person: Person, here: Held, at: int) -> None:
        since, known = here.naked_since, self._known_since(here)
        if since is None or person.excused or known is None:
            return
        self.worst_naked = max(self.worst_naked, at - since)
        since = max(since, known, here.turned_down_ms)
        clear = [at - max(since, *starts) for starts in self._up(person)]
        undisturbed = max(clear, default=0)
        if self.budget is None or self.budget.troubled_ms < since:
            self.worst_undisturbed = max(self.worst_undisturbed, undisturbed)
            if len(clear) == self.traders:
                self.worst_all_up = max(self.worst_all_up, min(clear))
        if undisturbed > NAKED_MS:
            self.violations.append(f"P5 uid {person.uid}: no stop for {undisturbed} ms beside an undisturbed trader")
            person.excused = True

    def _known_since(self, here: Held) -> int | None:
        """From when on somebody must guard the entry: a database that lost commits has until the next cycle."""
        row = self._cabinet.row(here.entry)
        if row is None:
            return None
        if row.created_ms > self.rolled_back_ms:
            return row.created_ms
        return self.rolled_back_ms - self.rolled_back_ms % CYCLE_MS + CYCLE_MS + NAKED_MS

    def _up(self, person: Person) -> Iterable[tuple[int, int, int]]:
        for process in self.processes:
            # with a clock beyond what is tolerated it can repair a stop, but not close
            if process.up_since_ms is not None and not process.stopped and self._in_time(process):
                if self._owns is None:
                    yield process.up_since_ms, process.clear_since_ms, 0
                elif process in person.guards:
                    yield process.up_since_ms, process.clear_since_ms, person.guards[process]

    def _note_guards(self, person: Person, owns: Callable[[Process, int], bool]) -> None:
        """Who must guard the account, and since when: its owner, or without one everybody who may take it over."""
        alive, now = [one for one in self.processes if not one.is_dead], self._now_ms()
        owners = [one for one in alive if owns(one, person.account_id)]
        since = now if owners else now + TAKEOVER_MS
        person.guards = {one: person.guards.get(one, since) for one in owners or alive}
