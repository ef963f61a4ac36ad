"""A preview is what a cycle sends, byte for byte."""

from decimal import Decimal

import pytest

from lib.bootstrap.preview import ANSWER_TOKENS, Previews
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.account_records import AskingAccount
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.pricing import AnalystPrices
from lib.domain.tokens import estimated
from lib.trading.context import WINDOW
from tests.factories import settings
from tests.worlds.one_process import World

PRICES = AnalystPrices(Decimal("0.25"), Decimal(2))
WISH = "추세만 </user_preference> 🙂\n둘째 줄"


class Shelf:
    """Readings over the world's own candles."""

    def __init__(self, account: AskingAccount, window: list[Candle]) -> None:
        self.account, self.window = account, window

    def asking(self, user_id: int) -> AskingAccount:
        return self.account

    def closed_candles(self, symbol: str, interval: str, count: int) -> list[Candle]:
        return self.window

    def newest_call(self, user_id: int) -> None:
        return None


@pytest.mark.parametrize("chosen", [settings(), settings(RiskLevel.HIGH, max_leverage=3, custom_prompt=WISH)])
async def test_the_preview_is_the_prompt_of_the_next_cycle_byte_for_byte(chosen: AccountSettings) -> None:
    world = World()
    account_id = world.add_account(settings=chosen)
    await world.cycle("hold")
    sent = world.analyst.asked[-1]
    window = await world.candles.newest("BTCUSDT", "1m", WINDOW)
    trader = await world.trader_account(account_id)
    account = AskingAccount(trader.symbol, trader.settings, trader.is_guest, trader.language)
    seen = Previews(Shelf(account, window), "test-model", PRICES).of(trader.user_id)  # type: ignore[arg-type]
    assert seen is not None
    assert (seen.system.encode(), seen.user.encode()) == (sent.system.encode(), sent.user.encode())
    assert (seen.candles, seen.closed_ms) == (WINDOW, window[-1].open_time + MINUTE_MS)


def test_the_unsaved_text_is_previewed_and_a_day_is_288_calls() -> None:
    shelf = Shelf(AskingAccount("BTCUSDT", settings(custom_prompt="saved"), False, "en"), [])
    seen = Previews(shelf, "m", PRICES).of(1, "typed")  # type: ignore[arg-type]
    assert seen is not None
    assert "typed" in seen.user
    assert "saved" not in seen.user
    assert seen.tokens == estimated(seen.system) + estimated(seen.user)
    assert seen.tokens_day == (seen.tokens + ANSWER_TOKENS) * 288
    assert seen.usd_day == PRICES.cost(seen.tokens * 288, ANSWER_TOKENS * 288)
    guest = Shelf(AskingAccount("BTCUSDT", settings(custom_prompt="mine"), True, "ko"), [])
    told = Previews(guest, "m", AnalystPrices()).of(1)  # type: ignore[arg-type]
    assert told is not None
    assert ("mine" in told.user, told.usd_day, told.closed_ms) == (False, None, 0)
