"""
The profile of one provider's model: the fields a question is sent with. Pure.

A profile begins with the fields OpenAI's own models accept and steps down, one field at a time, where a provider
refuses (`lib.adapters.openai.stepping`); the accepted profile is remembered. No temperature is ever sent: reasoning
models refuse it. The operator's settings stay as set, only a model's own cap on tokens is kept besides. No answer is
read here.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from lib.adapters.openai.schema import RESPONSE_FORMATS
from lib.domain.analyst_call import Prompt

Format = Literal["json_schema", "json_object", "text"]
FORMATS: tuple[Format, ...] = ("json_schema", "json_object", "text")
CapField = Literal["max_completion_tokens", "max_tokens", ""]
CAP_FIELDS: tuple[CapField, ...] = ("max_completion_tokens", "max_tokens", "")

FIRST_TOKENS = 2_000
"""The first cap on an answer's tokens; after an answer that was cut off more are asked for."""
MOST_TOKENS = 8_000
"""The cap's own limit when it is raised after a cut answer."""
LEAST_TOKENS = 128
KNOWN_TO_STORE = ("api.openai.com", ".openai.azure.com")
"""Hosts that know `store`, and keep questions unless it is false."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """The operator's settings: *format*, *effort* "" and *max_tokens* 0 = learn it; *effort* "off" = never send one."""

    format: Format | Literal[""] = ""
    effort: str = ""
    max_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """
    The form of a question: *format* of the answer, the name of the field that caps it ("" = none) and the cap itself.

    *ceiling* is the model's own cap as far as a refusal told it. *store* = send store=false. *effort* "" = none is
    sent; *no_effort* = the provider refuses any. *merged* = the provider knows no system message: it goes before the
    question.
    """

    format: Format = "json_schema"
    cap_field: CapField = "max_completion_tokens"
    max_tokens: int = FIRST_TOKENS
    ceiling: int = 1_000_000
    store: bool = False
    effort: str = ""
    no_effort: bool = False
    merged: bool = False


def profile_key(base_url: str, model: str) -> str:
    """The key a profile is stored under; the key holds no secret, nor can one be computed from it."""
    return hashlib.sha256(f"{base_url} {model}".encode()).hexdigest()[:32]


def first_profile(base_url: str, wishes: Wishes) -> Profile:
    """The first profile at *base_url*."""
    host = urlsplit(base_url).hostname or ""
    known = any(host == name or (name.startswith(".") and host.endswith(name)) for name in KNOWN_TO_STORE)
    return wished(Profile(store=known), wishes)


def wished(profile: Profile, wishes: Wishes) -> Profile:
    """*profile* with the operator's settings."""
    asked = min(wishes.max_tokens or profile.max_tokens, profile.ceiling)
    effort = "" if wishes.effort == "off" or profile.no_effort else wishes.effort or profile.effort
    return replace(profile, format=wishes.format or profile.format, max_tokens=asked, effort=effort)


def fields_of(profile: Profile, prompt: Prompt) -> dict[str, Any]:
    """The request's fields by name, model and messages among them."""
    asked: dict[str, Any] = {"model": prompt.model, "messages": _messages(profile, prompt)}
    if profile.format == "json_schema":
        asked["response_format"] = RESPONSE_FORMATS[prompt.answer_version]
    elif profile.format == "json_object":
        asked["response_format"] = {"type": "json_object"}
    if profile.cap_field:
        asked[profile.cap_field] = profile.max_tokens
    if profile.effort:
        asked["reasoning_effort"] = profile.effort
    if profile.store:
        asked["store"] = False
    return asked


def _messages(profile: Profile, prompt: Prompt) -> list[dict[str, str]]:
    if profile.merged:
        return [{"role": "user", "content": f"{prompt.system}\n\n{prompt.user}"}]
    return [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]


def after_cut(profile: Profile, wishes: Wishes) -> Profile:
    """The profile after an answer that was cut off at its cap; *profile* itself when nothing is left to try."""
    if wishes.max_tokens:
        return profile
    more = min(profile.max_tokens * 2, MOST_TOKENS, profile.ceiling)
    if profile.cap_field and more > profile.max_tokens:
        return replace(profile, max_tokens=more)
    can_hurry = not (profile.effort or profile.no_effort or wishes.effort)
    return replace(profile, effort="low") if can_hurry else profile


def to_text(profile: Profile) -> str:
    """*profile* as it is stored: JSON."""
    return json.dumps(asdict(profile), separators=(",", ":"))


def from_text(text: str) -> Profile | None:
    """The inverse of `to_text`; None for no text and for text this release cannot read."""
    try:
        value = json.loads(text)
        known = {field.name: type(getattr(Profile(), field.name)) for field in fields(Profile)}
        if not isinstance(value, dict) or any(type(value.get(name)) is not kind for name, kind in known.items()):
            return None
        read = Profile(**{name: value[name] for name in known})
    except ValueError:
        return None
    sane = read.format in FORMATS and read.cap_field in CAP_FIELDS and len(read.effort) <= 20
    return read if sane and LEAST_TOKENS <= read.max_tokens <= read.ceiling else None


def summary(profile: Profile) -> str:
    """*profile* in one line of field names, for terminals, logs and pages."""
    parts = [profile.format, f"{profile.cap_field} {profile.max_tokens}" if profile.cap_field else "no token cap"]
    parts += [f"reasoning_effort {profile.effort}"] if profile.effort else []
    parts += ["store false"] if profile.store else []
    parts += ["no system message"] if profile.merged else []
    return " · ".join(parts)


def as_format(text: str) -> Format | Literal[""]:
    """*text* as a format; "" for any other text, *learn* among it."""
    return text if text in FORMATS else ""
