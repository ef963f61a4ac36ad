"""
Prices of known models, from the tables of genai-prices that come with the package; nothing is fetched.

A provider is known by its address, a model by its name. A model on this machine or in this network costs nothing by the
token, whatever the same model costs elsewhere. Discounts for cached or delayed questions are not counted: the cap on
cost rather stops early than late.
"""

import ipaddress
from decimal import Decimal
from urllib.parse import urlsplit

from genai_prices import Usage, calc_price

from lib.domain.pricing import MILLION, AnalystPrices

_LIKELY = 2_000
"""Tokens of a question and of an answer about as long as ours: prices may depend on the length."""


def known_prices(base_url: str, model: str) -> AnalystPrices:
    """The prices of *model* at *base_url*; unknown prices for a model the tables do not have."""
    if _is_near(urlsplit(base_url).hostname or ""):
        return AnalystPrices()
    for url in (base_url, None):  # an unknown address may be a relay to a known provider
        try:
            return AnalystPrices(_per_million(model, url, "input_tokens"), _per_million(model, url, "output_tokens"))
        except (LookupError, ValueError):
            continue
    return AnalystPrices()


def _per_million(model: str, url: str | None, kind: str) -> Decimal:
    usage = Usage(**{"input_tokens": 0, "output_tokens": 0, kind: _LIKELY})
    found = calc_price(usage, model, provider_api_url=url) if url else calc_price(usage, model)
    return Decimal(found.total_price) * MILLION / _LIKELY


def _is_near(host: str) -> bool:
    """Whether *host* is this machine or one of its own network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan", ".home.arpa"))
    return not address.is_global
