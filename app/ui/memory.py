"""What a memory test found, in words, beside a version. Pure: values in, text out; every reader escapes by itself."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lib.domain import reason_codes as codes
from lib.domain.reason import Reason
from lib.queries import MemoryResult

Word = Callable[..., str]
Say = Callable[[Reason], str]
Colour = Literal["green", "gray", "orange"]
_OPEN = (codes.MEMORY_FEW, codes.MEMORY_IDLE)
_DATED = r"-\d{4}-?\d{2}-?\d{2}"
"""What a provider writes behind a model's name when it says which of its states answered."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A *short* word with its *colour*, and the sentences that it stands for."""

    short: str
    colour: Colour
    said: str


def badge(found: MemoryResult, word: Word, say: Say, *, is_current: bool) -> Badge:
    """What *found* comes to; of a model of before, that it says nothing of today's."""
    if not is_current:
        return Badge(word("mem.old"), "gray", word("mem.old_note", asked=found.asked))
    return badge_of(found.badges, word, say)


def badge_of(found: Sequence[Reason], word: Word, say: Say) -> Badge:
    """What the sentences *found* by one test come to."""
    said = " · ".join(say(one).removesuffix(".") for one in found)
    if all(any(code.is_of(one) for code in _OPEN) for one in found):
        return Badge(word("mem.open"), "gray", said)
    is_clean = all(codes.MEMORY_CLEAN.is_of(one) for one in found)
    return Badge(word("mem.clean" if is_clean else "mem.found"), "green" if is_clean else "orange", said)


def answered_by(found: Sequence[MemoryResult], version_id: int, answered: str) -> MemoryResult | None:
    """The newest test of *version_id* as the model that *answered*, as its provider calls it; None without one."""
    return next((one for one in found if one.version_id == version_id and _is_same(one.asked, answered)), None)


def asked_before(
    found: Sequence[MemoryResult], version_id: int, answered: str, models: Mapping[str, str]
) -> MemoryResult | None:
    """A test of *version_id* as what stood on the list in the place of the model that *answered*; None without one."""
    now = {name for name, asked in models.items() if _is_same(asked, answered)}
    return next((one for one in found if one.version_id == version_id and one.model in now), None)


def _is_same(asked: str, answered: str) -> bool:
    return bool(asked) and re.fullmatch(f"{re.escape(asked)}({_DATED})?", answered) is not None
