"""
What a refusal looks like on the wire: `{"success": false, "message", "code", "error", "params"}`.

*error* is the catalogue's key and *params* its values, for who has words of their own; *message* is the sentence in the
caller's language and *code* the key without its family, for who has not.
"""

from collections.abc import Mapping
from typing import Any

from app.i18n import catalogue
from lib.domain.filled import filled
from lib.domain.reason import Reason
from lib.reason_text import said

FAMILY = "refuse."


def refusal_body(key: str, params: Mapping[str, Any], language: str, shown: Mapping[str, Any] | None = None) -> Any:
    """The JSON of the refusal *key*; *shown* are its *params* as JSON has them, where those are more than text."""
    return {
        "success": False,
        "message": sentence(key, params, language),
        "code": key.removeprefix(FAMILY),
        "error": key,
        "params": dict(params if shown is None else shown),
    }


def sentence(key: str, params: Mapping[str, Any], language: str) -> str:
    """The refusal *key* in words; a key nobody wrote words for is said as it is."""
    words = catalogue(language)
    return filled(words.get(key, key), {name: _word(name, value, language) for name, value in params.items()})


def _word(name: str, value: Any, language: str) -> Any:
    if isinstance(value, Reason):
        return said(value, language)
    if name in ("field", "name"):
        words = catalogue(language)
        return next((words[key] for key in (f"field.{value}", f"limit.{value}") if key in words), value)
    return value
