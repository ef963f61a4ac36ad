"""
A provider's refusal, in whatever shape it comes.

OpenAI's error object, the lists, strings and bare messages of its imitators, an error inside HTTP 200, an error inside
a choice: all become one *Trouble* with a status, the provider's own words and the field they name.
"""

import json
from typing import Any

import openai

from lib.domain.decision import clean_text
from lib.log import redact

MAX_WORDS = 300
MAX_TEXT = 20_000
_WORDS = ("message", "msg", "status_msg", "error_msg", "detail", "error", "errors", "description", "title", "raw")
"""Keys under which the words stand, the plainest first."""
_ERROR_KEYS = frozenset({"error", "errors", "base_resp", "message", "detail"})
_DEEPEST = 5


class Trouble(Exception):
    """
    No answer came, but a refusal. *status* is HTTP's, or the one that an error inside HTTP 200 names.

    *words* are the provider's, fit for a line; *text* is the whole refusal in small letters, to search names in;
    *param* is the field the refusal names. *inside* = the HTTP status was 200. *cause* is the SDK's exception, if any.
    """

    def __init__(self, status: int, body: object, *, inside: bool = False, cause: Exception | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status, self.inside, self.cause = status, inside, cause
        self.words = spoken(body)
        self.text = (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=str))[:MAX_TEXT]
        self.text = self.text.replace('\\"', '"').lower()
        self.param = _param(body)
        self.code = _code(body)


def trouble_of(failure: openai.APIStatusError) -> Trouble:
    """The trouble that an HTTP status other than 200 tells of."""
    body = failure.body if failure.body is not None else failure.response.text
    return Trouble(failure.status_code, body, cause=failure)


def inside_200(completion: Any) -> Trouble | None:
    """The error inside *completion*, which came with HTTP 200; None when it is an answer, or nothing we know."""
    error = getattr(completion, "error", None) or _choice_error(completion)
    if not error and not getattr(completion, "choices", None):
        error = _bare_error(completion)
    return Trouble(_status(error), error, inside=True) if error else None


def _choice_error(completion: Any) -> object:
    choices = getattr(completion, "choices", None)
    return getattr(choices[0], "error", None) if isinstance(choices, list) and choices else None


def _bare_error(completion: Any) -> object:
    """An error that stands where the completion should be, without a key of that name."""
    if isinstance(completion, str | list):
        completion = _parsed(completion)
        extra = completion[0] if isinstance(completion, list) and completion else completion
    else:
        extra = getattr(completion, "model_extra", None)
    return extra if isinstance(extra, dict) and _ERROR_KEYS & extra.keys() else None


def _status(error: object) -> int:
    """The status an error calls its own; 400 when it says none."""
    for value in _values(error, ("code", "status", "status_code", "http_code"), _DEEPEST):
        text = str(value)
        if text.isascii() and text.isdigit() and 400 <= int(text[:6]) <= 599:
            return int(text)
    return 400


def spoken(body: object) -> str:
    """The words in *body*, in one line of at most `MAX_WORDS` printable characters, without secrets."""
    values = _values(_parsed(body), _WORDS, _DEEPEST)
    found = [value for value in values if isinstance(value, str) and value.strip() and isinstance(_parsed(value), str)]
    said = ": ".join(dict.fromkeys(found[:2])) or (body if isinstance(body, str) else "")
    return redact(clean_text(said, MAX_WORDS))[:MAX_WORDS]


def _parsed(body: object) -> object:
    """*body*, or what it holds when it is JSON in a string."""
    if isinstance(body, str) and body.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            return body
    return body


def _values(body: object, names: tuple[str, ...], deep: int) -> list[object]:
    """The values under *names* anywhere in *body*, outermost first; JSON inside a string is looked into."""
    body = _parsed(body)
    if not deep:
        return []
    if isinstance(body, list):
        return [value for one in body[:5] for value in _values(one, names, deep - 1)]
    if not isinstance(body, dict):
        return []
    here = [body[name] for name in names if isinstance(body.get(name), str | int)]
    inner = [value for value in body.values() if isinstance(_parsed(value), dict | list)]
    return [*here, *(found for value in inner for found in _values(value, names, deep - 1))]


def _param(body: object) -> str:
    return next((str(value).lower() for value in _values(body, ("param",), _DEEPEST) if value), "")


def _code(body: object) -> str:
    return next((str(value).lower() for value in _values(body, ("code", "type"), _DEEPEST) if value), "")
