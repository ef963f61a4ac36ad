"""
The cards that trade: the smallest entry with stop and target, read back, its twin refused, its stop moved, closed; and
an order that rests and is cancelled.

They go one after another on one position, and end at the first that fails: what stands then is tidied up, never left.
They are asked of an account that holds nothing on the symbol, and leave it so.
"""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

from lib.domain import preflight_rules as rules
from lib.domain import reason_codes as codes
from lib.domain.errors import Pause, Retry
from lib.domain.exchange_records import OrderRecord
from lib.domain.instrument import Instrument
from lib.domain.order import Leg, Order, SendOutcome
from lib.domain.position import ZERO, Side
from lib.domain.preflight import ORDER_CARDS, Card, CardResult, Intent, card_order, not_asked, preflight_link
from lib.domain.preflight_rules import Found
from lib.preflight.context import Preflight, Question, ask
from lib.preflight.sending import UnknownEnd, ended, send, signed_now, tidy

SETTLE_S = 1.0
"""How long a venue may take to show the effect of what it acknowledged."""


async def order_cards(preflight: Preflight, run_ms: int) -> list[CardResult]:
    """Every order card's result, in their order. Nothing of the run is open at the end, or a card says what is."""
    cards = _Trading(preflight, run_ms)
    questions: dict[Card, Question] = {
        Card.QUIET: cards.quiet,
        Card.LEVERAGE: cards.leverage,
        Card.ENTRY: cards.entry,
        Card.DUPLICATE: cards.duplicate,
        Card.WRONG_STOP: cards.wrong_stop,
        Card.STOP_MOVED: cards.stop_moved,
        Card.CLOSE: cards.close,
        Card.CANCEL: cards.cancel,
    }
    results: list[CardResult] = []
    try:
        for card, question in questions.items():
            results.append(await ask(preflight, card, _ending(question)))
            if not results[-1].passed:
                break
    except (Exception, asyncio.CancelledError):
        await _tidied(preflight, run_ms, cards.sent, results)  # a person's Ctrl-C leaves nothing in the book either
        raise
    results += not_asked(ORDER_CARDS, results)
    return await _tidied(preflight, run_ms, cards.sent, results)


async def _tidied(preflight: Preflight, run_ms: int, sent: list[Intent], results: list[CardResult]) -> list[CardResult]:
    """*results*, with the close not passed where something of ours is still open."""
    if not sent:
        return results
    try:
        position = await tidy(preflight, run_ms, sent)
        left = None if position.is_flat else codes.CARD_NOT_CLOSED(qty=position.qty, symbol=preflight.symbol)
    except (Retry, Pause, UnknownEnd):
        left = codes.CARD_END_UNKNOWN()
    if left is None:
        return results
    return [CardResult(Card.CLOSE, False, left) if result.card is Card.CLOSE else result for result in results]


def _ending(question: Question) -> Question:
    """*question*, whose order without a known end is a card that did not pass."""

    async def asked() -> Found:
        try:
            return await question()
        except UnknownEnd:
            return Found(False, codes.CARD_END_UNKNOWN())

    return asked


@dataclass
class _Trading:
    """The questions, and what the run has sent so far."""

    preflight: Preflight
    run_ms: int
    sent: list[Intent] = field(default_factory=list)
    _qty: Decimal = ZERO
    _entry: tuple[Intent, tuple[Decimal, ...]] | None = None

    async def quiet(self) -> Found:
        exchange, symbol = self.preflight.at.exchange, self.preflight.symbol
        return rules.judge_quiet(await exchange.position(symbol), len(await exchange.open_orders(symbol)))

    async def leverage(self) -> Found:
        exchange, symbol = self.preflight.at.exchange, self.preflight.symbol
        await exchange.set_leverage(symbol, rules.CARD_LEVERAGE)
        return rules.judge_leverage(await exchange.position(symbol))

    async def entry(self) -> Found:
        rule, last = await self._market()
        self._qty = rules.smallest_qty(rule, last)
        prices = (
            rule.floor_price(last * (1 + rules.COLLAR)),
            rule.ceil_price(last * (1 - rules.STOP)),
            rule.floor_price(last * (1 + rules.TARGET)),
        )
        intent = await self._intent("e", 0, "buy")
        self._entry = intent, prices
        record = await self._sent(intent, *prices)
        if isinstance(record, Found):
            return record
        await self.preflight.clock.sleep(SETTLE_S)
        position = await self.preflight.at.exchange.position(self.preflight.symbol)
        return rules.judge_entry(self._order(intent, prices), record, position)

    async def duplicate(self) -> Found:
        """The same id signed anew: what a lost reply and a bug would make."""
        assert self._entry is not None  # noqa: S101 - the cards go in their order
        first, prices = self._entry
        exchange, symbol = self.preflight.at.exchange, self.preflight.symbol
        before = await exchange.position(symbol)
        twin = await self._intent("e", 0, "buy")
        reply = await send(self.preflight, twin, signed_now(self.preflight, twin, *prices))
        if reply.code is None:
            return Found(False, codes.CARD_END_UNKNOWN())  # it may never have arrived: nothing was refused
        await self.preflight.clock.sleep(SETTLE_S)
        fills = await exchange.fills_since(symbol, self.run_ms - 60_000)
        executed = sum((fill.qty for fill in fills if fill.order_link_id == first.link), ZERO)
        return rules.judge_twin(before, await exchange.position(symbol), executed, self._qty)

    async def wrong_stop(self) -> Found:
        exchange, symbol = self.preflight.at.exchange, self.preflight.symbol
        before, (rule, last) = await exchange.position(symbol), await self._market()
        taken = await exchange.set_trading_stop(symbol, rule.ceil_price(last * (1 + rules.STOP)), before.take_profit)
        return rules.judge_wrong_stop(taken, before, await exchange.position(symbol))

    async def stop_moved(self) -> Found:
        exchange, symbol = self.preflight.at.exchange, self.preflight.symbol
        before, (rule, last) = await exchange.position(symbol), await self._market()
        nearer = max(rule.floor_price(last * (1 - rules.TIGHTER)), before.stop_loss)
        await exchange.set_trading_stop(symbol, nearer, before.take_profit)
        return rules.judge_moved_stop(nearer, await exchange.position(symbol))

    async def close(self) -> Found:
        exchange, symbol = self.preflight.at.exchange, self.preflight.symbol
        record = await self._sent(await self._intent("x", 0, "sell"))
        if isinstance(record, Found):
            return record
        await self.preflight.clock.sleep(SETTLE_S)
        return rules.judge_close(record, await exchange.position(symbol), len(await exchange.open_orders(symbol)))

    async def cancel(self) -> Found:
        exchange, symbol = self.preflight.at.exchange, self.preflight.symbol
        rule, last = await self._market()
        away = rule.floor_price(last * (1 - rules.FAR))
        self._qty = rules.smallest_qty(rule, away)
        stop, target = rule.ceil_price(away * (1 - rules.STOP)), rule.floor_price(away * (1 + rules.TARGET))
        intent = await self._intent("e", 1, "buy")
        reply = await send(self.preflight, intent, signed_now(self.preflight, intent, away, stop, target, rests=True))
        if reply.outcome is SendOutcome.REFUSED:
            return Found(False, codes.CARD_ORDER_REFUSED(said=reply.message))
        await self.preflight.clock.sleep(SETTLE_S)
        rested = any(order.order_link_id == intent.link for order in await exchange.open_orders(symbol))
        await exchange.cancel_order(symbol, intent.link)
        return rules.judge_cancel(rested, await ended(self.preflight, intent), await exchange.position(symbol))

    async def _sent(self, intent: Intent, *prices: Decimal) -> OrderRecord | Found:
        """The filled order, or what the card found instead."""
        reply = await send(self.preflight, intent, signed_now(self.preflight, intent, *prices))
        record = await ended(self.preflight, intent)
        why = rules.unended(record)
        if record is not None and not why:
            return record
        if record is None and reply.outcome is SendOutcome.REFUSED:
            why = codes.CARD_ORDER_REFUSED(said=reply.message)
        return Found(False, why)

    async def _intent(self, leg: Leg, seq: int, side: Side) -> Intent:
        """The intent of that leg, which has one id for ever, signed by the venue's clock of now."""
        now = await self.preflight.at.exchange.server_time()
        link = preflight_link(self.preflight.installation, self.run_ms, leg, seq)
        intent = Intent(link, self.preflight.symbol, side, self._qty, leg == "x", self.run_ms, now)
        self.sent.append(intent)
        return intent

    def _order(self, intent: Intent, prices: tuple[Decimal, ...]) -> Order:
        return card_order(self.preflight.venue, self.preflight.at.uid, intent, *prices)

    async def _market(self) -> tuple[Instrument, Decimal]:
        symbol = self.preflight.symbol
        return await self.preflight.at.instrument(symbol), (await self.preflight.at.ticker(symbol)).last
