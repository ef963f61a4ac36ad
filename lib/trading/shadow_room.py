"""
Shadows are asked here: other versions and models about the window that a cycle has traded by, once it has ended.

    what the cycle asked about → whose turn it is → budgets → claim → one answer per question → what became of each

The room has no exchange, no orders, no plan and no claim of an order: it is given ports that read, the models, and the
book of shadows. What comes of it is a row of that book and a call that counts on nobody's budget of trading; nothing
is handed back. It begins when the orders of T are out, asks behind everybody else, and ends before the next T: what
does not fit is dropped with its reason. Of two processes the one that writes a turn down first asks.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol

from lib import log
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits, Slot
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import SHADOW, AnalystAnswer, CycleKey, CycleRecord, shadow_of
from lib.domain.bucket import Bucket, bucket_of
from lib.domain.candle import Candle, interval_ms
from lib.domain.decision import Abstained
from lib.domain.errors import Retry, Skip
from lib.domain.input_blocks import shown_text
from lib.domain.model_profile import DEFAULT_CHAIN, is_own
from lib.domain.opinions import Opinion
from lib.domain.order import CYCLE_MS, Order
from lib.domain.position import ZERO
from lib.domain.pricing import AnalystPrices
from lib.domain.reason import NOTHING, Reason
from lib.domain.shadow import (
    Shadow,
    ShadowEnd,
    ShadowStake,
    ShadowTry,
    ShadowUse,
    is_turn,
    over_budget,
    over_platform,
    over_share,
)
from lib.domain.strategy import settings_with
from lib.ports.analyst import Analyst
from lib.ports.ledger import CycleLedger, Spending
from lib.ports.market import AsyncCandleReader, AsyncMeasureReader
from lib.ports.models import ModelDesk
from lib.ports.news import AsyncNewsReader
from lib.ports.shadows import ShadowBook
from lib.trading.asked import AskedAbout, AskedSymbol
from lib.trading.context import due
from lib.trading.cycle.chain import Purse, ask_chain
from lib.trading.cycle.prompt import asked_sha256, asked_with, candle_fields, cycle_key
from lib.trading.cycle.sight import NewestCandles, Sight, Sights, gathered
from lib.trading.turns import Turns, Urgency

LOG = log.get("trading.shadows")
LATE_MS = 180_000
"""From T: what begins later would not end before the next one."""
END_MS = CYCLE_MS - 15_000
"""From T: by then every answer has come or is dropped."""
LEAST_S = 10.0
"""Less time than this is not begun with."""


class LastEntries(Protocol):
    """By which entry a position stands."""

    async def last_entry(self, slot: Slot) -> Order | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowMeans:
    """
    All a room has: *asked* is what the cycle leaves of what it asked about, *cycles* the stored answers, *limits* the
    platform's of this moment; the rest as in a `TradingContext`.
    """

    asked: AskedAbout
    book: ShadowBook
    cycles: CycleLedger
    entries: LastEntries
    limits: Callable[[], Awaitable[PlatformLimits]]
    candles: AsyncCandleReader
    measures: AsyncMeasureReader
    news: AsyncNewsReader
    analyst: Analyst
    model: str
    prices: AnalystPrices
    models: ModelDesk | None
    turns: Turns
    clock: Clock
    feed: str
    holder: str
    analyst_budget_s: float


@dataclass(frozen=True, slots=True)
class _AsOf:
    """Candles that had closed by T, however late they are read."""

    candles: AsyncCandleReader
    t_ms: int
    late_ms: int

    async def newest(self, symbol: str, interval: str, count: int) -> list[Candle]:
        step_ms = interval_ms(interval)
        found = await self.candles.newest(symbol, interval, count + self.late_ms // step_ms + 1)
        return [one for one in found if one.open_time + step_ms <= self.t_ms][-count:]


@dataclass(frozen=True, slots=True)
class _AsOfT:
    """`Sources` of T."""

    candles: NewestCandles
    measures: AsyncMeasureReader
    news: AsyncNewsReader


@dataclass(frozen=True, slots=True)
class _Questioner:
    """An `Asker` for what is left of the time until the next T; costs of shadows are counted on their own budgets."""

    analyst: Analyst
    model: str
    prices: AnalystPrices
    models: ModelDesk | None
    analyst_budget_s: float
    turns: Turns
    spending: Spending


@dataclass(frozen=True, slots=True)
class _Turn:
    """*shadow* at T, beside *account*: *view* is the account as the shadow's version would ask for it."""

    shadow: Shadow
    account: TraderAccount
    view: TraderAccount
    about: AskedSymbol
    attempt: ShadowTry

    @property
    def blocks(self) -> bool:
        """Whether it is shown more than the candles."""
        return bool(self.shadow.content.inputs)


@dataclass(slots=True)
class _Question:
    """One question: *key* is the shadows' own, *base* the same question where an account trades by it."""

    key: CycleKey
    base: CycleKey
    sight: Sight
    turns: list[_Turn] = field(default_factory=list)


class ShadowRoom:
    """Over *means*; nothing of one T is remembered at the next."""

    def __init__(self, means: ShadowMeans) -> None:
        self._means = means
        self._book = means.book

    async def answer(self, t_ms: int) -> None:
        """Ask the shadows whose turn it is beside what was asked at *t_ms*. *Retry* when the book is away."""
        about = self._means.asked.take(t_ms)
        people = {account.user_id for one in about.values() for account, _ in one.accounts.values()}
        if not about or not (shadows := await self._book.running(people)):
            return
        limits = await self._means.limits()
        turns = await self._turns(t_ms, about, _within(shadows, limits))
        left = await self._afforded(t_ms, turns, limits)
        questions = await self._questions(t_ms, left)
        claimed = set(await self._book.claim([turn.attempt for one in questions for turn in one.turns]))
        for one in questions:
            one.turns = [turn for turn in one.turns if turn.attempt in claimed]
        await asyncio.gather(*(self._settle(t_ms, one) for one in questions if one.turns))
        LOG.info("shadows.done", t_ms=t_ms, turns=len(turns), asked=len(claimed))

    async def _turns(
        self, t_ms: int, about: Mapping[str, AskedSymbol], shadows: Mapping[int, Sequence[Shadow]]
    ) -> list[_Turn]:
        """Every shadow whose turn it is, in each symbol; *beside_id* 0 where the trading version was not asked."""
        seen = [
            (one, account, key)
            for one in about.values()
            for account, key in one.accounts.values()
            if account.user_id in shadows and due(account, self._means.feed, t_ms) and not account.is_guest
        ]
        ids = {key: await self._book.call_id(key) or 0 for key in {key for _, _, key in seen}}
        return [
            self._turn(t_ms, one, account, shadow, ids[key])
            for one, account, key in seen
            for shadow in shadows[account.user_id]
            if is_turn(shadow.budget, account.symbol, _symbols(account), t_ms, account.settings.cadence_min)
        ]

    def _turn(self, t_ms: int, about: AskedSymbol, account: TraderAccount, shadow: Shadow, beside_id: int) -> _Turn:
        view = replace(account, settings=settings_with(shadow.content, account.settings))
        attempt = ShadowTry(shadow.shadow_id, account.user_id, account.account_id, account.symbol, t_ms, beside_id)
        return _Turn(shadow, account, view, about, attempt)

    async def _afforded(self, t_ms: int, turns: Sequence[_Turn], limits: PlatformLimits) -> list[_Turn]:
        """Those of *turns* that may be asked; the others are dropped."""
        used, paid = dict(await self._book.used(t_ms)), await self._book.paid(t_ms)
        stakes = {turn.shadow.user_id: ShadowStake(turn.shadow.budget) for turn in turns}
        stakes |= await self._book.stakes(t_ms)
        left, dropped = list[_Turn](), list[tuple[ShadowTry, ShadowEnd]]()
        for turn in sorted(turns, key=lambda one: (one.shadow.shadow_id, one.account.symbol)):
            mine = used.get(turn.shadow.shadow_id, ShadowUse())
            stake, its_own = stakes[turn.shadow.user_id], is_own((asked_with(turn.view).models or DEFAULT_CHAIN)[0])
            budget = over_budget(turn.shadow.budget, mine) or over_platform(limits, paid)
            budget = budget or over_share(limits, stakes, turn.shadow.user_id, is_own=its_own)
            if why := self._unfit(turn, t_ms) or budget:
                dropped.append((turn.attempt, ShadowEnd(why=why)))
                continue
            used[turn.shadow.shadow_id], paid = mine.plus(), paid.plus()
            stakes[turn.shadow.user_id] = replace(stake, used=stake.used.plus())
            left.append(turn)
        await self._drop(dropped)
        return left

    def _unfit(self, turn: _Turn, t_ms: int) -> Reason:
        """Why it is not asked at all; `NOTHING` = it is."""
        model = self._means.model
        if asked_sha256(turn.view, model) == asked_sha256(turn.account, model):
            return codes.SHADOW_SAME()
        if not turn.attempt.beside_id:
            return codes.SHADOW_BESIDE_NOTHING()
        is_late = self._means.clock.now_ms() - t_ms > LATE_MS or self._left_s(t_ms) < LEAST_S
        return codes.SHADOW_LATE() if is_late else NOTHING

    def _left_s(self, t_ms: int) -> float:
        return (t_ms + END_MS - self._means.clock.now_ms()) / 1000

    # --- what they are shown ------------------------------------------------------------------------------------------

    async def _questions(self, t_ms: int, turns: Sequence[_Turn]) -> list[_Question]:
        """*turns* by question; those whose material cannot be had as of T are dropped."""
        found: dict[CycleKey, _Question] = {}
        for symbol in sorted({turn.account.symbol for turn in turns}):
            here = [turn for turn in turns if turn.account.symbol == symbol]
            for turn, sight in await self._sights(t_ms, symbol, here):
                base = cycle_key(self._means.feed, turn.view, t_ms, self._means.model, sight.shown)
                key = replace(base, prompt_group=shadow_of(base.prompt_group))
                found.setdefault(key, _Question(key, base, sight)).turns.append(turn)
        return list(found.values())

    async def _sights(self, t_ms: int, symbol: str, turns: Sequence[_Turn]) -> list[tuple[_Turn, Sight]]:
        """What each of *turns* about *symbol* is shown: the cycle's window, and blocks as of T."""
        plain = [(turn, Sight(turn.about.window)) for turn in turns if not turn.blocks]
        shown = [turn for turn in turns if turn.blocks]
        try:
            return plain + (await self._shown(t_ms, symbol, shown) if shown else [])
        except Retry as away:
            await self._drop([(turn.attempt, ShadowEnd(why=codes.INPUT_UNREAD(why=away.why))) for turn in shown])
            return plain

    async def _shown(self, t_ms: int, symbol: str, turns: Sequence[_Turn]) -> list[tuple[_Turn, Sight]]:
        means = self._means
        late_ms = max(means.clock.now_ms() - t_ms, 0)
        blocks = sorted({block for turn in turns for block in turn.shadow.content.inputs}, key=lambda one: one.name)
        sources = _AsOfT(_AsOf(means.candles, t_ms, late_ms), means.measures, means.news)
        material = await gathered(sources, symbol, t_ms, blocks)
        buckets = {turn.account.account_id: await self._bucket(turn, t_ms) for turn in turns}
        known = {number: bucket for number, bucket in buckets.items() if bucket is not None}
        lost = [turn for turn in turns if _is_placed(turn) and turn.account.account_id not in known]
        await self._drop([(turn.attempt, ShadowEnd(why=codes.SHADOW_POSITION_UNKNOWN())) for turn in lost])
        asked = {asked_sha256(turn.view, means.model): turn.account.symbol for turn in turns}
        said = {sha: await self._opinions(sha, of, t_ms) for sha, of in asked.items()}
        sights = Sights(turns[0].about.window, material, NOTHING, means.model, known, said)
        return [(turn, sights.of(turn.view)) for turn in turns if turn not in lost]

    async def _bucket(self, turn: _Turn, t_ms: int) -> Bucket | None:
        """Where the account stood at T; None = not known any more, since it has entered since."""
        account, price = turn.account, turn.about.window[-1].close
        if (known := turn.about.buckets.get(account.account_id)) is not None or not _is_placed(turn):
            return known
        entry = await self._means.entries.last_entry(account.slot) if account.booked_qty else None
        if entry is not None and entry.t_ms >= t_ms:
            return None
        prices = (entry.avg_price, entry.stop_loss) if entry else (ZERO, ZERO)
        return bucket_of(account.booked_qty, *prices, price)

    async def _opinions(self, asked: str, symbol: str, t_ms: int) -> Sequence[Opinion]:
        return await self._means.cycles.opinions(self._means.feed, symbol, shadow_of(asked), t_ms)

    # --- the answer ---------------------------------------------------------------------------------------------------

    async def _settle(self, t_ms: int, one: _Question) -> None:
        """One question, whatever comes of it: nothing here is anybody else's trouble."""
        try:
            async with asyncio.timeout(max(self._left_s(t_ms), 0.0)):
                end = await self._known(one) or await self._asked(t_ms, one)
        except (Retry, Skip) as held:
            end = ShadowEnd(why=held.why)
        except TimeoutError:
            end = ShadowEnd(why=codes.SHADOW_LATE())
        except Exception as bug:  # noqa: BLE001 - a shadow's bug is the shadow's
            LOG.error("shadow.failed", bug, t_ms=t_ms)
            end = ShadowEnd(why=codes.INTERNAL_ERROR(type=type(bug).__name__))
        try:
            await self._book.conclude([(turn.attempt, end) for turn in one.turns])
        except Retry as away:
            LOG.warning("shadow.unwritten", t_ms=t_ms, why=str(away))

    async def _known(self, one: _Question) -> ShadowEnd | None:
        """The answer that is there already: somebody trades by the same question, or another process asked it."""
        for key in (one.base, one.key):
            if (answer := await self._means.cycles.cycle(key)) is not None:
                return _end(answer, await self._book.call_id(key), is_shared=True)
        return None

    async def _asked(self, t_ms: int, one: _Question) -> ShadowEnd:
        """One call for everybody whose shadow it is."""
        means, first = self._means, one.turns[0]
        people = tuple(dict.fromkeys(turn.account.user_id for turn in one.turns))
        asked_of = asked_sha256(first.view, means.model)
        model = (asked_with(first.view).models or DEFAULT_CHAIN)[0]
        whose = first.account.user_id if is_own(model) else 0
        name = f"shadow {first.account.symbol} {asked_of} {whose}"
        wish = means.turns.announce(t_ms, name, Urgency.SHADOW, len(people), (whose, model))
        try:
            asked = await ask_chain(self._asker(t_ms), first.view, one.sight, wish, Purse(people))
        finally:
            means.turns.withdraw(wish)
        record = CycleRecord(
            one.key,
            f"{asked.prompt.system}\n\n{asked.prompt.user}",
            json.dumps([candle_fields(candle) for candle in one.sight.window], separators=(",", ":")),
            asked.answer,
            SHADOW,
            shadow_of(asked_of),
            shown_text(one.sight.shown),
            asked.calls,
            len(people),
            means.holder,
        )
        answer = await means.cycles.record_cycle(record)
        cost = asked.answer.cost
        end = _end(answer, await self._book.call_id(one.key))
        return replace(end, usd=None if cost is None else cost / len(people))

    def _asker(self, t_ms: int) -> _Questioner:
        means = self._means
        # the last seconds are for writing down what came
        budget_s = min(means.analyst_budget_s, self._left_s(t_ms) - LEAST_S / 2)
        return _Questioner(
            means.analyst, means.model, means.prices, means.models, max(budget_s, 0.0), means.turns,
            _Spent(means.book, means.cycles),
        )  # fmt: skip

    async def _drop(self, dropped: Sequence[tuple[ShadowTry, ShadowEnd]]) -> None:
        if dropped:
            await self._book.drop(dropped)


@dataclass(frozen=True, slots=True)
class _Spent(Spending):
    """What a shadow may still cost a model: shadows count among its calls here."""

    book: ShadowBook
    cycles: CycleLedger

    async def model_spent(self, owner_id: int, name: str, t_ms: int) -> Decimal:
        return await self.book.model_spent(owner_id, name, t_ms)

    async def person_spent(self, user_id: int, t_ms: int) -> Decimal:
        return await self.cycles.person_spent(user_id, t_ms)


def _within(shadows: Sequence[Shadow], limits: PlatformLimits) -> dict[int, list[Shadow]]:
    """Each person's, as many as the operator allows now, the oldest first."""
    found: dict[int, list[Shadow]] = {}
    for one in shadows:
        mine = found.setdefault(one.user_id, [])
        if len(mine) < limits.shadows:
            mine.append(one)
    return found


def _symbols(account: TraderAccount) -> list[str]:
    return [one.symbol for one in account.symbols if one.traded] or [account.symbol]


def _is_placed(turn: _Turn) -> bool:
    return any(block.kind == "position" for block in turn.shadow.content.inputs)


def _end(answer: AnalystAnswer, cycle_id: int | None, *, is_shared: bool = False) -> ShadowEnd:
    """An answer that did not come is a drop; one that cannot be read is an opinion like a hold."""
    why = answer.decision.why if answer.failed and isinstance(answer.decision, Abstained) else NOTHING
    return ShadowEnd(cycle_id, why, is_shared=is_shared)
