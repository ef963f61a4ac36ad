"""
What the processes that tell people are told: the pair that seals addresses, the operators' own, whether hosts of this
network may be called, the Telegram bot, and where a sign of life goes. Pure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lib.domain.channel import SERVICES, Address, read_address
from lib.domain.errors import Halt

NOTIFY_SECRETS = (
    "NOTIFIER_KEY", "NOTIFIER_PUBLIC_KEY", "NOTIFY_OPERATORS", "TELEGRAM_BOT_TOKEN", "HEARTBEAT_URL",
)  # fmt: skip
TELEGRAM = "https://api.telegram.org"
_TOKEN = re.compile(r"\d{3,20}:[\w-]{20,80}", re.ASCII)
_HERE = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|\Z)")
Reader = Callable[[Mapping[str, str], str], str]
"""Reads one setting by its name."""


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """
    *key* opens addresses and is the notifier's alone, *public_key* seals them; "" = no channels here. *bot_token* is
    the Telegram bot's, of its own process alone, and *bot_api* where it is spoken to. *heartbeat* is a URL.
    """

    key: str = field(repr=False)
    public_key: str
    operators: tuple[Address, ...] = field(repr=False)
    private_hosts: bool
    bot_token: str = field(default="", repr=False)
    bot_api: str = TELEGRAM
    heartbeat: str = field(default="", repr=False)

    @property
    def own_secrets(self) -> tuple[tuple[str, str], ...]:
        """What of it only this deployment knows, by its setting's name."""
        theirs = tuple(("NOTIFY_OPERATORS", one.url) for one in self.operators)
        kept = (("TELEGRAM_BOT_TOKEN", self.bot_token), ("HEARTBEAT_URL", self.heartbeat))
        return ("NOTIFIER_KEY", self.key), *theirs, *kept


def read_notify(source: Mapping[str, str], key: Reader, secret: Reader) -> NotifySettings:
    """The settings in *source*, by *key* and *secret* of `lib.settings`. *Halt* names what is wrong."""
    private = source.get("NOTIFY_PRIVATE_HOSTS") or "false"
    if private not in ("true", "false"):
        raise Halt("NOTIFY_PRIVATE_HOSTS is true or false")
    operators = _addresses(secret(source, "NOTIFY_OPERATORS"), private_hosts=private == "true")
    return NotifySettings(
        key(source, "NOTIFIER_KEY"),
        key(source, "NOTIFIER_PUBLIC_KEY"),
        operators,
        private == "true",
        bot_token=_bot_token(secret(source, "TELEGRAM_BOT_TOKEN")),
        bot_api=_called("TELEGRAM_API_URL", source.get("TELEGRAM_API_URL", "").strip() or TELEGRAM),
        heartbeat=_called("HEARTBEAT_URL", secret(source, "HEARTBEAT_URL")),
    )


def _bot_token(text: str) -> str:
    if text and not _TOKEN.fullmatch(text):
        raise Halt("TELEGRAM_BOT_TOKEN is not what @BotFather gives: digits, a colon, and some 35 characters")
    return text


def _called(name: str, url: str) -> str:
    """*url*, which holds a secret and so is called over TLS, unless it is of this machine."""
    if url and not (url.startswith("https://") or _HERE.match(url)):
        raise Halt(f"{name} must begin with https://")
    return url.rstrip("/")


def _addresses(text: str, *, private_hosts: bool) -> tuple[Address, ...]:
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    found = [read_address(service.strip(), url, private_hosts=private_hosts) for service, _, url in pairs]
    read = tuple(one for one in found if one is not None)
    if len(read) < len(pairs):
        raise Halt(f"NOTIFY_OPERATORS is a list of SERVICE=ADDRESS with SERVICE one of {', '.join(SERVICES)}")
    return read
