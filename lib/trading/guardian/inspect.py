"""
One look at one account: read the position, judge it, put right what is wrong.

An account that is as it was costs one request and no database. Repairing a stop needs no row; a close does, and is
never more than our own part. What is remembered of an account (*Watch*) outlives a database outage. A look opens
nothing, and what is not ours it only locks entries for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from lib import log
from lib.domain.account_records import TraderAccount
from lib.domain.books import Fill
from lib.domain.errors import Retry, Skip
from lib.domain.order import Order, OrderState, absence_proved, link_prefix
from lib.domain.position import ZERO, Position
from lib.ports.exchange import Exchange
from lib.trading.context import TradingContext
from lib.trading.guardian.rules import Guarded, Judgement, ending, forced, judge, leverage_changed, wanted_target
from lib.trading.orders.books import entries_among, held_by_us, import_fills, newest_entry
from lib.trading.orders.close import close_ours

LOG = log.get("trading.guardian")
REPAIR_TRIES = 3
NO_MARKET = (OrderState.CANCELLED, OrderState.PARTIAL, OrderState.REJECTED)
SHORTEST_MS, LONGEST_MS = 2_000, 15_000
"""Between two closes that were in vain: an account has 36 order ids of a leg in five minutes."""
FIRING_MS = 5_000
"""How long a stop may stand beyond the price before it counts as one that does not work."""
PUZZLED = 3
"""Looks at a position our executions do not explain until it counts as another hand's: they may be listed later."""
ANOTHER_HAND = "another hand is in this position"
EXTERNAL_MS = 86_400_000
"""How long entries stay locked once another hand was found in a position of ours."""


@dataclass(slots=True)
class Watch:
    """
    An account and what its guardian remembers of it. *firing_ms*: since when its stop should have fired, 0 = not.

    *account* is as the roster has it now, *looked_as* as it was when the look under way began: what is signed by one
    key stands in rows of that key, whatever its owner changes meanwhile.
    """

    account: TraderAccount
    looked_as: TraderAccount = field(init=False)
    guarded: Guarded | None = None
    guess: Guarded | None = None
    """What the last look took the position for without the ledger; the next one asks again."""
    flat_ms: int = 0
    """The venue's time (epoch ms) at which nothing was open last."""
    is_met: bool = False
    firing_ms: int = 0
    puzzled: int = 0
    """Looks in a row at a position that our executions do not explain."""
    told: set[str] = field(default_factory=set)
    """What its owner or a person on duty was told already, until the position ends."""
    repaired: int = 0
    closed: int = 0
    close_again_ms: int = 0
    """Not before: a close that found no market is tried again with patience."""
    vain_closes: int = 0

    def __post_init__(self) -> None:
        self.looked_as = self.account

    @property
    def holds(self) -> bool:
        """Whether something of ours was open at the last look."""
        return self.guarded is not None or self.guess is not None

    def forget(self) -> None:
        """Nothing of ours is open any more, and what was said and tried belongs to what was."""
        self.guarded = self.guess = None
        self.firing_ms = self.close_again_ms = self.vain_closes = 0
        self.told.clear()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look found. *soon* = something is not right yet: look again in a moment."""

    is_open: bool = False
    soon: bool = False


async def look(context: TradingContext, watch: Watch, *, closely: bool = False) -> Seen:
    """
    Look at *watch*'s account and put right what is wrong; *closely* asks for orders of another hand too.

    *Retry* when it could not be done now, *Pause* when only its owner can help.
    """
    watch.looked_as = watch.account
    exchange = context.exchanges.open(watch.looked_as, "guard")
    position = await exchange.position(watch.looked_as.symbol)
    if position.is_flat:
        watch.puzzled, watch.flat_ms = 0, position.seen_at
        await _ended(context, watch, exchange)
        return Seen()
    guarded = await _understood(context, watch, exchange, position)
    is_strange = guarded is None or (guarded.is_shared and watch.guess is None)
    watch.puzzled = watch.puzzled + 1 if is_strange else 0
    is_puzzle = 0 < watch.puzzled < PUZZLED
    if guarded is None:
        if not is_puzzle:
            await _give_up(context, watch, exchange)
        return Seen(soon=is_puzzle)
    seen = await _act(context, watch, exchange, position, guarded)
    if watch.guarded is not None and watch.guess is None and not is_puzzle:
        await _report_hands(context, watch, exchange, position, watch.guarded, closely=closely)
    return replace(seen, soon=seen.soon or is_puzzle)


# --- what it is -------------------------------------------------------------------------------------------------------


async def _understood(context: TradingContext, watch: Watch, exchange: Exchange, position: Position) -> Guarded | None:
    """Our part of an open *position* and what should stand around it; None when nothing of it is ours."""
    known, watch.guess = watch.guarded, None
    if known is not None and known.is_same(position) and not 0 < watch.puzzled < PUZZLED:
        return known
    try:
        entry = await newest_entry(context, watch.looked_as.account_id)
    except Retry:
        return await _remembered(context, watch, exchange, position)
    try:
        own = ZERO if entry is None else held_by_us(await _fills(watch, exchange, entry), context.installation)
    except Retry:
        if known is not None and (entry is None or known.t_ms != entry.t_ms):
            raise  # what is known is of another position, and this one is not another hand's because nobody answers
        return _as_before(known, position)
    if not own or entry is None or (own > 0) != (position.qty > 0):
        return None
    if known is not None and not known.is_same(position):
        await _settle(context, watch, exchange, known)
    watch.guarded = _guarded(position, own, entry, known)
    return watch.guarded


async def _remembered(context: TradingContext, watch: Watch, exchange: Exchange, position: Position) -> Guarded | None:
    """
    As `_understood` with the database down: what was ours a moment ago is, and so is what this process entered since.

    The latter only if the exchange's executions tell of that entry and of no other since.
    """
    entry = context.state.newest_entry(watch.looked_as.account_id)
    if entry is None or not may_hold(entry, watch):
        return _as_before(watch.guarded, position)
    try:
        fills = await _fills(watch, exchange, entry)
    except Retry:
        if watch.guarded is not None:
            raise
        return None
    ours = entries_among(fills, context.installation)
    if not ours:
        return _as_before(watch.guarded, position)
    own = held_by_us(fills, context.installation)
    if {fill.order_link_id for fill in ours} == {entry.order_link_id} and own and (own > 0) == (position.qty > 0):
        price = sum((fill.qty * fill.price for fill in ours), ZERO) / sum((fill.qty for fill in ours), ZERO)
        watch.guess = _guarded(position, own, replace(entry, avg_price=price), None)
    return watch.guess


def may_hold(entry: Order, watch: Watch) -> bool:
    """Whether *entry*, which this process sent, may have made a position that *watch* does not know."""
    is_newer = watch.guarded is None or entry.t_ms > watch.guarded.t_ms
    return is_newer and not absence_proved(entry.signed_ts, watch.flat_ms)


async def _fills(watch: Watch, exchange: Exchange, entry: Order) -> Sequence[Fill]:
    return await exchange.fills_since(watch.looked_as.symbol, entry.t_ms)


def _as_before(known: Guarded | None, position: Position) -> Guarded | None:
    """What can be said while nobody answers: what was ours a moment ago is."""
    return _resized(known, position) if known and known.direction == position.direction else None


async def _give_up(context: TradingContext, watch: Watch, exchange: Exchange) -> None:
    """The position is not ours, or is so no more."""
    if watch.guarded is not None:
        await _lock(context, watch, ANOTHER_HAND)
    await _ended(context, watch, exchange)


def _resized(known: Guarded, position: Position) -> Guarded:
    own = min(abs(known.own), abs(position.qty))
    return replace(known, qty=position.qty, average=position.avg_entry_price, own=own if position.qty > 0 else -own)


def _guarded(position: Position, own: Decimal, entry: Order, known: Guarded | None) -> Guarded:
    fits = entry.stop_loss > 0 and (entry.side == "buy") == (position.qty > 0)
    stop, target = (entry.stop_loss, entry.take_profit) if fits else (Decimal(0), Decimal(0))
    if known is not None and known.t_ms == entry.t_ms and known.direction == position.direction:
        stop, target = known.stop_loss, known.take_profit  # a person may have moved them since
    leverage = entry.leverage if fits else 0
    price = entry.avg_price if fits else Decimal(0)
    average = position.avg_entry_price
    return Guarded(position.direction, own, position.qty, average, stop, target, price, leverage, entry.t_ms)


# --- what is done about it --------------------------------------------------------------------------------------------


async def _act(context: TradingContext, watch: Watch, exchange: Exchange, position: Position, guarded: Guarded) -> Seen:
    judged = judge(position, guarded)
    if judged.act == "wait":
        judged = _patience(context, watch, judged)
    if judged.act != "wait":
        watch.firing_ms = 0
    if judged.act == "keep" and watch.guess is None:
        watch.guarded = replace(guarded, stop_loss=position.stop_loss, take_profit=position.take_profit)
    elif judged.act in ("restore", "close"):
        LOG.error("guardian.unsafe", symbol=position.symbol, qty=str(position.qty), why=judged.why, act=judged.act)
        return await _put_right(context, watch, exchange, (position, guarded), judged)
    return Seen(is_open=True, soon=judged.act == "wait")


def _patience(context: TradingContext, watch: Watch, judged: Judgement) -> Judgement:
    now = context.steady.now_ms()
    watch.firing_ms = watch.firing_ms or now
    return Judgement("close", "the stop does not fire") if now - watch.firing_ms >= FIRING_MS else judged


async def _put_right(
    context: TradingContext, watch: Watch, exchange: Exchange, found: tuple[Position, Guarded], judged: Judgement
) -> Seen:
    if judged.act == "restore" and await _restore(watch, exchange, *found):
        return Seen(is_open=True)
    if context.steady.now_ms() < watch.close_again_ms:
        return Seen(is_open=True, soon=True)
    why = f"{judged.why}, and cannot be put back" if judged.act == "restore" else judged.why
    try:
        if found[1].is_shared:
            await _lock(context, watch, ANOTHER_HAND)
        done = await close_ours(context, watch.looked_as, exchange, "g", why)
    except (Retry, Skip) as busy:
        _page(watch, "guardian.cannot_close", str(busy))
        raise
    if done is not None:
        _note_close(context, watch, done, why)
    return Seen(is_open=True, soon=True)


def _note_close(context: TradingContext, watch: Watch, done: Order, why: str) -> None:
    """Say what became of a close; one that found no market makes the next one wait, ever longer."""
    watch.closed += done.state is OrderState.FILLED
    watch.vain_closes = watch.vain_closes + 1 if done.state in NO_MARKET else 0
    wait_ms = min(SHORTEST_MS * 2 ** (watch.vain_closes - 1), LONGEST_MS) if watch.vain_closes else 0
    watch.close_again_ms = context.steady.now_ms() + wait_ms
    LOG.alert("guardian.closed", link=done.order_link_id, state=done.state.value, why=why)


async def _restore(watch: Watch, exchange: Exchange, position: Position, guarded: Guarded) -> bool:
    """Whether our stop stands again, or nothing is left to protect."""
    for _ in range(REPAIR_TRIES):
        try:
            await exchange.set_trading_stop(position.symbol, guarded.stop_loss, wanted_target(position, guarded))
            position = await exchange.position(position.symbol)
        except Retry as busy:
            LOG.warning("guardian.repair_failed", why=str(busy))
            continue
        if position.is_flat or position.stop_loss == guarded.stop_loss:
            watch.repaired += 1
            LOG.warning("guardian.repaired", stop=str(position.stop_loss))
            return True
    return False


# --- what others did --------------------------------------------------------------------------------------------------


async def _report_hands(
    context: TradingContext, watch: Watch, exchange: Exchange, position: Position, guarded: Guarded, *, closely: bool
) -> None:
    """Lock entries where another hand than ours is at work; each kind is said once a position."""
    if guarded.is_shared:
        await _lock(context, watch, ANOTHER_HAND)
    if leverage_changed(position, guarded):
        await _lock(context, watch, "the leverage was changed at the exchange")
    if closely and await _foreign_order(context, watch.looked_as, exchange):
        await _lock(context, watch, "an order that is not ours works beside this position")


async def _foreign_order(context: TradingContext, account: TraderAccount, exchange: Exchange) -> bool:
    ours = link_prefix(context.installation)
    orders = await exchange.open_orders(account.symbol)
    return any(o.state is None and not o.is_child and not o.order_link_id.startswith(ours) for o in orders)


async def _lock(context: TradingContext, watch: Watch, why: str) -> None:
    if why in watch.told:
        return
    account_id = watch.looked_as.account_id
    await context.limits.lock(account_id, "external", await context.orders.now() + EXTERNAL_MS, why)
    watch.told.add(why)
    LOG.warning("guardian.locked", why=why)


# --- how it ended -----------------------------------------------------------------------------------------------------


async def _ended(context: TradingContext, watch: Watch, exchange: Exchange) -> None:
    """Nothing of ours is open (any more): book what closed it, say what its owner must know."""
    known = watch.guarded
    if known is None:
        watch.forget()  # what memory told of too, and whether or not the books can be kept now
        await import_fills(context, watch.looked_as, exchange)
        return
    fills = await _settle(context, watch, exchange, known)
    how = ending(fills, link_prefix(context.installation))
    LOG.info("guardian.ended", how=how or "unknown")
    watch.forget()


async def _settle(context: TradingContext, watch: Watch, exchange: Exchange, known: Guarded) -> Sequence[Fill]:
    """Book the executions since the entry of *known*, and tell of those the exchange forced; the executions."""
    fills = await exchange.fills_since(watch.looked_as.symbol, known.t_ms)
    await context.books.record_fills(watch.looked_as.account_id, fills)
    for fill in forced(fills):
        if fill.kind not in watch.told:
            await _tell_forced(context, watch, fill)
    return fills


async def _tell_forced(context: TradingContext, watch: Watch, fill: Fill) -> None:
    LOG.alert("guardian.forced", kind=fill.kind, qty=str(fill.qty), price=str(fill.price))
    if fill.kind == "liquidation":
        text = f"the exchange liquidated {fill.qty} {fill.symbol} of your position at {fill.price}"
    else:
        text = f"the exchange reduced your position by {fill.qty} {fill.symbol} at {fill.price} (auto-deleveraging)"
    await context.notifier.notice(watch.looked_as.account_id, fill.kind, text)
    watch.told.add(fill.kind)


def _page(watch: Watch, event: str, why: str) -> None:
    """Call a person, once a position."""
    if event not in watch.told:
        watch.told.add(event)
        LOG.alert(event, why=why)
