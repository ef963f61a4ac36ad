"""What pages compare: a young version, one that knows, one that flips coins on the same candles, one that loses."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache

from lib.domain.scores import Answered
from lib.evidence.series import DAY_MS
from lib.queries import Calls, VersionKey
from tests.worlds.answers import answers

CALLS = Calls(730, Decimal("1.2345"), 3)


@cache
def compares(now_ms: int, name: str) -> Mapping[VersionKey, Sequence[Answered]]:
    """Four versions as they stand at *now_ms*; the newest is called *name*. Made once, for reading."""
    today = now_ms // DAY_MS * DAY_MS
    young, whole, old = (today - days * DAY_MS for days in (4, 61, 90))
    return {
        VersionKey(3, name, 3, "gpt-4o-mini"): answers(4, 0, 3, begin_ms=young),
        VersionKey(2, "추세 따라가기", 2, "gpt-4o-mini"): answers(60, 0.6, 1, hold=0.2, begin_ms=whole),
        VersionKey(2, "추세 따라가기", 2, "qwen2.5-coder:32b-instruct"): answers(60, 0, 2, begin_ms=whole),
        VersionKey(0, None, 0, "rules"): answers(26, -0.6, 2, market=2, begin_ms=old),
    }
