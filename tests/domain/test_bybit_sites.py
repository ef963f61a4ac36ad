"""Signed requests go to the hosts Bybit lists for its sites, and the limiter knows every one of them as one address."""

from urllib.parse import urlsplit

import pytest

from lib.adapters.bybit.limits.limiter import family_of
from lib.domain.bybit_sites import DOMAINS, FEEDS, SITES, is_bybits

HOSTS = {
    "com": "api.bybit.com", "bytick": "api.bytick.com", "kz": "api.bybit.kz", "tr": "api.bybit.tr",
    "nl": "api.bybit.nl", "ae": "api.bybit.ae", "id": "api.bybit.id", "eu": "api.bybit.eu",
    "georgia": "api.bybitgeorgia.ge", "jp": "api.manepa.jp",
}  # fmt: skip
OWN_STREAMS = {"kz", "tr", "id", "georgia", "jp"}


@pytest.mark.parametrize("name", SITES)
def test_a_site_has_its_own_host_and_its_stream_or_the_common_one(name: str) -> None:
    site = SITES[name]
    assert urlsplit(site.rest_urls["mainnet"]).hostname == HOSTS[name]
    stream = urlsplit(site.private_urls["mainnet"]).hostname
    own = HOSTS[name].replace("api.", "stream.", 1)
    assert stream == (own if name in OWN_STREAMS else "stream.bybit.com")


@pytest.mark.parametrize("name", SITES)
def test_demo_and_testnet_are_where_bybit_says(name: str) -> None:
    assert SITES[name].rest_urls["demo"] == "https://api-demo.bybit.com"
    assert SITES[name].private_urls["demo"] == "wss://stream-demo.bybit.com/v5/private"
    testnet = "https://api-testnet.manepa.jp" if name == "jp" else "https://api-testnet.bybit.com"
    assert SITES[name].rest_urls["testnet"] == testnet


def test_every_host_of_every_site_counts_as_one_address() -> None:
    urls = [url for site in SITES.values() for url in (*site.rest_urls.values(), *site.private_urls.values())]
    urls += [url for site in SITES.values() for pair in site.feeds.values() for url in pair]
    assert {family_of(url) for url in urls} == {"bybit"}
    assert all(urlsplit(url).scheme in ("https", "wss") for url in urls)


@pytest.mark.parametrize("host", ["notbybit.com", "bybit.com.evil.example", "bybit.kz.example", "", "127.0.0.1"])
def test_a_host_that_only_looks_like_bybits_is_another(host: str) -> None:
    assert not is_bybits(host)


def test_a_site_changes_hosts_and_never_which_feeds_there_are() -> None:
    assert {frozenset(site.feeds) for site in SITES.values()} == {FEEDS}
    assert all(is_bybits(f"api.{domain}") for domain in DOMAINS)
