"""
What a long and what a short of one moment were worth: what an opinion is held against, whatever it said.

Both sides have the stop, target and leverage of the opinion. One that entered nothing has none: it has those of its
*habit*, the last entry the same question had before, and `USUAL` where there was none for a day. So the baselines of a
version that mostly holds are entered as it enters, and nothing later than T says how.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from lib.domain.decision import Abstained, Decision
from lib.domain.position import ZERO
from lib.domain.scores import Answered
from lib.evidence.desk import Terms
from lib.evidence.scoring import How, Worth, score
from lib.evidence.series import DAY_MS
from lib.evidence.tape import Tape

USUAL = Decision("buy", Decimal(0), 1, "", Decimal("0.005"), Decimal("0.01"))
"""A stop of half a percent, a target of one, no borrowing: of who never entered."""


@dataclass(frozen=True, slots=True)
class Ways:
    """One moment: what either side was worth, and the opinion's *own*, None where it entered nothing."""

    long: Worth
    short: Worth
    own: Worth | None


def is_entry(view: Decision | Abstained) -> bool:
    """Whether *view* would enter."""
    return isinstance(view, Decision) and view.action in ("buy", "sell")


def both_ways(
    view: Decision | Abstained, habit: Decision | None, t_ms: int, tape: Tape, terms: Terms, how: How | None = None
) -> Ways | None:
    """Both sides of the moment *t_ms*; None while *tape* does not say how both of them ended."""
    entry = view if isinstance(view, Decision) and is_entry(view) else habit or USUAL
    long = score(replace(entry, action="buy"), t_ms, tape, terms, how)
    short = score(replace(entry, action="sell"), t_ms, tape, terms, how)
    if long is None or short is None:
        return None
    own = (long if entry.action == "buy" else short) if entry is view else None
    return Ways(long, short, own)


def answers_of(views: Mapping[int, Decision | Abstained], tape: Tape, terms: Terms) -> list[Answered]:
    """
    Every answer among *views* (by T) both of whose sides have ended on *tape*, oldest first, free of charge: each hold
    by the last entry before it within a day.
    """
    habit: tuple[int, Decision] | None = None
    found = []
    for t_ms, view in sorted(views.items()):
        known = habit[1] if habit is not None and t_ms - habit[0] <= DAY_MS else None
        if isinstance(view, Decision) and is_entry(view):
            habit = (t_ms, view)
        if (ways := both_ways(view, known, t_ms, tape, terms)) is not None:
            found.append(_answered(t_ms, tape.symbol, view, ways))
    return found


def _answered(t_ms: int, window: str, view: Decision | Abstained, ways: Ways) -> Answered:
    side = 0 if ways.own is None else 1 if ways.own is ways.long else -1
    fees = ZERO if ways.own is None else ways.own.fees
    sure = view.confidence if isinstance(view, Decision) else ZERO
    return Answered(t_ms, window, side, ways.long.before_call, ways.short.before_call, ZERO, fees, sure)
