"""
A model the analyst may be: where it is asked, what it costs, how much a day; and the order of those asked. Pure.

The operator's list has names of its own; a person's own models are named `own/…` and are nobody else's. A chain is all
the operator's or all of one person: a failure never moves a bill from one payer to another. Whether a host's name leads
into a private network cannot be told here; who connects looks again at the address.
"""

import ipaddress
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from lib.domain import reason_codes as codes
from lib.domain.day import DAY_MS
from lib.domain.pricing import AnalystPrices
from lib.domain.reason import Reason
from lib.domain.spelling import has_unseen

DEFAULT_MODEL = "default"
"""The model of the environment (`OPENAI_*`): the first of the list, and what runs for who chose none."""
DEFAULT_CHAIN = (DEFAULT_MODEL,)
OWN = "own/"
MOST_IN_CHAIN = 4
MOST_OWN = 4
LONGEST_NAME = 40
LONGEST_SHOWN = 60
LONGEST_URL = 200
LONGEST_MODEL = 100
LONGEST_KEY = 400
MOST_PRICE = Decimal(10_000)
MOST_DAY = Decimal(100_000)
MOST_PLACES = 6
_NAME = re.compile(r"(own/)?[a-z0-9][a-z0-9-]{0,34}")
_DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_ROUTES = ("/chat/completions", "/completions", "/responses", "/messages", "/embeddings", "/models")
_NEAR = (".local", ".localhost", ".internal", ".lan", ".home", ".intranet", ".corp", ".home.arpa")

Flaw = Literal["", "name", "shown", "url", "https", "inner", "model", "price", "budget", "uncounted", "cutoff"]
"""What is wrong with a profile; *inner* = a person's endpoint inside the installation's network, *uncounted* = a budget
of a model whose price nobody knows."""


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """
    One model of a list. *base_url* ends before `/chat/completions`; *day_usd* is the most it may cost a UTC day, None =
    no cap of its own; one that is not *offered* is asked by nobody.
    """

    name: str
    shown: str
    base_url: str
    model: str
    prices: AnalystPrices = field(default_factory=AnalystPrices)
    day_usd: Decimal | None = None
    offered: bool = True
    cutoff: str = ""
    """The last day of what it was trained on (2024-06-30), as whoever put it on the list says; "" = not known."""

    @property
    def is_own(self) -> bool:
        """Whether it is a person's, paid by the person."""
        return is_own(self.name)

    @property
    def host(self) -> str:
        """Where it is asked, as pages show it: the host, and the port where one is given."""
        return urlsplit(self.base_url).netloc


@dataclass(frozen=True, slots=True)
class KeptModel:
    """
    A profile as it is stored: *owner_id* 0 = the operator's; *sealed* "" = it is asked without a key. *key_version*
    counts the keys it had, and the seal is bound to it.
    """

    profile: ModelProfile
    owner_id: int
    sealed: str
    key_version: int
    last4: str = ""


@dataclass(frozen=True, slots=True)
class ModelSeal:
    """What a sealed key of a model is bound to: moved to another person, name, address or version it does not open."""

    owner_id: int
    name: str
    base_url: str
    key_version: int


def seal_of(kept: KeptModel) -> ModelSeal:
    """What the key of *kept* is bound to."""
    return ModelSeal(kept.owner_id, kept.profile.name, kept.profile.base_url, kept.key_version)


def is_own(name: str) -> bool:
    """Whether *name* is of a person's own model."""
    return name.startswith(OWN)


def is_named(name: str) -> bool:
    """Whether *name* is spelled as a model of a list is."""
    return _NAME.fullmatch(name) is not None


def is_chain(names: Sequence[str]) -> bool:
    """Whether *names* may stand in this order: each once, at most `MOST_IN_CHAIN`, all of one payer."""
    spelled = all(map(is_named, names)) and len(set(names)) == len(names)
    return spelled and 1 <= len(names) <= MOST_IN_CHAIN and len(set(map(is_own, names))) == 1


def flaw_of(profile: ModelProfile, inner: Collection[str] | None = None) -> Flaw:
    """
    What is wrong with *profile*, "" for nothing. *inner* None = the operator's, who may name any host; else a person's,
    who may reach those `host:port` of the inner network and no other.
    """
    is_persons = inner is not None
    if not is_named(profile.name) or profile.is_own != is_persons or profile.name == DEFAULT_MODEL:
        return "name"
    if not profile.shown.strip() or len(profile.shown) > LONGEST_SHOWN or has_unseen(profile.shown):
        return "shown"
    if flaw := endpoint_flaw(profile.base_url, inner):
        return flaw
    if not 1 <= len(profile.model) <= LONGEST_MODEL or not _is_plain(profile.model):
        return "model"
    if profile.cutoff and cutoff_ms(profile.cutoff) is None:
        return "cutoff"
    return _money_flaw(profile)


def cutoff_ms(day: str) -> int | None:
    """The end of the UTC *day* (2024-06-30), epoch ms; None for a text that is none."""
    if not _DAY.fullmatch(day):
        return None
    try:
        return (date.fromisoformat(day) - date(1970, 1, 1)).days * DAY_MS + DAY_MS
    except ValueError:
        return None


def _money_flaw(profile: ModelProfile) -> Flaw:
    prices = profile.prices
    asked = [prices.input_usd, prices.output_usd, *([] if prices.cached_usd is None else [prices.cached_usd])]
    if not all(_is_money(price, MOST_PRICE) for price in asked):
        return "price"
    if profile.day_usd is None:
        return ""
    if not _is_money(profile.day_usd, MOST_DAY):
        return "budget"
    return "" if prices.known else "uncounted"


def _is_money(value: Decimal, most: Decimal) -> bool:
    # NaN compares with an exception, not with False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_PLACES and 0 <= value <= most


def endpoint_flaw(url: str, inner: Collection[str] | None) -> Flaw:
    """What is wrong with the address of a provider, see `flaw_of`."""
    parts = _parts(url)
    if parts is None or parts.hostname is None:
        return "url"
    host, is_near = parts.hostname, is_near_host(parts.hostname)
    if inner is not None and f"{host}:{port_of(parts)}" in inner:
        return ""
    if inner is not None and is_near:
        return "inner"
    return "" if parts.scheme == "https" or is_near else "https"


def _parts(url: str) -> SplitResult | None:
    """*url* taken apart, None when it is no address of a provider."""
    if not 1 <= len(url) <= LONGEST_URL or not _is_plain(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    odd = "@" in parts.netloc or "?" in url or "#" in url or "%" in parts.netloc or parts.path.endswith(_ROUTES)
    if odd or parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return None
    return None if _is_number(parts.hostname) else parts


def _is_number(host: str) -> bool:
    """Whether *host* is an address in a spelling that only a resolver reads: 127.1, 0x7f.1, 2130706433."""
    last = host.rstrip(".").rpartition(".")[2]
    return _address(host) is None and (last.isdigit() or last.startswith("0x"))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_plain(text: str) -> bool:
    return all("!" <= letter <= "~" for letter in text)


def port_of(parts: SplitResult) -> int:
    """The port of an address that has been checked."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def is_near_host(host: str) -> bool:
    """Whether *host* is this machine or one of its own network, as far as its name tells."""
    address = _address(host)
    if address is None:
        name = host.lower().rstrip(".")
        return "." not in name or name.endswith(_NEAR)
    return not is_outer(address)


def is_outer(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether *address* is one of the public internet; an IPv4 address inside an IPv6 one is judged by itself."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or _translated(address)
        if inside is not None:
            return is_outer(inside)
    return address.is_global and not address.is_multicast and not address.is_reserved


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _translated(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


_GOES_ON = (
    codes.ANALYST_TIMEOUT,
    codes.ANALYST_UNREACHABLE,
    codes.ANALYST_BUSY,
    codes.ANALYST_QUOTA,
    codes.MODEL_DAY_USED_UP,
)


def goes_on(why: Reason) -> bool:
    """Whether the next model is asked after one that failed so: it was away, at a limit or too slow, and no more."""
    if any(code.is_of(why) for code in _GOES_ON):
        return True
    broken = codes.ANALYST_HTTP.is_of(why) or codes.ANALYST_ERROR_INSIDE.is_of(why)
    return broken and int(str(why.params.get("status", 0))) >= 500


def part_of(left_s: float, models_left: int) -> float:
    """Seconds of *left_s* that the next of *models_left* models may take: an equal part, so that the last has one."""
    return left_s / models_left
