"""
What the notifier and the web are told about channels: the pair that seals addresses, the operators' own, and whether
hosts of this network may be called. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lib.domain.channel import SERVICES, Address, read_address
from lib.domain.errors import Halt

NOTIFY_SECRETS = ("NOTIFIER_KEY", "NOTIFIER_PUBLIC_KEY", "NOTIFY_OPERATORS")
Reader = Callable[[Mapping[str, str], str], str]
"""Reads one setting by its name."""


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """*key* opens addresses and is the notifier's alone, *public_key* seals them; "" = no channels here."""

    key: str = field(repr=False)
    public_key: str
    operators: tuple[Address, ...] = field(repr=False)
    private_hosts: bool


def read_notify(source: Mapping[str, str], key: Reader, secret: Reader) -> NotifySettings:
    """The settings in *source*, by *key* and *secret* of `lib.settings`. *Halt* names what is wrong."""
    private = source.get("NOTIFY_PRIVATE_HOSTS") or "false"
    if private not in ("true", "false"):
        raise Halt("NOTIFY_PRIVATE_HOSTS is true or false")
    operators = _addresses(secret(source, "NOTIFY_OPERATORS"), private_hosts=private == "true")
    return NotifySettings(key(source, "NOTIFIER_KEY"), key(source, "NOTIFIER_PUBLIC_KEY"), operators, private == "true")


def _addresses(text: str, *, private_hosts: bool) -> tuple[Address, ...]:
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    found = [read_address(service.strip(), url, private_hosts=private_hosts) for service, _, url in pairs]
    read = tuple(one for one in found if one is not None)
    if len(read) < len(pairs):
        raise Halt(f"NOTIFY_OPERATORS is a list of SERVICE=ADDRESS with SERVICE one of {', '.join(SERVICES)}")
    return read
