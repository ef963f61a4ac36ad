"""
Channels: where a person's notifications are sent besides the bell, how an address is read, and when it is quiet.

An address is written as the library that sends knows it, and holds tokens: it is sealed where it is typed and never
shown again. Only services spoken to over HTTPS are read, and nothing may follow the address: options there could turn
certificates off or name a file of this machine. Pure; whether a host is a private one is looked at when it is called.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from urllib.parse import SplitResult, urlsplit

from lib.domain.events import MANNERS, EventKind

MOST_CHANNELS = 5
LONGEST_ADDRESS = 500
LONGEST_NAME = 40
MOST_FAILURES = 8
"""In a row, with ever longer waits between: then the channel is switched off and its person told."""
STALE_MS = 24 * 3_600_000
"""What is due and was not sent for so long stays in the bell: after a restore nobody reads last week's news as news."""
FIRST_WAIT_MS = 10_000
LONGEST_WAIT_MS = 3_600_000
DAY_MINUTES = 1_440
REPORT_HOUR = 9
"""Of a person's day, for who chose none: when the daily report is told."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service people are told by: *scheme* of its addresses, an *example*, and whether they name a host."""

    name: str
    scheme: str
    example: str
    has_host: bool = False
    sites: tuple[str, ...] = ()
    """Hosts whose own https:// addresses are taken as they are copied."""


SERVICES: Mapping[str, Service] = {
    one.name: one
    for one in (
        Service("telegram", "tgram", "tgram://BOT_TOKEN/CHAT_ID"),
        Service(
            "discord", "discord", "https://discord.com/api/webhooks/ID/TOKEN", sites=("discord.com", "discordapp.com")
        ),
        Service("slack", "slack", "https://hooks.slack.com/services/T/B/KEY", sites=("hooks.slack.com",)),
        Service("ntfy", "ntfys", "ntfys://ntfy.sh/TOPIC", has_host=True),
        Service("pushover", "pover", "pover://USER_KEY@APP_TOKEN"),
        Service("gotify", "gotifys", "gotifys://HOST/TOKEN", has_host=True),
        Service("webhook", "jsons", "jsons://HOST/PATH", has_host=True),
    )
}


@dataclass(frozen=True, slots=True)
class Address:
    """A channel's address in clear; its repr shows nothing of it."""

    service: str
    url: str = field(repr=False)


def read_address(service: str, text: str, *, private_hosts: bool = False) -> Address | None:
    """What *text* names for *service*; None for anything that is no address of it, or of a private host."""
    known, url = SERVICES.get(service), text.strip()
    if known is None or len(url) > LONGEST_ADDRESS or not url.isprintable() or any(c in url for c in " \\?#"):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if not url.isascii() or not parts.netloc or not (parts.path.strip("/") or "@" in parts.netloc):
        return None
    if parts.scheme == "https" and known.sites:
        return Address(service, url) if parts.netloc in known.sites else None
    if parts.scheme != known.scheme or (known.has_host and not _may_call(parts, private_hosts=private_hosts)):
        return None
    return Address(service, url)


def _may_call(parts: SplitResult, *, private_hosts: bool) -> bool:
    """Whether *parts* name a host that may be called; of a token in a host's place nothing is asked."""
    try:
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return False
    return bool(host) and port != 0 and (private_hosts or not is_private_name(host))


def is_private_name(host: str) -> bool:
    """Whether *host*, as it is written, cannot be a place in the public internet."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        # a number that is no address (0x7f.1, 2130706433) is read as one by some resolvers
        last = host.rpartition(".")[2]
        return "." not in host or last in ("localhost", "local", "internal", "lan", "home") or not last[:1].isalpha()


@dataclass(frozen=True, slots=True)
class TellingChoices:
    """
    How somebody wants to be told: kinds they *switched* from the usual, and quiet hours from *quiet_from* until
    *quiet_until* (minutes of their day, both or neither; the second may be the next day's). *report_hour* is the hour
    of their day that the daily report is told at.
    """

    switched: Mapping[EventKind, bool] = field(default_factory=dict)
    quiet_from: int | None = None
    quiet_until: int | None = None
    report_hour: int = REPORT_HOUR

    @property
    def are_whole(self) -> bool:
        """Whether the quiet hours are two minutes of a day, or none at all, and the report's an hour of it."""
        quiet = (self.quiet_from, self.quiet_until)
        if not 0 <= self.report_hour < 24:
            return False
        return quiet == (None, None) or all(one is not None and 0 <= one < DAY_MINUTES for one in quiet)

    def wants(self, kind: EventKind) -> bool:
        """Whether *kind* is sent to their channels."""
        return self.switched.get(kind, MANNERS[kind].wanted)

    def due_ms(self, kind: EventKind, now_ms: int, zone: tzinfo) -> int:
        """When something of *kind* is sent that is told at *now_ms*: the end of quiet hours, unless it is urgent."""
        if MANNERS[kind].urgent or self.quiet_from is None or self.quiet_until is None:
            return now_ms
        return quiet_end_ms(now_ms, zone, self.quiet_from, self.quiet_until)


def quiet_end_ms(now_ms: int, zone: tzinfo, start: int, end: int) -> int:
    """*now_ms*, or the end of the quiet hours from minute *start* to minute *end* of the day in *zone* it lies in."""
    here = datetime.fromtimestamp(now_ms / 1000, tz=zone)
    minute = here.hour * 60 + here.minute
    if (minute - start) % DAY_MINUTES >= (end - start) % DAY_MINUTES:
        return now_ms
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    over = midnight + timedelta(days=minute >= end, minutes=end)
    return max(now_ms, round(over.timestamp() * 1000))


def wait_ms(failures: int) -> int:
    """How long a channel that failed *failures* times in a row is left alone."""
    return int(min(FIRST_WAIT_MS * 3 ** min(failures - 1, 10), LONGEST_WAIT_MS))
