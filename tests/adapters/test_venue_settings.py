"""Feed, venues and site of a deployment: what could never trade stops the process with one line."""

import itertools
from dataclasses import replace

import pytest

from lib import settings
from lib.bootstrap import refuse_careless_web
from lib.domain.account import VENUES
from lib.domain.errors import Halt
from lib.domain.venues import CAPABILITIES, feed_fits
from lib.settings import load

FEEDS = ("synthetic", "replay:some.csv", "bybit", "bybit-testnet")


@pytest.mark.parametrize(("feed", "venue"), list(itertools.product(FEEDS, ("paper", "demo", "testnet"))))
def test_a_venue_whose_prices_are_not_the_feeds_is_refused_at_start(feed: str, venue: str) -> None:
    if feed_fits(feed, venue):  # type: ignore[arg-type]
        assert load({"FEED": feed, "VENUES": venue}).venues == (venue,)
        return
    with pytest.raises(Halt, match=f"VENUES={venue} can never trade on FEED={feed}"):
        load({"FEED": feed, "VENUES": venue})


def test_one_idle_venue_among_fitting_ones_is_refused_and_those_that_fit_are_named() -> None:
    with pytest.raises(Halt, match="paper, demo, mainnet") as caught:
        load({"FEED": "bybit", "VENUES": "paper,demo,testnet"})
    assert "\n" not in str(caught.value)


def test_without_a_word_about_venues_a_testnet_feed_is_refused() -> None:
    with pytest.raises(Halt, match="of: testnet"):
        load({"FEED": "bybit-testnet"})


CAREFUL = {"FEED": "bybit", "VENUES": "paper,mainnet", "DATABASE_URL": "mysql://web@127.0.0.1/maemae"}
WEB = {"PUBLIC_URL": "https://maemae.example", "MOST_GUESTS": "0"}
"""What a deployment with real money says of itself, and its web besides."""


def test_a_careful_deployment_may_name_the_venue_with_real_money() -> None:
    assert load(CAREFUL).venues == ("paper", "mainnet")
    assert load({**CAREFUL, "DATABASE_URL": ""}).venue_urls["mainnet"] == "https://api.bybit.com", "it needs no store"
    refuse_careless_web(load(CAREFUL | WEB))


CARELESS = {
    "a file for a database": ({"DATABASE_URL": "sqlite:///maemae.db"}, "DATABASE_URL must be a MySQL"),
    "other prices": ({"BYBIT_API_URL": "http://127.0.0.1:18700"}, "BYBIT_API_URL and BYBIT_WS_URL must be left out"),
    "another stream": ({"BYBIT_WS_URL": "ws://127.0.0.1:1/v5"}, "BYBIT_API_URL and BYBIT_WS_URL must be left out"),
    "no address": ({"PUBLIC_URL": ""}, "PUBLIC_URL must be the https"),
    "guests": ({"MOST_GUESTS": "3"}, "MOST_GUESTS must be 0"),
    "guests by default": ({"MOST_GUESTS": ""}, "MOST_GUESTS must be 0"),
}


@pytest.mark.parametrize("name", CARELESS)
def test_real_money_is_refused_at_the_start_where_its_gates_lack_a_footing(name: str) -> None:
    changed, line = CARELESS[name]
    with pytest.raises(Halt, match=f"VENUES=mainnet is refused: {line}") as caught:
        refuse_careless_web(load({**CAREFUL, **WEB} | changed))
    assert "\n" not in str(caught.value)
    harmless = load({**CAREFUL, **WEB, "VENUES": "paper,demo"} | changed)
    refuse_careless_web(harmless)
    assert harmless.venues == ("paper", "demo"), "without real money it is nobody's business"


def test_a_venue_without_what_the_order_protocol_needs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = dict(CAPABILITIES)
    rows["demo"] = replace(rows["demo"], has_stop_inside_entry=False)
    monkeypatch.setattr(settings, "CAPABILITIES", rows)
    with pytest.raises(Halt, match="VENUES=demo is refused: it has not a stop inside the entry"):
        load({"FEED": "bybit", "VENUES": "paper,demo"})


def test_every_feed_has_a_venue_to_trade_on() -> None:
    assert all(any(feed_fits(feed, venue) for venue in VENUES) for feed in FEEDS)


def test_a_site_moves_prices_and_keys_to_its_hosts_and_demo_stays() -> None:
    kz = load({"FEED": "bybit", "VENUES": "demo", "BYBIT_SITE": "kz"})
    assert (kz.bybit_api_url, kz.bybit_ws_url) == (
        "https://api.bybit.kz",
        "wss://stream.bybit.kz/v5/public/linear",
    )
    assert kz.venue_urls == {"demo": "https://api-demo.bybit.com"}
    assert load({}).bybit_site == "com"


def test_a_site_nobody_listed_is_refused() -> None:
    with pytest.raises(Halt, match="BYBIT_SITE='hk'"):
        load({"BYBIT_SITE": "hk"})


def test_addresses_are_addresses() -> None:
    assert load({"EGRESS_IPS": " 203.0.113.7, 2001:DB8::1 "}).egress_ips == ("203.0.113.7", "2001:db8::1")
    assert load({}).egress_ips == ()
    with pytest.raises(Halt, match="EGRESS_IPS"):
        load({"EGRESS_IPS": "my-server.example"})
