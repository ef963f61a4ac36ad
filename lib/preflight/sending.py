"""
One order of a card, by the order protocol: its id fixed by what it is for, written down, sent once, its end asked for.

`tidy` brings a run to nothing open, whatever happened in between; the next run does it for one that was killed.
"""

from collections.abc import Iterable
from decimal import Decimal

from lib import log
from lib.domain.exchange_records import OrderRecord, SendReply, SignedOrder
from lib.domain.order import OrderState, absence_proved
from lib.domain.position import ZERO, Position, Side
from lib.domain.preflight import Intent, card_order, preflight_link
from lib.ports.exchange import Exchange
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
    then. The run is finished in the journal only when nothing of it is open.
    """
    mine, exchange = list(intents), preflight.at.exchange
    for intent in mine:
        if not intent.reduce_only:
            await _cancel(exchange, intent)
    links = {intent.link for intent in mine}
    for number in range(MOST_CLOSES):
        position = await exchange.position(preflight.symbol)
        left = await _ours(exchange, preflight.symbol, run_ms, links)
        qty = min(abs(left), abs(position.qty)) if left * position.qty > 0 else ZERO
        if not qty:
            preflight.journal.finished(run_ms)
            return position
        links.add(await _close(preflight, run_ms, "sell" if left > 0 else "buy", qty, TIDYING_SEQ + number))
    return await exchange.position(preflight.symbol)


async def _cancel(exchange: Exchange, intent: Intent) -> None:
    answer = await exchange.find_order(intent.symbol, intent.link)
    if any(record.state is None for record in answer.records):
        await exchange.cancel_order(intent.symbol, intent.link)


async def _ours(exchange: Exchange, symbol: str, since_ms: int, links: set[str]) -> Decimal:
    """The signed quantity that orders of *links* add up to."""
    fills = [fill for fill in await exchange.fills_since(symbol, since_ms - 60_000) if fill.order_link_id in links]
    return sum((fill.qty if fill.side == "buy" else -fill.qty for fill in fills), ZERO)


async def _close(preflight: Preflight, run_ms: int, side: Side, qty: Decimal, seq: int) -> str:
    link = preflight_link(preflight.installation, run_ms, "x", seq)
    now = await preflight.at.exchange.server_time()
    intent = Intent(link, preflight.symbol, side, qty, True, run_ms, now)
    await send(preflight, intent, signed_now(preflight, intent))
    await ended(preflight, intent)
    return link
