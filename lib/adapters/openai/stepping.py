"""
One step down after a refusal: the field a provider does not accept, and the profile to ask with instead. Pure.

A refusal that names a field changes that field; a refusal that names none, as some providers answer, gives up the most
doubtful field first. Refusals that no field would mend (the key, the account's money, the model's name, the question)
change nothing. A step only counts once it is accepted: `lib.adapters.openai.analyst` remembers it then.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from lib.adapters.openai.profile import FORMATS, LEAST_TOKENS, Profile, Wishes
from lib.adapters.openai.refusal import Trouble

Step = Callable[[Profile, Trouble, Wishes], Profile]

MENDABLE = frozenset({400, 404, 416, 422, 500, 501})
"""Statuses with which providers refuse a field; 404 and 5xx only when they name one."""
_MUST_NAME = frozenset({404, 500, 501})

_ELSEWHERE = re.compile(
    r"api[ _-]?key|credit|balance|billing|quota|insufficient|arrear|overdue|payment|unauthori[sz]ed|"
    r"model[^.]{0,80}(?:not (?:be )?found|not exist|unknown|no access|not available in)|"
    r"(?:unknown|invalid|no such) model|not a valid model|content[_ ](?:policy|filter|management)|moderation|"
    r"sensitive|rate limit|region|country"
)
"""Words of refusals that no other field would mend."""
_UNNAMED = re.compile(
    r"argument|parameter|\bparams?\b|bad request|invalid request|unsupported|not supported|validation|参数"
)
"""Words of a refusal that does not name the refused field."""
_COUNT = r"(\d{2,7})(?![\d.])"
_CAPS = re.compile(
    r"(?:<=|≤|at most|up to|less than or equal to|(?:must|should|can|may) not exceed|no more than|not exceeding|"
    r"limit(?: is| of|:)|capped at|max(?:imum)?(?: value| allowed| output| completion)*(?: tokens)?(?: is| of|:| =|=)?)"
    rf"\s*[`'\"]?{_COUNT}|[\[(]\s*\d+\s*[,~-]\s*{_COUNT}\s*[\])]|between \d+ and {_COUNT}|from \d+ to {_COUNT}|"
    rf"\d+ > {_COUNT}"
)
_BELOW = re.compile(rf"(?:less than|smaller than|below|<)\s*[`'\"]?{_COUNT}|{_COUNT} \(exclusive\)")
_CONTEXT = re.compile(rf"(?:context[ _](?:length|window|size)|n_ctx)[^\d.]{{0,30}}{_COUNT}")
_PROMPT = re.compile(
    rf"{_COUNT} (?:tokens )?"
    r"(?:in the messages|input tokens|from the input|of (?:text )?input|prompt tokens|in your prompt)|"
    rf"(?:request|prompt|input)[a-z ]{{0,30}}(?:has|contains?|is|of|least) {_COUNT}"
)
_TOO_MANY = re.compile(r"too (?:large|big|high|many|long)|exceed|maximum|range|greater|above|limited|<=|≤|非法|超")
_CONTEXT_WORD = re.compile(r"context[ _](?:length|window|size)")


def step_down(profile: Profile, trouble: Trouble, wishes: Wishes) -> tuple[Profile, str] | None:
    """The profile after *trouble*, and the field that changed; None when no other form would be answered."""
    if trouble.status not in MENDABLE:
        return None
    for text in (trouble.param, trouble.text):
        for field, named, step in _FIELDS:
            if text and named.search(text) and (stepped := step(profile, trouble, wishes)) != profile:
                return stepped, field
    names_one = any(named.search(trouble.text) for _, named, _ in _FIELDS)
    if names_one or trouble.status in _MUST_NAME or _ELSEWHERE.search(trouble.text):
        return None
    if not _UNNAMED.search(trouble.text):
        return None
    return _doubtful(profile, trouble, wishes)


def _doubtful(profile: Profile, trouble: Trouble, wishes: Wishes) -> tuple[Profile, str] | None:
    """*profile* without its most doubtful field."""
    for step, field in ((_unstored, "store"), (_unhurried, "reasoning_effort"), (_plainer, "response_format")):
        if (stepped := step(profile, trouble, wishes)) != profile:
            return stepped, field
    renamed = _renamed(profile)
    return (renamed, "max_tokens") if renamed != profile else None


def _unstored(profile: Profile, _: Trouble, __: Wishes) -> Profile:
    return replace(profile, store=False)


def _unhurried(profile: Profile, _: Trouble, __: Wishes) -> Profile:
    return replace(profile, effort="", no_effort=True) if profile.effort else profile


def _plainer(profile: Profile, _: Trouble, wishes: Wishes) -> Profile:
    at = FORMATS.index(profile.format)
    return profile if wishes.format or at + 1 == len(FORMATS) else replace(profile, format=FORMATS[at + 1])


def _merged(profile: Profile, _: Trouble, __: Wishes) -> Profile:
    return replace(profile, merged=True)


def _fewer(profile: Profile, trouble: Trouble, _: Wishes) -> Profile:
    """A smaller cap when the refusal is of its size, else another name for the field."""
    if not profile.cap_field:
        return profile
    if most := _cap(trouble.text, profile.max_tokens):
        return replace(profile, max_tokens=most, ceiling=most)
    if _CONTEXT.search(trouble.text):
        return profile  # the question alone is too long
    other = f"'{_other_name(profile)}' instead" in trouble.text.replace("`", "'").replace('"', "'")
    if not other and _TOO_MANY.search(trouble.text) and profile.max_tokens >= 2 * LEAST_TOKENS:
        half = profile.max_tokens // 2
        return replace(profile, max_tokens=half, ceiling=half)
    return _renamed(profile, other=other)


def _other_name(profile: Profile) -> str:
    return "max_tokens" if profile.cap_field == "max_completion_tokens" else "max_completion_tokens"


def _renamed(profile: Profile, *, other: bool = False) -> Profile:
    if profile.cap_field == "max_completion_tokens":
        return replace(profile, cap_field="max_tokens")
    return replace(profile, cap_field="max_completion_tokens" if other and profile.cap_field else "")


def _cap(text: str, asked: int) -> int:
    """The greatest number of tokens below *asked* that *text* allows; 0 when it tells none."""
    caps = [int(number) for found in _CAPS.findall(text) for number in found if number]
    caps += [int(number) - 1 for found in _BELOW.findall(text) for number in found if number]
    room = _room(text)
    if room is not None:
        caps = [room]
    return max((cap for cap in caps if LEAST_TOKENS <= cap < asked), default=0)


def _room(text: str) -> int | None:
    """The tokens a model's context leaves for the answer, a few spared; None when *text* does not tell."""
    context, prompt = _CONTEXT.search(text), _PROMPT.search(text)
    if not context or not prompt:
        return None
    used = next(int(number) for number in prompt.groups() if number)
    return int(context.group(1)) - used - 64


_FIELDS: tuple[tuple[str, re.Pattern[str], Step], ...] = (
    ("store", re.compile(r"\bstore\b"), _unstored),
    ("reasoning_effort", re.compile(r"reasoning|\bthink(?:ing)?\b|\beffort\b"), _unhurried),
    (
        "max_tokens",
        re.compile(
            r"max_?(?:completion|output|new)?_?tokens?|max[ _]tokens?|output tokens|completion tokens|"
            + _CONTEXT_WORD.pattern
        ),
        _fewer,
    ),
    (
        "response_format",
        re.compile(
            r"response_?(?:format|schema|mime)|json_?(?:schema|object)|json schema|json mode|structured output|grammar|"
            r"\bguided|additionalproperties|'json'|\bschema\b"
        ),
        _plainer,
    ),
    (
        "system message",
        re.compile(
            r"system (?:role|message|instruction|prompt)|role[^.]{0,60}system|developer inst|roles must alternate"
        ),
        _merged,
    ),
)
"""Each field by the words that name it, and the step it takes; the first that names one decides."""
