"""Whose prices an account may trade on: never another market's."""

from dataclasses import replace

import pytest

from lib.domain.account import Venue
from lib.trading.context import due
from tests.factories import T, trader_account


@pytest.mark.parametrize("venue", ["demo", "testnet", "mainnet"])
@pytest.mark.parametrize("feed", ["synthetic", "replay:day.csv"])
def test_no_exchange_but_ours_is_served_from_made_up_prices(venue: Venue, feed: str) -> None:
    registered_on = "bybit-testnet" if venue == "testnet" else "bybit"
    account = replace(trader_account(), venue=venue, feed=registered_on, auto_since=0)
    assert due(account, registered_on, T)
    assert not due(account, feed, T)


def test_a_deployment_moved_to_the_test_network_leaves_accounts_of_the_real_market_alone() -> None:
    account = replace(trader_account(), venue="demo", feed="bybit", auto_since=0)
    assert not due(account, "bybit-testnet", T)
