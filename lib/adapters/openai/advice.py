"""
Which setting to look at when an analyst's first answer is no view. Pure; in plain words, one line.

It goes by what we say of the failure and by the provider's own words; it is a hint for a person and decides nothing.
"""

import re

from lib.domain.analyst_call import AnalystAnswer
from lib.domain.decision import Abstained

_MODEL = re.compile(r"model", re.IGNORECASE)
_FORMAT = re.compile(r"response_?format|json", re.IGNORECASE)
_HINTS: tuple[tuple[str, str], ...] = (
    ("refuses our key", "OPENAI_API_KEY: the provider does not accept it (or not for this model)"),
    ("quota is used up", "OPENAI_API_KEY: its account has no credit left"),
    ("busy", "the provider limits how often it may be asked: try again, or choose another OPENAI_MODEL"),
    ("cannot be reached", "OPENAI_BASE_URL: nothing answers at {url}"),
    (
        "in time",
        "ANALYST_BUDGET_S is too short for this model: raise it, set ANALYST_EFFORT=low, or take a faster model",
    ),
    ("cut off", "ANALYST_MAX_TOKENS: the answer did not fit; raise it, or set ANALYST_EFFORT=low"),
    ("not a chat completion", "OPENAI_BASE_URL: what answers at {url} is no OpenAI-compatible provider (its /v1?)"),
    ("too long", "OPENAI_BASE_URL: what answers at {url} is no OpenAI-compatible provider (its /v1?)"),
    ("not JSON", "OPENAI_MODEL: it does not keep to JSON; try ANALYST_FORMAT=json_schema, or another model"),
)


def advice(answer: AnalystAnswer, base_url: str) -> str:
    """The setting that most likely mends *answer*; "" when it is a view."""
    if not isinstance(answer.decision, Abstained):
        return ""
    why = answer.decision.why
    for part, hint in _HINTS:
        if part in why:
            return hint.format(url=base_url)
    if not answer.failed:
        return "OPENAI_MODEL: it does not answer as it is asked to; try another model"
    if "404" in why and not _MODEL.search(answer.raw):
        return f"OPENAI_BASE_URL: {base_url} has no chat completions (its /v1?)"
    if _FORMAT.search(answer.raw):
        return "ANALYST_FORMAT: the provider does not take this format; learn finds one that it takes"
    return "OPENAI_MODEL: the provider does not take this model or what it was asked, see its words"
