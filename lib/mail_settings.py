"""
Reading SMTP_URL: where letters are handed over, and how. Pure.

`smtps://user:password@host:465` speaks TLS from the first byte, `smtp://user:password@host:587` begins it before it
says anything (STARTTLS); plain text goes to this machine's own loopback alone.
"""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from lib.domain.errors import Halt

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PORTS = {"smtps": 465, "smtp": 587}


@dataclass(frozen=True, slots=True)
class Smtp:
    """*tls*: from the first byte, begun by STARTTLS, or none (loopback alone)."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    tls: Literal["first", "starttls", "none"]
    sender: str


def read_smtp(url: str, sender: str, public_url: str) -> Smtp | None:
    """The settings together; None where no letters are sent. *Halt* names what is missing or wrong."""
    if not url:
        return None
    if not sender or "@" not in sender or any(sign in sender for sign in "\r\n"):
        raise Halt("MAIL_FROM must be the address letters come from: SMTP_URL is set")
    if not public_url:
        raise Halt("PUBLIC_URL must be the address people open this server by: a link in a letter begins with it")
    parts = _split(url)
    host = parts.hostname or ""
    tls: Literal["first", "starttls", "none"] = "starttls"
    if parts.scheme == "smtps":
        tls = "first"
    elif host in LOOPBACK:
        tls = "none"
    port = parts.port or _PORTS[parts.scheme]
    return Smtp(host, port, unquote(parts.username or ""), unquote(parts.password or ""), tls, sender)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in _PORTS and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        valid = False
    if not valid:
        raise Halt("SMTP_URL must be smtps://user:password@host:465 or smtp://user:password@host:587")
    return parts


def read_public_url(text: str) -> str:
    """The address people open this server by, without a path; "" = nobody said."""
    url = text.strip().rstrip("/")
    if not url:
        return ""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and (parts.hostname or "") in LOOPBACK)
    if not is_safe or parts.path or parts.query or parts.fragment or parts.username:
        raise Halt("PUBLIC_URL must be https:// and the name people open this server by, and nothing after it")
    return url
