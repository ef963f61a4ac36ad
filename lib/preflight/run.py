"""
A whole preflight: what an earlier one left open first, the reading cards, and where all of them passed and somebody
allows it the order cards.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby

from lib.domain import reason_codes as codes
from lib.domain.errors import Pause, Retry
from lib.domain.preflight import Card, CardResult, PreflightRun
from lib.preflight.context import Preflight
from lib.preflight.order_cards import order_cards
from lib.preflight.read_cards import read_cards
from lib.preflight.sending import UnknownEnd, tidy

Told = Callable[[CardResult], None]
MayTrade = Callable[[], bool]
"""Asked once, after the reading cards passed: on real money a person types their consent here."""


async def run_preflight(preflight: Preflight, told: Told, may_trade: MayTrade) -> tuple[PreflightRun, str]:
    """
    Ask every card that may be asked, tell each result as it comes, save the evidence: the run, and the evidence's name.
    """
    started_ms = preflight.clock.now_ms()
    left = await _left_by_earlier_runs(preflight)
    results = [*await read_cards(preflight), *left]
    _tell(told, results)
    if all(result.passed for result in results) and may_trade():
        traded = await order_cards(preflight, started_ms)
        _tell(told, traded)
        results += traded
    run = PreflightRun(
        preflight.venue,
        preflight.at.uid,
        preflight.at.host,
        preflight.version,
        preflight.symbol,
        started_ms,
        tuple(results),
    )
    return run, preflight.evidence.save(run)


def _tell(told: Told, results: list[CardResult]) -> None:
    for result in results:
        told(result)


async def _left_by_earlier_runs(preflight: Preflight) -> list[CardResult]:
    """
    Bring runs that were killed to their end, whatever the cards say and whichever symbol they traded: nothing of theirs
    stays open. A card that did not pass where that cannot be had now.
    """
    try:
        for (run_ms, symbol), intents in groupby(
            preflight.journal.unfinished(), key=lambda row: (row.run_ms, row.symbol)
        ):
            await tidy(replace(preflight, symbol=symbol), run_ms, intents)
    except (Retry, Pause, UnknownEnd):
        return [CardResult(Card.QUIET, False, codes.CARD_END_UNKNOWN())]
    return []
