"""
One analyst call per prompt group and T; the first answer written stands for everybody, whoever asked.
"""

import json
from collections.abc import Sequence

from lib.domain.account import AccountSettings
from lib.domain.candle import Candle
from lib.ports import AnalystAnswer, CycleKey, CycleRecord
from lib.trading.desk import Desk
from lib.trading.prompt import build_prompt, candle_fields


async def answer_for(desk: Desk, key: CycleKey, window: Sequence[Candle], settings: AccountSettings) -> AnalystAnswer:
    """The standing answer for *key*: the one recorded before, else a new call, recorded first-writer-wins."""
    if (known := await desk.ledger.cycle(key)) is not None:
        return known
    prompt = build_prompt(key.symbol, window, settings, desk.model)
    answer = await desk.analyst.ask(prompt, desk.analyst_budget_s)
    candles = json.dumps([candle_fields(candle) for candle in window], separators=(",", ":"))
    record = CycleRecord(key, f"{prompt.system}\n\n{prompt.user}", candles, answer)
    return await desk.ledger.record_cycle(record)
