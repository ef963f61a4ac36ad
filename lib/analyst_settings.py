"""
What an operator may say of the analyst, checked when a process starts: address, model, key, and how it is asked.

Whatever cannot work is refused in one line that names the setting and says what to do; a secret is never in it. This
module reads no environment, `lib.settings` does.
"""

import unicodedata
from urllib.parse import parse_qsl, urlsplit

from lib.domain.errors import Halt
from lib.domain.model_profile import cutoff_ms

LEARN = "learn"
FORMATS = ("json_schema", "json_object", "text")
EFFORTS = ("off", "none", "minimal", "low", "medium", "high")
"""*off* sends none; the others are sent as they stand."""
OPENAI_URL = "https://api.openai.com/v1"
AZURE_URL = "https://RESOURCE.openai.azure.com/openai/v1"
MODEL = "gpt-6-luna"
LEAST_TOKENS, MOST_TOKENS = 256, 100_000
_ROUTES = ("/chat/completions", "/completions", "/responses", "/messages", "/embeddings", "/models")
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs")


def refuse_unseen(name: str, value: str) -> str:
    """*value*; *Halt* naming the setting *name* and the place when a character in it does not show."""
    for place, letter in enumerate(value, 1):
        if letter != " " and unicodedata.category(letter) in _UNSEEN:
            raise Halt(
                f"{name} holds a character that does not show (U+{ord(letter):04X}, the {place}. one): "
                "copy the value again, or type it"
            )
    return value


def refuse_strange(name: str, value: str) -> str:
    """As `refuse_unseen`, for values of plain ASCII without spaces."""
    for place, letter in enumerate(refuse_unseen(name, value), 1):
        if not "!" <= letter <= "~":
            kind = "a space" if letter == " " else f"a letter that only looks like one (U+{ord(letter):04X})"
            raise Halt(f"{name} holds {kind}, the {place}. character: copy the value again, or type it")
    return value


def base_url(text: str) -> str:
    """OPENAI_BASE_URL: the address before /chat/completions, without anything after its path."""
    value = refuse_strange("OPENAI_BASE_URL", text.strip() or OPENAI_URL)
    parts = urlsplit(value)
    if not value.startswith(("http://", "https://")) or not parts.hostname:
        raise Halt(f"OPENAI_BASE_URL must be a URL beginning with http(s)://, such as {OPENAI_URL}")
    if "@" in parts.netloc:
        raise Halt("OPENAI_BASE_URL carries a name or password: give the address alone, the key is OPENAI_API_KEY")
    if parts.query or parts.fragment:
        names = ", ".join(name for name, _ in parse_qsl(parts.query, keep_blank_values=True)) or "something"
        raise Halt(
            f"OPENAI_BASE_URL carries {names[:60]} after a ? or #: give the address alone "
            f"(Azure's without an api-version is {AZURE_URL})"
        )
    return _without_route(value.rstrip("/"), parts.path.rstrip("/"))


def _without_route(value: str, path: str) -> str:
    if "/deployments/" in path:
        raise Halt(f"OPENAI_BASE_URL is one Azure deployment's: give {AZURE_URL}, the deployment is OPENAI_MODEL")
    for route in _ROUTES:
        if path.endswith(route):
            raise Halt(f"OPENAI_BASE_URL ends in {route}: give the address before it, such as {OPENAI_URL}")
    return value


def model(text: str) -> str:
    """OPENAI_MODEL, as the provider calls it."""
    value = refuse_strange("OPENAI_MODEL", text.strip() or MODEL)
    if len(value) > 100:
        raise Halt("OPENAI_MODEL is longer than 100 characters: give the model's name alone")
    return value


def api_key(value: str) -> str:
    """OPENAI_API_KEY, which *value* is, with whatever was copied beside it refused."""
    if value.lower().startswith("bearer "):
        raise Halt("OPENAI_API_KEY begins with Bearer: give the key alone")
    if value[:1] in ("'", '"') or value[-1:] in ("'", '"'):
        raise Halt("OPENAI_API_KEY stands in quotes: give the key alone")
    return refuse_strange("OPENAI_API_KEY", value)


def max_tokens(text: str) -> int:
    """ANALYST_MAX_TOKENS: 0 for *learn*."""
    value = text.strip() or LEARN
    if value == LEARN:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) <= 6 and LEAST_TOKENS <= int(value) <= MOST_TOKENS):
        raise Halt(f"ANALYST_MAX_TOKENS={value!r} must be {LEARN}, or a number from {LEAST_TOKENS} to {MOST_TOKENS}")
    return int(value)


def cutoff(text: str) -> str:
    """ANALYST_CUTOFF: the last day of what OPENAI_MODEL was trained on (2024-06-30); "" = nobody says."""
    value = text.strip()
    if value and cutoff_ms(value) is None:
        raise Halt(f"ANALYST_CUTOFF={value[:40]!r} must be a day such as 2024-06-30, or empty")
    return value


def own_hosts(text: str) -> frozenset[str]:
    """ANALYST_OWN_HOSTS: the `host:port` of our own network that a person's own model may be at."""
    found = [part.strip().lower() for part in text.split(",") if part.strip()]
    for one in found:
        host, _, port = refuse_strange("ANALYST_OWN_HOSTS", one).rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536) or "/" in one:
            raise Halt(f"ANALYST_OWN_HOSTS names {one[:60]!r}: give host:port, such as 127.0.0.1:11434")
    return frozenset(found)
