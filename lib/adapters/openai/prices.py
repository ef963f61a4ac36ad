"""
Prices of known models, from the tables of genai-prices that come with the package; nothing is fetched.

A provider is known by its address, a model by its name. What a model on this machine or in this network costs nobody
knows, whatever the same model costs elsewhere; the rules that come along are free there. Discounts for delayed
questions are not counted: a cap on cost rather stops early than late.
"""

from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlsplit

from genai_prices import Usage, calc_price

from lib.domain.analyst_name import is_rules
from lib.domain.model_profile import ModelProfile, is_near_host
from lib.domain.position import ZERO
from lib.domain.pricing import MILLION, AnalystPrices

_LIKELY = 2_000
"""Tokens of a question and of an answer about as long as ours: prices may depend on the length."""


def known_prices(base_url: str, model: str) -> AnalystPrices:
    """The prices of *model* at *base_url*; unknown prices for a model the tables do not have."""
    if is_near_host(urlsplit(base_url).hostname or ""):
        return AnalystPrices(free=is_rules(model))
    for url in (base_url, None):  # an unknown address may be a relay to a known provider
        try:
            asked, said = _per_million(model, url, "input_tokens"), _per_million(model, url, "output_tokens")
            return AnalystPrices(asked, said, _cached(model, url, asked))
        except (LookupError, ValueError):
            continue
    return AnalystPrices()


def priced(profile: ModelProfile) -> ModelProfile:
    """*profile* with the prices somebody gave it, else with those the tables know; unknown ones stay unknown."""
    if profile.prices.known:
        return profile
    return replace(profile, prices=known_prices(profile.base_url, profile.model))


def _cached(model: str, url: str | None, asked: Decimal) -> Decimal | None:
    """What a token of a question costs that the provider had kept; None where the tables give no discount."""
    usage = Usage(input_tokens=_LIKELY, output_tokens=0, cache_read_tokens=_LIKELY)
    cached = _total(usage, model, url)
    return cached if ZERO < cached < asked else None


def _per_million(model: str, url: str | None, kind: str) -> Decimal:
    return _total(Usage(**{"input_tokens": 0, "output_tokens": 0, kind: _LIKELY}), model, url)


def _total(usage: Usage, model: str, url: str | None) -> Decimal:
    found = calc_price(usage, model, provider_api_url=url) if url else calc_price(usage, model)
    return Decimal(found.total_price) * MILLION / _LIKELY
