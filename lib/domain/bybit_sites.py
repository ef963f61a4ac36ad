"""
Bybit's sites and their hosts: a closed list, so that a signed request goes nowhere else.

An account lives on the site where it was registered, and its keys are unknown on every other site. Bybit names a
REST host for each site and a stream host for some; accounts of the other sites are streamed from bybit.com. Demo
trading has one host for all sites. https://bybit-exchange.github.io/docs/v5/guide
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lib.domain.account import Venue

MAIN_STREAM, TEST_STREAM = "wss://stream.bybit.com", "wss://stream-testnet.bybit.com"
TEST_REST = "https://api-testnet.bybit.com"
KEY_PAGE = "/app/user/api-management"


@dataclass(frozen=True, slots=True)
class Site:
    """One site's hosts, as URLs without a path."""

    rest: str
    stream: str = MAIN_STREAM
    test_rest: str = TEST_REST

    @property
    def rest_urls(self) -> dict[Venue, str]:
        """REST base URL by venue."""
        return {"demo": "https://api-demo.bybit.com", "testnet": self.test_rest, "mainnet": self.rest}

    @property
    def key_pages(self) -> dict[Venue, str]:
        """Where an account's owner makes keys, by venue; a demo account's are made there too, in demo trading."""
        home = self.rest.replace("//api.", "//www.")
        return {
            "demo": f"{home}{KEY_PAGE}",
            "testnet": f"https://testnet.bybit.com{KEY_PAGE}",
            "mainnet": f"{home}{KEY_PAGE}",
        }

    @property
    def private_urls(self) -> dict[Venue, str]:
        """URL of the private stream by venue."""
        hosts: dict[Venue, str] = {
            "demo": "wss://stream-demo.bybit.com",
            "testnet": TEST_STREAM,
            "mainnet": self.stream,
        }
        return {venue: f"{host}/v5/private" for venue, host in hosts.items()}

    @property
    def feeds(self) -> dict[str, tuple[str, str]]:
        """REST base URL and public stream by the name of the feed."""
        public = "/v5/public/linear"
        return {
            "bybit": (self.rest, f"{self.stream}{public}"),
            "bybit-testnet": (self.test_rest, f"{TEST_STREAM}{public}"),
        }


SITES: Mapping[str, Site] = {
    "com": Site("https://api.bybit.com"),
    "bytick": Site("https://api.bytick.com"),
    "kz": Site("https://api.bybit.kz", "wss://stream.bybit.kz"),
    "tr": Site("https://api.bybit.tr", "wss://stream.bybit.tr"),
    "nl": Site("https://api.bybit.nl"),
    "ae": Site("https://api.bybit.ae"),
    "id": Site("https://api.bybit.id", "wss://stream.bybit.id"),
    "eu": Site("https://api.bybit.eu"),
    "georgia": Site("https://api.bybitgeorgia.ge", "wss://stream.bybitgeorgia.ge"),
    "jp": Site("https://api.manepa.jp", "wss://stream.manepa.jp", "https://api-testnet.manepa.jp"),
}
FEEDS = frozenset(SITES["com"].feeds)
"""Feeds that are a real venue's prices."""

DOMAINS = (
    *(
        "bybit.com",
        "bytick.com",
        "bybit.kz",
        "bybit.tr",
        "bybit-tr.com",
        "bybit.nl",
        "bybit.ae",
        "bybit.id",
        "bybit.eu",
    ),
    *("bybitgeorgia.ge", "manepa.jp", "byhkbit.com"),
)
"""Every domain that is Bybit's: an address's calls are counted together over all of them."""


def is_bybits(host: str) -> bool:
    """Whether *host* is a host of Bybit's."""
    return any(host == domain or host.endswith(f".{domain}") for domain in DOMAINS)
