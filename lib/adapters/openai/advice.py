"""
The setting to check when an analyst's first answer is no view. Pure; in plain words, one line.

The advice goes by our reason of the failure and by the provider's own words; it is a hint for a person and decides
nothing.
"""

import re
from collections.abc import Mapping

from lib.domain import reason_codes as codes
from lib.domain.analyst_call import AnalystAnswer
from lib.domain.decision import Abstained
from lib.domain.reason import Code

_MODEL = re.compile(r"model", re.IGNORECASE)
_FORMAT = re.compile(r"response_?format|json", re.IGNORECASE)
_HINTS: Mapping[Code, str] = {
    codes.ANALYST_KEY_REFUSED: "OPENAI_API_KEY: the provider does not accept it (or not for this model)",
    codes.ANALYST_QUOTA: "OPENAI_API_KEY: its account has no credit left",
    codes.ANALYST_BUSY: "the provider limits how often it may be asked: try again, or choose another OPENAI_MODEL",
    codes.ANALYST_UNREACHABLE: "OPENAI_BASE_URL: nothing answers at {url}",
    codes.ANALYST_TIMEOUT: "ANALYST_BUDGET_S is too short for this model: raise it, set ANALYST_EFFORT=low, "
    "or take a faster model",
    codes.ANSWER_CUT_OFF: "ANALYST_MAX_TOKENS: the answer did not fit; raise it, or set ANALYST_EFFORT=low",
    codes.ANSWER_NOT_COMPLETION: "OPENAI_BASE_URL: what answers at {url} is no OpenAI-compatible provider (its /v1?)",
    codes.ANSWER_TOO_LONG: "OPENAI_BASE_URL: what answers at {url} is no OpenAI-compatible provider (its /v1?)",
    codes.ANSWER_NOT_JSON: "OPENAI_MODEL: it does not keep to JSON; try ANALYST_FORMAT=json_schema, or another model",
}


def advice(answer: AnalystAnswer, base_url: str) -> str:
    """The setting that most likely mends *answer*; "" when it is a view."""
    if not isinstance(answer.decision, Abstained):
        return ""
    why = answer.decision.why
    for code, hint in _HINTS.items():
        if code.is_of(why):
            return hint.format(url=base_url)
    if not answer.failed:
        return "OPENAI_MODEL: it does not answer as it is asked to; try another model"
    if why.params.get("status") == 404 and not _MODEL.search(answer.raw):
        return f"OPENAI_BASE_URL: {base_url} has no chat completions (its /v1?)"
    if _FORMAT.search(answer.raw):
        return "ANALYST_FORMAT: the provider does not take this format; learn finds one that it takes"
    return "OPENAI_MODEL: the provider does not take this model or what it was asked, see its words"
