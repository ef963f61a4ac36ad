"""A preview is what a cycle sends, byte for byte."""

from decimal import Decimal

import pytest

from lib.accounts.models import ModelChoice
from lib.bootstrap.preview import ANSWER_TOKENS, Previews
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.account_records import AskingAccount
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.model_profile import ModelProfile
from lib.domain.pricing import AnalystPrices
from lib.domain.strategy import Strategy
from lib.domain.tokens import estimated
from lib.trading.context import WINDOW
from tests.factories import settings
from tests.worlds.one_process import World

PRICES = AnalystPrices(Decimal("0.25"), Decimal(2))


def model(name: str = "default", prices: AnalystPrices = PRICES) -> ModelProfile:
    return ModelProfile(name, name, "https://api.example.com/v1", name, prices)


WISH = "추세만 </user_preference> 🙂\n둘째 줄"


class Shelf:
    """Readings over the world's own candles."""

    def __init__(self, account: AskingAccount, window: list[Candle]) -> None:
        self.account, self.window = account, window
        self.read: set[str] = set()

    def asking(self, user_id: int) -> AskingAccount:
        return self.account

    def closed_candles(self, symbol: str, interval: str, count: int) -> list[Candle]:
        self.read.add(symbol)
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
    seen = Previews(Shelf(account, window), model("test-model")).of(trader.user_id)  # type: ignore[arg-type]
    assert seen is not None
    assert (seen.system.encode(), seen.user.encode()) == (sent.system.encode(), sent.user.encode())
    assert (seen.candles, seen.closed_ms) == (WINDOW, window[-1].open_time + MINUTE_MS)


def test_the_unsaved_text_is_previewed_and_a_day_is_288_calls() -> None:
    shelf = Shelf(AskingAccount("BTCUSDT", settings(custom_prompt="saved"), False, "en"), [])
    seen = Previews(shelf, model()).of(1, Strategy(instructions="typed"))  # type: ignore[arg-type]
    assert seen is not None
    assert "typed" in seen.user
    assert "saved" not in seen.user
    assert seen.tokens == estimated(seen.system) + estimated(seen.user)
    assert seen.tokens_day == (seen.tokens + ANSWER_TOKENS) * 288
    assert seen.usd_day == PRICES.cost(seen.tokens * 288, ANSWER_TOKENS * 288)
    guest = Shelf(AskingAccount("BTCUSDT", settings(custom_prompt="mine"), True, "ko"), [])
    told = Previews(guest, model(prices=AnalystPrices())).of(1)  # type: ignore[arg-type]
    assert told is not None
    assert ("mine" in told.user, told.usd_day, told.closed_ms) == (False, None, 0)


async def test_the_preview_of_another_symbol_is_what_is_sent_in_that_one() -> None:
    world = World()
    account_id = world.add_account()
    world.ledger.people.choose_symbols(world.user_of(account_id), ("BTCUSDT", "ETHUSDT"), world.clock.now_ms())
    await world.cycle("hold")
    sent = {"ETHUSDT" in prompt.user or "ETHUSDT" in prompt.system: prompt for prompt in world.analyst.asked}
    trader = await world.trader_account(account_id)
    account = AskingAccount(trader.symbol, trader.settings, trader.is_guest, trader.language)
    shelf = Shelf(account, await world.candles.newest("ETHUSDT", "1m", WINDOW))
    seen = Previews(shelf, model("test-model")).of(trader.user_id, symbol="ETHUSDT")  # type: ignore[arg-type]
    assert seen is not None
    assert (seen.system, seen.user) == (sent[True].system, sent[True].user)
    assert shelf.read == {"ETHUSDT"}


class Choosable:
    """What a person may choose: the environment's model, and a dearer one of the list."""

    def choices(self, user_id: int, *, is_guest: bool) -> list[ModelChoice]:
        dear = ModelChoice(model("dear", AnalystPrices(Decimal(5), Decimal(30))))
        return [ModelChoice(model())] if is_guest else [ModelChoice(model()), dear]


@pytest.mark.parametrize(
    ("chain", "cadence", "is_guest", "asked"),
    [
        (("dear", "default"), 15, False, "dear"),
        (("gone", "dear"), 5, False, "dear"),
        (("gone",), 60, False, "default"),
        ((), 5, False, "default"),
        (("dear",), 5, True, "default"),
    ],
)
def test_a_day_costs_what_the_chosen_model_costs_at_the_cadence(
    chain: tuple[str, ...], cadence: int, is_guest: bool, asked: str
) -> None:
    account = AskingAccount("BTCUSDT", settings(models=chain, cadence_min=cadence), is_guest, "en")
    seen = Previews(Shelf(account, []), model(), Choosable()).of(1)  # type: ignore[arg-type]
    assert seen is not None
    prices = AnalystPrices(Decimal(5), Decimal(30)) if asked == "dear" else PRICES
    each = prices.cost(seen.tokens, ANSWER_TOKENS)
    assert each is not None
    calls = 1440 // (5 if is_guest else cadence)
    assert (seen.asked.name, seen.calls) == (asked, calls)
    assert (seen.usd_call, seen.usd_day) == (each, each * calls)
