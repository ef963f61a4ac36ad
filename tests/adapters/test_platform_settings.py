"""The platform's limits come from the environment, are on without it, and nonsense stops the process."""

from decimal import Decimal

import pytest

from lib.bootstrap.analyst import analyst_prices
from lib.domain.account import PlatformLimits
from lib.domain.errors import Halt
from lib.domain.pricing import AnalystPrices
from lib.settings import load


def test_without_a_word_every_limit_of_the_platform_is_on_and_no_price_is_known() -> None:
    settings = load({})
    assert settings.platform_limits == PlatformLimits()
    assert settings.analyst_prices == AnalystPrices()


def test_each_limit_is_the_operators_to_choose() -> None:
    chosen = load(
        {
            "PLATFORM_DAILY_LOSS": "0.03",
            "PLATFORM_MAX_EXPOSURE_USDT": "25000.50",
            "PLATFORM_ENTRIES_PER_DAY": "40",
            "PLATFORM_ANALYST_FAILURES": "2",
            "PLATFORM_ANALYST_TOKENS": "100000",
            "PLATFORM_ANALYST_COST_USD": "1.25",
            "ANALYST_PRICE_INPUT_USD": "0.25",
            "ANALYST_PRICE_OUTPUT_USD": "2",
        }
    )
    assert chosen.platform_limits == PlatformLimits(
        Decimal("0.03"), Decimal("25000.50"), 40, 2, 100_000, Decimal("1.25")
    )
    assert chosen.analyst_prices == AnalystPrices(Decimal("0.25"), Decimal(2))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLATFORM_DAILY_LOSS", "-0.1"),
        ("PLATFORM_DAILY_LOSS", "5"),
        ("PLATFORM_DAILY_LOSS", "5 %"),
        ("PLATFORM_DAILY_LOSS", "NaN"),
        ("PLATFORM_MAX_EXPOSURE_USDT", "Infinity"),
        ("PLATFORM_MAX_EXPOSURE_USDT", "1e400"),
        ("PLATFORM_ENTRIES_PER_DAY", "many"),
        ("PLATFORM_ENTRIES_PER_DAY", "-1"),
        ("PLATFORM_ANALYST_FAILURES", "0"),
        ("PLATFORM_ANALYST_TOKENS", "nan"),
        ("ANALYST_PRICE_INPUT_USD", "-1"),
    ],
)
def test_a_limit_that_makes_no_sense_stops_the_process_by_its_name(name: str, value: str) -> None:
    with pytest.raises(Halt, match=name):
        load({name: value})


def test_one_price_without_the_other_is_refused() -> None:
    with pytest.raises(Halt, match="belong together"):
        load({"ANALYST_PRICE_OUTPUT_USD": "2"})


def test_a_cost_limit_that_nothing_could_count_is_refused() -> None:
    unknown = {"PLATFORM_ANALYST_COST_USD": "5", "OPENAI_MODEL": "my-own-model"}
    with pytest.raises(Halt, match="PLATFORM_ANALYST_COST_USD cannot be counted"):
        analyst_prices(load(unknown))
    assert analyst_prices(load({**unknown, "PLATFORM_ANALYST_COST_USD": ""})) == AnalystPrices()
    own = {"ANALYST_PRICE_INPUT_USD": "1", "ANALYST_PRICE_OUTPUT_USD": "2"}
    assert analyst_prices(load({**unknown, **own})) == AnalystPrices(Decimal(1), Decimal(2))


def test_a_known_model_has_its_known_price_without_a_word_and_the_operators_price_wins() -> None:
    known = analyst_prices(load({"OPENAI_MODEL": "gpt-5-mini"}))
    assert known == AnalystPrices(Decimal("0.25"), Decimal(2), Decimal("0.025"))
    own = {"OPENAI_MODEL": "gpt-5-mini", "ANALYST_PRICE_INPUT_USD": "3", "ANALYST_PRICE_OUTPUT_USD": "4"}
    assert analyst_prices(load(own)) == AnalystPrices(Decimal(3), Decimal(4))


def test_a_call_costs_its_tokens_at_the_price_of_a_million_exactly() -> None:
    prices = AnalystPrices(Decimal("0.25"), Decimal(2))
    assert prices.cost(1_900, 60) == Decimal("0.000595")
    assert prices.cost(0, 0) == 0
    assert AnalystPrices().cost(1_900, 60) is None
