"""
One order of a card, by the order protocol: its id fixed by what it is for, written down, sent once, its end asked for.

`tidy` brings a run to nothing open, whatever happened in between; the next run does it for one that was killed.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from lib import log
from lib.domain.exchange_records import OrderRecord, SendReply, SignedOrder
from lib.domain.order import OrderState, absence_proved
from lib.domain.position import ZERO, Position, Side
from lib.domain.preflight import Intent, card_order, preflight_link
from lib.preflight.context import Preflight

LOG = log.get("preflight")
ASK_AGAIN_S = 0.5
MOST_QUESTIONS = 60
TIDYING_SEQ = 20
"""Closes of `tidy` count from here, so that they never take a card's id."""
MOST_CLOSES = 5


class UnknownEnd(Exception):
    """Nothing proves what became of an order that was sent."""


def signed_now(preflight: Preflight, intent: Intent, *prices: Decimal, rests: bool = False) -> SignedOrder:
    """The bytes of *intent*; *prices* are its limit, stop and target, none on a close."""
    limit, stop, target = prices or (ZERO, ZERO, ZERO)
    order = card_order(preflight.venue, preflight.at.uid, intent, limit, stop, target)
    sign = preflight.at.sign_resting if rests else preflight.at.exchange.sign_order
    return sign(order, intent.signed_ts)


async def send(preflight: Preflight, intent: Intent, signed: SignedOrder) -> SendReply:
    """Write *intent* down, then send its bytes once."""
    preflight.journal.intend(intent)
    LOG.info("preflight.sends", link=intent.link, side=intent.side, qty=intent.qty)
    return await preflight.at.exchange.send_order(signed)


async def ended(preflight: Preflight, intent: Intent) -> OrderRecord | None:
    """The end of a sent order; None = it is proved that it never arrived. *UnknownEnd* when nothing tells."""
    for _ in range(MOST_QUESTIONS):
        answer = await preflight.at.exchange.find_order(intent.symbol, intent.link)
        if closed := [record for record in answer.records if record.state is not None]:
            return next((record for record in closed if record.state is not OrderState.REJECTED), closed[0])
        if not answer.records and not answer.fills and absence_proved(intent.signed_ts, answer.time):
            return None
        await preflight.clock.sleep(ASK_AGAIN_S)
    raise UnknownEnd


async def tidy(preflight: Preflight, run_ms: int, intents: Iterable[Intent]) -> Position:
    """
    Cancel what still rests of *intents* and close what they opened, reduce-only and never more than that; the position
    then. The run is finished in the journal only when nothing of it is open or can still arrive. *UnknownEnd* when
    nothing tells.
    """
    newest = {intent.link: intent for intent in intents}  # of twins the one that was signed last
    filled = {link: await _settled(preflight, intent) for link, intent in newest.items()}
    for number in range(MOST_CLOSES):
        left = await _ours(preflight, run_ms, filled)
        position = await preflight.at.exchange.position(preflight.symbol)
        qty = min(abs(left), abs(position.qty)) if left * position.qty > 0 else ZERO
        if not qty:
            preflight.journal.finished(run_ms)
            return position
        close = await _close(preflight, run_ms, "sell" if left > 0 else "buy", qty, TIDYING_SEQ + number)
        filled[close.link] = await _settled(preflight, close)
    return await preflight.at.exchange.position(preflight.symbol)


async def _settled(preflight: Preflight, intent: Intent) -> Decimal:
    """
    Cancel an entry while it rests: what *intent* filled once it has ended. *UnknownEnd* when nothing tells.

    One that is not seen yet may still be on its way: only proof of absence ends the questions.
    """
    exchange = preflight.at.exchange
    for _ in range(MOST_QUESTIONS):
        answer = await exchange.find_order(intent.symbol, intent.link)
        known = [record for record in answer.records if record.state is not OrderState.REJECTED]
        if any(record.state is None for record in known):
            if not intent.reduce_only:  # a close never rests: it ends by itself
                await exchange.cancel_order(intent.symbol, intent.link)
        elif known:
            return sum((record.filled_qty for record in known), ZERO)
        elif not answer.fills and absence_proved(intent.signed_ts, answer.time):
            return ZERO
        await preflight.clock.sleep(ASK_AGAIN_S)
    raise UnknownEnd


async def _ours(preflight: Preflight, run_ms: int, filled: Mapping[str, Decimal]) -> Decimal:
    """The signed quantity that orders add up to, once their executions show what is known to have *filled* by link."""
    for _ in range(MOST_QUESTIONS):
        since = await preflight.at.exchange.fills_since(preflight.symbol, run_ms - 60_000)
        fills = [fill for fill in since if fill.order_link_id in filled]
        seen = {link: sum((fill.qty for fill in fills if fill.order_link_id == link), ZERO) for link in filled}
        if all(seen[link] >= qty for link, qty in filled.items()):
            return sum((fill.qty if fill.side == "buy" else -fill.qty for fill in fills), ZERO)
        await preflight.clock.sleep(ASK_AGAIN_S)
    raise UnknownEnd


async def _close(preflight: Preflight, run_ms: int, side: Side, qty: Decimal, seq: int) -> Intent:
    link = preflight_link(preflight.installation, run_ms, "x", seq)
    now = await preflight.at.exchange.server_time()
    intent = Intent(link, preflight.symbol, side, qty, True, run_ms, now)
    await send(preflight, intent, signed_now(preflight, intent))
    return intent
