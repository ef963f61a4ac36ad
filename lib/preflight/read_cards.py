"""
The cards that change nothing: reachable, on time, a key and an account as the protocol needs them.

Each is asked by itself, so that one run names everything that is wrong; only an unreachable venue ends the questions.
"""

from lib.accounts.key_gate import rights_flaw
from lib.domain import preflight_rules as rules
from lib.domain import reason_codes as codes
from lib.domain.preflight import READ_CARDS, Card, CardResult, not_asked
from lib.domain.preflight_rules import Found
from lib.domain.reason import NOTHING
from lib.preflight.context import Preflight, Question, ask

FILLS_MS = 7 * rules.DAY_MS
"""How far back the coin of fees is looked for."""


async def read_cards(preflight: Preflight) -> list[CardResult]:
    """Every reading card's result, in their order."""
    cards = _Reading(preflight)
    questions: dict[Card, Question] = {
        Card.REGION: cards.region,
        Card.CLOCK: cards.on_time,
        Card.KEY: cards.key,
        Card.ACCOUNT: cards.account,
        Card.POSITION_MODE: cards.position_mode,
        Card.INSTRUMENT: cards.instrument,
        Card.FEES: cards.fees,
        Card.EQUITY: cards.equity,
    }
    results: list[CardResult] = []
    for card, question in questions.items():
        results.append(await ask(preflight, card, question))
        if card is Card.REGION and not results[-1].passed:
            break
    return [*results, *not_asked(READ_CARDS, results)]


class _Reading:
    """The questions; none remembers another's answer."""

    def __init__(self, preflight: Preflight) -> None:
        self._preflight = preflight
        self._at, self._exchange, self._symbol = preflight.at, preflight.at.exchange, preflight.symbol

    async def region(self) -> Found:
        await self._exchange.server_time()
        return Found(True, codes.CARD_REACHED(host=self._at.host))

    async def on_time(self) -> Found:
        clock = self._preflight.clock
        before = clock.now_ms()
        venue_ms = await self._exchange.server_time()
        return rules.judge_clock(rules.clock_off(before, venue_ms, clock.now_ms()))

    async def key(self) -> Found:
        info, now = await self._at.key_info(), self._preflight.clock.now_ms()
        flaw = rights_flaw(info, now)
        return rules.judge_key(info, flaw.why if flaw else NOTHING, self._preflight.capabilities, now)

    async def account(self) -> Found:
        return rules.judge_margin(await self._exchange.margin_mode(), self._preflight.capabilities)

    async def position_mode(self) -> Found:
        return rules.judge_position_mode(await self._exchange.position(self._symbol))

    async def instrument(self) -> Found:
        rule, ticker = await self._at.instrument(self._symbol), await self._at.ticker(self._symbol)
        return rules.judge_instrument(rule, ticker.last)

    async def fees(self) -> Found:
        rate = await self._at.taker_fee(self._symbol)
        fills = await self._exchange.fills_since(self._symbol, self._preflight.clock.now_ms() - FILLS_MS)
        other = {charge.coin for fill in fills[-1:] for charge in fill.charges}
        return rules.judge_fee(rate, tuple(sorted(other or {"USDT"})) if fills else ())

    async def equity(self) -> Found:
        rule, ticker = await self._at.instrument(self._symbol), await self._at.ticker(self._symbol)
        wallet = await self._exchange.wallet()
        return rules.judge_equity(wallet.available, rules.least_equity(rule, ticker.last))
