"""
Reading one value of the environment: what it may be, and one line for what it may not. Pure.
"""

import base64
import binascii
import ipaddress
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from lib.analyst_settings import refuse_unseen
from lib.domain.errors import Halt

PLACEHOLDERS = frozenset(
    {"your-encryption-key", "your-secret-key", "change-me", "changeme", "sk-...", "secret", "password"}
)


def url(source: Mapping[str, str], name: str, default: str) -> str:
    """A URL without a slash at its end."""
    value = source.get(name) or default
    if not value.startswith(("http://", "https://", "ws://", "wss://")):
        raise Halt(f"{name} must be a URL beginning with http(s):// or ws(s)://")
    return value.rstrip("/")


def names(text: str, *, upper: bool = True) -> tuple[str, ...]:
    """Names between commas, each once; in capitals unless not *upper*."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names or not all(name.isalnum() for name in names):
        raise Halt(f"a list of names was expected, got {text!r}")
    return tuple(name.upper() for name in names) if upper else names


def first(source: Mapping[str, str], names: tuple[str, ...]) -> str:
    """The first of *names*, all URLs, that is set, "" for none; *Halt* for one whose password is a placeholder."""
    name = next((name for name in names if source.get(name, "").strip()), "")
    if not name:
        return ""
    value = refuse_unseen(name, source[name].strip())
    if _is_placeholder(_password_of(value)):
        raise Halt(f"{name} still holds a placeholder for the password: put the real one there")
    return value


def _password_of(url: str) -> str:
    """The password in *url*, "" for none."""
    credentials, at, _ = url.partition("://")[2].rpartition("@")
    return credentials.partition(":")[2] if at else ""


def _is_placeholder(value: str) -> bool:
    return value.lower() in PLACEHOLDERS or value.lower().startswith(("your-", "replace-", "<"))


MOST_WEB_ADDRESSES = 8


def web_addresses(source: Mapping[str, str], name: str) -> tuple[str, ...]:
    """http and https URLs between spaces or commas, each once, none with a password in it."""
    found = tuple(dict.fromkeys(source.get(name, "").replace(",", " ").split()))
    for one in found:
        try:
            parts = urlsplit(refuse_unseen(name, one))
            sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            sound = False
        if not sound or "@" in one.partition("://")[2].partition("/")[0]:
            raise Halt(f"{name}: each is a URL beginning with http:// or https://, without a user and password")
    if len(found) > MOST_WEB_ADDRESSES:
        raise Halt(f"{name} names more than {MOST_WEB_ADDRESSES} addresses")
    return found


def addresses(source: Mapping[str, str], name: str) -> tuple[str, ...]:
    """IP addresses between commas."""
    written = tuple(part.strip() for part in source.get(name, "").split(",") if part.strip())
    try:
        return tuple(str(ipaddress.ip_address(part)) for part in written)
    except ValueError:
        raise Halt(f"{name} is a list of IP addresses, as the exchange sees them: 203.0.113.7,203.0.113.8") from None


def secret(source: Mapping[str, str], name: str) -> str:
    """A secret, which is no placeholder; "" when it is not set."""
    value = source.get(name, "").strip()
    if _is_placeholder(value):
        raise Halt(f"{name} still holds a placeholder: put a real value there")
    return refuse_unseen(name, value)


def key(source: Mapping[str, str], name: str) -> str:
    """Base64 of 32 random bytes; "" when it is not set."""
    if not (value := secret(source, name)):
        return ""
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32 or len(set(raw)) < 12:
        raise Halt(f"{name} must be base64 of 32 random bytes: make one with `python -m services.keys`")
    return value


def keys(source: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Several keys between commas."""
    parts = (part.strip() for part in source.get(name, "").split(","))
    return tuple(key({name: part}, name) for part in parts if part)


def decimal(source: Mapping[str, str], name: str, default: Decimal, most: str) -> Decimal:
    """A number from 0 to *most*."""
    text = source.get(name) or str(default)
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not (value.is_finite() and 0 <= value <= Decimal(most)):
        raise Halt(f"{name}={text!r} must be a number from 0 to {most}")
    return value


def number(source: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    """A number from *least* to *most*."""
    text = source.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise Halt(f"{name}={text!r} must be a number from {least:g} to {most:g}")
    return value


def choice(source: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of *choices*."""
    value = source.get(name) or default
    if value not in choices:
        raise Halt(f"{name}={value!r}: use {', '.join(choices)}")
    return value
