"""
One inspection of one account in one symbol: read its position, judge it, put a wrong position right.

An account that has not changed costs one request and no database. Repairing a stop needs no row; a close needs one, and
is never more than our own part. An *AccountMemory* outlives a database outage. An inspection opens no position, and an
external change only locks entries.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.account_records import TraderAccount
from lib.domain.books import Fill
from lib.domain.errors import Retry, Skip
from lib.domain.events import Event, EventKind, of_time_stop
from lib.domain.order import Order, OrderState, absence_proved, link_prefix
from lib.domain.position import ZERO, Position
from lib.domain.reason import NOTHING, Reason
from lib.ports.exchange import Exchange
from lib.trading.context import TradingContext
from lib.trading.guardian.memory import AccountMemory, Finding
from lib.trading.guardian.noting import note_liquidation
from lib.trading.guardian.rules import (
    GuardedPosition,
    Judgement,
    ending,
    forced,
    judge,
    leverage_changed,
)
from lib.trading.guardian.stop_calls import with_moves
from lib.trading.orders.books import entries_among, held_by_us, import_fills, newest_entry
from lib.trading.orders.close import close_ours

LOG = log.get("trading.guardian")
NO_MARKET = (OrderState.CANCELLED, OrderState.PARTIAL, OrderState.REJECTED)
SHORTEST_MS, LONGEST_MS = 2_000, 10_000
"""Between two closes that were in vain: an account has 36 order ids of a leg in five minutes, these take 32."""
FIRING_MS = 5_000
"""How long the price may be beyond a stop before the stop counts as broken."""
UNEXPLAINED_MOST = 3
"""Inspections until a position our executions do not explain counts as external: executions may be listed late."""
EXTERNAL_CHANGE = codes.EXTERNAL_POSITION_CHANGE()
EXTERNAL_MS = 86_400_000
"""How long entries stay locked after an external change of a position of ours."""


async def inspect_account(context: TradingContext, memory: AccountMemory, *, closely: bool = False) -> Finding:
    """
    Inspect *memory*'s account and put its position right; *closely* asks for external orders too.

    *Retry* when the account could not be inspected now, *Pause* when only its owner can help.
    """
    memory.inspected_as = memory.account
    exchange = context.exchanges.open(memory.inspected_as, "guard")
    position = await exchange.position(memory.inspected_as.symbol)
    if position.is_flat:
        memory.unexplained, memory.flat_ms = 0, position.seen_at
        await _ended(context, memory, exchange)
        return Finding()
    guarded = await _understood(context, memory, exchange, position)
    is_strange = guarded is None or (guarded.is_shared and memory.guess is None)
    memory.unexplained = memory.unexplained + 1 if is_strange else 0
    is_unexplained = 0 < memory.unexplained < UNEXPLAINED_MOST
    if guarded is None:
        if not is_unexplained:
            await _give_up(context, memory, exchange)
        return Finding(soon=is_unexplained)
    guarded = await _ruled(context, memory, position, guarded)
    seen = await _act(context, memory, exchange, position, guarded)
    if memory.guarded is not None and memory.guess is None and not is_unexplained:
        await _report_external(context, memory, exchange, position, memory.guarded, closely=closely)
        await note_liquidation(context, memory.account, memory.noted, position)
    return replace(seen, soon=seen.soon or is_unexplained)


# --- what it is -------------------------------------------------------------------------------------------------------


async def _understood(
    context: TradingContext, memory: AccountMemory, exchange: Exchange, position: Position
) -> GuardedPosition | None:
    """Our part of an open *position* with its stop and target; None when no part of the position is ours."""
    known, memory.guess = memory.guarded, None
    if known is not None and known.is_same(position) and not 0 < memory.unexplained < UNEXPLAINED_MOST:
        return await _with_moves(context, memory, known)
    try:
        entry = await newest_entry(context, memory.inspected_as.slot)
    except Retry:
        return await _remembered(context, memory, exchange, position)
    try:
        own = ZERO if entry is None else held_by_us(await _fills(memory, exchange, entry), context.installation)
    except Retry:
        if known is not None and (entry is None or known.t_ms != entry.t_ms):
            raise  # *known* is another position, and this one is not external because the exchange does not answer
        return _as_before(known, position)
    if not own or entry is None or (own > 0) != (position.qty > 0):
        return None
    if known is not None and not known.is_same(position):
        await _book_fills(context, memory, exchange, known)
    memory.stops.entry = entry
    memory.guarded = _guarded(position, own, entry, known)
    memory.stops.moved |= memory.guarded.t_ms != getattr(known, "t_ms", None)  # another process may have moved its stop
    return await _with_moves(context, memory, memory.guarded)


async def _with_moves(context: TradingContext, memory: AccountMemory, known: GuardedPosition) -> GuardedPosition:
    """*known* with the moves of its stop, which are read while one is to be put in force."""
    if memory.stops.moved:
        try:
            memory.guarded = await with_moves(context, memory.stops, known)
        except Retry as busy:
            LOG.warning("guardian.moves_unread", why=str(busy))
    return memory.guarded or known


async def _ruled(
    context: TradingContext, memory: AccountMemory, position: Position, guarded: GuardedPosition
) -> GuardedPosition:
    """*guarded* with the move that a rule of its entry asks for; no rule is judged while the ledger is away."""
    if memory.guess is not None:
        return guarded
    ruled = await memory.rules.moved(context, memory.inspected_as, memory.stops, position, guarded)
    if memory.guarded is not None:
        memory.guarded = replace(memory.guarded, committed=ruled.committed, moved_to=ruled.moved_to)
    return ruled


async def _remembered(
    context: TradingContext, memory: AccountMemory, exchange: Exchange, position: Position
) -> GuardedPosition | None:
    """
    As `_understood` with the database down: a position that was ours a moment ago still is, and so is one that this
    process entered since.

    The latter only if the exchange's executions list that entry and no other since.
    """
    entry = context.state.newest_entry(memory.inspected_as.slot)
    if entry is None or not may_hold(entry, memory):
        return _as_before(memory.guarded, position)
    try:
        fills = await _fills(memory, exchange, entry)
    except Retry:
        if memory.guarded is not None:
            raise
        return None
    ours = entries_among(fills, context.installation)
    if not ours:
        return _as_before(memory.guarded, position)
    own = held_by_us(fills, context.installation)
    if {fill.order_link_id for fill in ours} == {entry.order_link_id} and own and (own > 0) == (position.qty > 0):
        price = sum((fill.qty * fill.price for fill in ours), ZERO) / sum((fill.qty for fill in ours), ZERO)
        memory.stops.entry = entry
        memory.guess = _guarded(position, own, replace(entry, avg_price=price), None)
    return memory.guess


def may_hold(entry: Order, memory: AccountMemory) -> bool:
    """Whether *entry*, which this process sent, may have made a position that *memory* does not know."""
    is_newer = memory.guarded is None or entry.t_ms > memory.guarded.t_ms
    return is_newer and not absence_proved(entry.signed_ts, memory.flat_ms)


async def _fills(memory: AccountMemory, exchange: Exchange, entry: Order) -> Sequence[Fill]:
    return await exchange.fills_since(memory.inspected_as.symbol, entry.t_ms)


def _as_before(known: GuardedPosition | None, position: Position) -> GuardedPosition | None:
    """The position while neither ledger nor executions answer: a position that was ours a moment ago still is."""
    return _resized(known, position) if known and known.direction == position.direction else None


async def _give_up(context: TradingContext, memory: AccountMemory, exchange: Exchange) -> None:
    """The position is not ours, or is ours no more."""
    if memory.guarded is not None:
        await _lock(context, memory, EXTERNAL_CHANGE)
    await _ended(context, memory, exchange)


def _resized(known: GuardedPosition, position: Position) -> GuardedPosition:
    own = min(abs(known.own), abs(position.qty))
    return replace(known, qty=position.qty, average=position.avg_entry_price, own=own if position.qty > 0 else -own)


def _guarded(position: Position, own: Decimal, entry: Order, known: GuardedPosition | None) -> GuardedPosition:
    fits = entry.stop_loss > 0 and (entry.side == "buy") == (position.qty > 0)
    stop, target = (entry.stop_loss, entry.take_profit) if fits else (Decimal(0), Decimal(0))
    if known is not None and known.t_ms == entry.t_ms and known.direction == position.direction:
        stop, target = known.stop_loss, known.take_profit  # the owner may have moved them since
    leverage = entry.leverage if fits else 0
    price = entry.avg_price if fits else Decimal(0)
    average = position.avg_entry_price
    return GuardedPosition(position.direction, own, position.qty, average, stop, target, price, leverage, entry.t_ms)


# --- what is done about it --------------------------------------------------------------------------------------------


async def _act(
    context: TradingContext, memory: AccountMemory, exchange: Exchange, position: Position, guarded: GuardedPosition
) -> Finding:
    judged = judge(position, guarded)
    if judged.act == "wait":
        judged = _patience(context, memory, judged)
    if judged.act != "wait":
        memory.firing_ms = 0
    if over := await _time_is_over(memory, exchange, (position, guarded), judged):
        return await _close_by_rule(context, memory, exchange, guarded, over)
    if judged.act == "keep" and memory.guess is None:
        if memory.stops.moved:
            await memory.stops.settle(context, position)
        stands = replace(guarded, stop_loss=position.stop_loss, take_profit=position.take_profit)
        memory.guarded = stands if memory.stops.moved else replace(stands, moved_to=ZERO)
        await memory.rules.trail(context, memory.inspected_as, exchange, memory.stops, (position, guarded))
    elif judged.act == "tighten":
        return await _tighten(context, memory, exchange, (position, guarded))
    elif judged.act in ("restore", "close"):
        LOG.error("guardian.unsafe", symbol=position.symbol, qty=str(position.qty), why=judged.why, act=judged.act)
        return await _put_right(context, memory, exchange, (position, guarded), judged)
    return Finding(is_open=True, soon=judged.act == "wait")


async def _time_is_over(
    memory: AccountMemory, exchange: Exchange, found: tuple[Position, GuardedPosition], judged: Judgement
) -> Reason:
    """A rule closes what is in order; anything else is put right first."""
    if judged.act not in ("keep", "tighten") or memory.guess is not None:
        return NOTHING
    return await memory.rules.time_is_over(exchange, memory.stops, found)


def _patience(context: TradingContext, memory: AccountMemory, judged: Judgement) -> Judgement:
    now = context.steady.now_ms()
    memory.firing_ms = memory.firing_ms or now
    return Judgement("close", codes.STOP_DID_NOT_FIRE()) if now - memory.firing_ms >= FIRING_MS else judged


async def _put_right(
    context: TradingContext,
    memory: AccountMemory,
    exchange: Exchange,
    found: tuple[Position, GuardedPosition],
    judged: Judgement,
) -> Finding:
    if judged.act == "restore":
        placed = await memory.stops.put(context, exchange, *found, lost=True)
        memory.repaired += placed == "stands"
        if placed in ("stands", "waits"):
            return Finding(is_open=True, soon=placed == "waits" or memory.stops.moved)
    why = codes.STOP_NOT_PUT_BACK(why=judged.why) if judged.act == "restore" else judged.why
    try:
        return await _close(context, memory, exchange, found[1], why)
    except (Retry, Skip) as busy:
        _page(memory, "guardian.cannot_close", busy.why)
        raise


async def _close(
    context: TradingContext, memory: AccountMemory, exchange: Exchange, guarded: GuardedPosition, why: Reason
) -> Finding:
    """Close our part, unless the last close was in vain a moment ago."""
    if context.steady.now_ms() < memory.close_again_ms:
        return Finding(is_open=True, soon=True)
    if guarded.is_shared:
        await _lock(context, memory, EXTERNAL_CHANGE)
    done = await close_ours(context, memory.inspected_as, exchange, "g", why)
    if done is not None:
        _note_close(context, memory, done, why)
    return Finding(is_open=True, soon=True, at_once=done is not None and done.state is OrderState.ABSENT)


async def _close_by_rule(
    context: TradingContext, memory: AccountMemory, exchange: Exchange, guarded: GuardedPosition, why: Reason
) -> Finding:
    """Close because a rule says so: the stop stands, so a close that cannot be made now calls nobody."""
    try:
        found = await _close(context, memory, exchange, guarded, why)
        account_id = memory.inspected_as.account_id
        await context.notifier.notice(account_id, of_time_stop(guarded.t_ms, memory.inspected_as.slot, why))
    except (Retry, Skip) as busy:
        LOG.warning("guardian.rule_waits", why=str(busy))
        return Finding(is_open=True, soon=True)
    return found


def _note_close(context: TradingContext, memory: AccountMemory, done: Order, why: Reason) -> None:
    """Note and alert the end of a close; a close that found no market makes the next one wait, ever longer."""
    memory.closed += done.state is OrderState.FILLED
    memory.vain_closes = memory.vain_closes + 1 if done.state in NO_MARKET else 0
    wait_ms = min(SHORTEST_MS * 2 ** (memory.vain_closes - 1), LONGEST_MS) if memory.vain_closes else 0
    memory.close_again_ms = context.steady.now_ms() + wait_ms
    if codes.HELD_TO_TIME_STOP.is_of(why):
        LOG.info("guardian.closed_in_time", link=done.order_link_id, state=done.state.value)
    else:
        LOG.alert("guardian.closed", link=done.order_link_id, state=done.state.value, why=why)


async def _tighten(
    context: TradingContext, memory: AccountMemory, exchange: Exchange, found: tuple[Position, GuardedPosition]
) -> Finding:
    """A committed move is put in force; out at once where the mark has passed it, or where the venue refuses it."""
    placed = await memory.stops.put(context, exchange, *found, lost=False)
    if placed in ("passed", "refused"):
        stop = found[1].moved_to
        why = codes.TIGHTENED_STOP_REFUSED() if placed == "refused" else codes.TIGHTENED_STOP_PASSED(stop=stop)
        return await _put_right(context, memory, exchange, found, Judgement("close", why))
    return Finding(is_open=True, soon=True)


# --- what others did --------------------------------------------------------------------------------------------------


async def _report_external(
    context: TradingContext,
    memory: AccountMemory,
    exchange: Exchange,
    position: Position,
    guarded: GuardedPosition,
    *,
    closely: bool,
) -> None:
    """Lock entries after an external change or order; each kind is told once a position."""
    if guarded.is_shared:
        await _lock(context, memory, EXTERNAL_CHANGE)
    if leverage_changed(position, guarded):
        await _lock(context, memory, codes.EXTERNAL_LEVERAGE_CHANGE())
    if closely and await _foreign_order(context, memory.inspected_as, exchange):
        await _lock(context, memory, codes.EXTERNAL_ORDER_BESIDE_POSITION())


async def _foreign_order(context: TradingContext, account: TraderAccount, exchange: Exchange) -> bool:
    ours = link_prefix(context.installation)
    orders = await exchange.open_orders(account.symbol)
    return any(o.state is None and not o.is_child and not o.order_link_id.startswith(ours) for o in orders)


async def _lock(context: TradingContext, memory: AccountMemory, why: Reason) -> None:
    if why in memory.told:
        return
    account_id = memory.inspected_as.account_id
    await context.limits.lock(account_id, "external", await context.orders.now() + EXTERNAL_MS, why)
    memory.told.add(why)
    LOG.warning("guardian.locked", why=why)


# --- how it ended -----------------------------------------------------------------------------------------------------


async def _ended(context: TradingContext, memory: AccountMemory, exchange: Exchange) -> None:
    """No position of ours is open (any more): book the fills that closed it, tell the owner of a forced end."""
    known = memory.guarded
    if known is None:
        memory.forget()  # the guess too, and whether or not the books can be kept now
        await import_fills(context, memory.inspected_as, exchange)
        return
    fills = await _book_fills(context, memory, exchange, known)
    how = ending(fills, link_prefix(context.installation))
    LOG.info("guardian.ended", how=how or "unknown")
    memory.forget()


async def _book_fills(
    context: TradingContext, memory: AccountMemory, exchange: Exchange, known: GuardedPosition
) -> Sequence[Fill]:
    """Book the executions since the entry of *known*, tell the owner of forced ones; returns the executions."""
    fills = await exchange.fills_since(memory.inspected_as.symbol, known.t_ms)
    await context.books.record_fills(memory.inspected_as.account_id, fills)
    for fill in forced(fills):
        if fill.kind not in memory.told:
            await _tell_forced(context, memory, fill)
    return fills


async def _tell_forced(context: TradingContext, memory: AccountMemory, fill: Fill) -> None:
    LOG.alert("guardian.forced", kind=fill.kind, qty=str(fill.qty), price=str(fill.price))
    if fill.kind == "liquidation":
        why = codes.LIQUIDATED(qty=fill.qty, symbol=fill.symbol, price=fill.price)
    else:
        why = codes.REDUCED_BY_ADL(qty=fill.qty, symbol=fill.symbol, price=fill.price)
    told = Event(EventKind(fill.kind), why, f"{fill.kind}:{fill.exec_id}")
    await context.notifier.notice(memory.inspected_as.account_id, told)
    memory.told.add(fill.kind)


def _page(memory: AccountMemory, event: str, why: Reason) -> None:
    """Call a person, once a position."""
    if event not in memory.told:
        memory.told.add(event)
        LOG.alert(event, why=why)
