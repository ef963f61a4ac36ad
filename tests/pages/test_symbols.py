"""Several symbols an account: the dashboard's switch, what an account trades, and the log of one of them."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from app.i18n import catalogue
from lib.domain.account import Limits
from tests.pages.conftest import Visit
from tests.pages.test_pages import component
from tests.worlds.pages import OWNER

ETH = {"symbol": "ETHUSDT", "position_qty": Decimal(-2), "avg_entry_price": Decimal(3_000)}


@pytest.fixture
def several(staged: SimpleNamespace) -> SimpleNamespace:
    """The staged system with two symbols on offer beside the one that is traded."""
    staged.symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    return staged


def test_one_symbol_alone_has_no_switch(visit: Visit) -> None:
    at = visit("t-owner")
    assert not any(one.key == "symbol" for one in at.button_group)
    assert component(at, "position")["several"] is False


def test_the_switch_has_what_the_account_trades_first_and_everything_follows_it(
    visit: Visit, several: SimpleNamespace
) -> None:
    several.shelf.beside = (ETH | {"symbol": "SOLUSDT"},)
    at = visit("t-owner")
    switch = at.button_group(key="symbol")
    assert [one.content for one in switch.proto.options] == ["BTCUSDT", "SOLUSDT", "ETHUSDT"]
    switch.set_value("SOLUSDT").run()
    assert not at.exception
    assert at.query_params["symbol"] in (["SOLUSDT"], "SOLUSDT")
    chart = component(at, "tvchart")
    assert (chart["symbol"], chart["position"]) == ("SOLUSDT", {"qty": -2.0, "entry": 3000.0})
    assert component(at, "position")["symbol"] == "SOLUSDT"
    assert component(at, "bar")["symbol"] == "SOLUSDT"
    at.button_group(key="symbol").set_value("BTCUSDT").run()
    assert "symbol" not in at.query_params, "the first needs no word"


@pytest.mark.parametrize(("asked", "shown"), [("ETHUSDT", "ETHUSDT"), ("DOGEUSDT", "BTCUSDT"), ("", "BTCUSDT")])
def test_an_address_shows_its_symbol_and_one_there_is_none_of_the_first(
    visit: Visit, several: SimpleNamespace, asked: str, shown: str
) -> None:
    at = visit("t-owner", symbol=asked)
    assert component(at, "tvchart")["symbol"] == shown
    assert at.button_group(key="symbol").value == shown


def test_the_preview_of_a_strategy_is_of_the_chosen_symbol(visit: Visit, several: SimpleNamespace) -> None:
    at = visit("t-owner", page="strategy")
    assert "system of BTCUSDT" in [one.value for one in at.code]
    at.button_group(key="symbol").set_value("ETHUSDT").run()
    assert not at.exception
    assert "system of ETHUSDT" in [one.value for one in at.code]


def test_who_has_no_account_looks_at_everything_on_offer(visit: Visit, several: SimpleNamespace) -> None:
    at = visit("t-new")
    assert not at.exception
    assert [one.content for one in at.button_group(key="symbol").proto.options] == list(several.symbols)


def test_what_is_traded_is_chosen_and_a_symbol_taken_off_is_guarded_and_says_so(
    visit: Visit, several: SimpleNamespace
) -> None:
    several.shelf.beside = (ETH | {"traded": False},)
    at = visit("t-owner", "settings", "en")
    pills = at.button_group(key="traded_symbols")
    assert pills.value == ["BTCUSDT"]
    assert catalogue("en")["traded.guarded"].format(symbol="ETHUSDT") in " ".join(one.value for one in at.caption)
    pills.set_value(["BTCUSDT", "SOLUSDT"]).run()
    assert several.acts.done == [("symbols", OWNER.user_id, ("BTCUSDT", "SOLUSDT"))]


def test_how_much_is_open_in_all_symbols_is_a_limit_with_a_sentence(visit: Visit, several: SimpleNamespace) -> None:
    at = visit("t-owner", "settings", "ko")
    captions = [one.value for one in at.caption]
    assert all(catalogue("ko")[f"traded.{name}"] in captions for name in ("max_positions", "correlation"))
    at.number_input(key="over_all_max_positions").set_value(2).run()
    [(what, _, wanted, version)] = several.acts.done
    assert (what, wanted.limits, version) == ("settings", Limits(max_positions=2), 1)


def test_one_symbol_alone_is_no_choice(visit: Visit) -> None:
    assert not any(one.key == "traded_symbols" for one in visit("t-owner", "settings").button_group)


def test_the_log_is_filtered_by_symbol_where_there_are_several(visit: Visit, several: SimpleNamespace) -> None:
    at = visit("t-owner", "trade_logs", "en")
    assert list(at.dataframe[0].value.columns)[:2] == ["time", "symbol"]
    at.selectbox(key="symbol").set_value("ETHUSDT").run()
    assert at.query_params["symbol"] in (["ETHUSDT"], "ETHUSDT")
    assert not at.dataframe, "all rows are of another"


def test_the_log_of_one_symbol_needs_no_column_of_it(visit: Visit) -> None:
    at = visit("t-owner", "trade_logs")
    assert "symbol" not in at.dataframe[0].value.columns
