"""The arena's board in words and pictures, a line an entry. Values in, escaped markup out; nothing is judged here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from app.ui.compare import reach_of, strip
from app.ui.write import count, percent
from lib.domain import reason_codes as codes
from lib.domain.arena import Board, Bound, Entry, Standing
from lib.domain.reason import Reason
from lib.domain.won_rates import utc_day
from lib.evidence.intervals import AnytimeInterval

Word = Callable[..., str]
Say = Callable[[Reason], str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the board: an *entry* with its *rank*, or a reference with a *mean* alone, called by a *key*."""

    entry: Entry | None = None
    rank: int | None = None
    mine: bool = False
    key: str = ""
    mean: Decimal | None = None


def lines_of(found: Board, user_id: int) -> dict[str, list[Line]]:
    """The parts of the board for one reader."""

    def lines(entries: Sequence[Entry]) -> list[Line]:
        return [Line(one, mine=one.user_id == user_id) for one in entries]

    means = (("random", found.random), ("long", found.long), ("hold", Decimal(0)))
    references = [Line(key=key, mean=mean) for key, mean in means if mean is not None]
    return {
        "ranked": [Line(one.entry, one.rank, one.entry.user_id == user_id) for one in found.ranked],
        "waiting": lines(found.waiting),
        "beside": [*references, *lines(found.house)] if found.random is not None or found.house else [],
        "left": lines(found.left),
    }


def board_html(lines: Sequence[Line], word: Word, say: Say) -> str:
    """One part of the board."""
    bounds = [net for one in lines if one.entry and one.entry.standing and (net := one.entry.standing.net)]
    reach = reach_of([_interval(one) for one in bounds])
    told = "".join(_line(one, reach, word, say) for one in lines)
    return f'<div class="cmp arena">{told}</div>'


def _line(one: Line, reach: float, word: Word, say: Say) -> str:
    if one.entry is None:
        mean = "" if one.mean is None else percent(one.mean, places=3, signed=True)
        return (
            f"<section><header><b>{escape(word(f'arena.{one.key}'))}</b><span>{escape(mean)}</span></header></section>"
        )
    entry, standing = one.entry, one.entry.standing
    name = word("arena.nobody") if entry.left_ms and not one.mine else entry.name
    rank = "" if one.rank is None else f"<strong>{count(one.rank)}</strong>"
    badges = "".join(
        f"<em>{escape(word(key))}</em>"
        for key, shown in (("arena.mine", one.mine), ("arena.house", entry.house))
        if shown
    )
    head = f"<header>{rank}<b>{escape(name)}</b>{badges}<span>{escape(entry.model)}</span></header>"
    body = _waits(entry, word) if standing is None or standing.net is None else _told(standing, reach, word, say)
    return f"<section>{head}{body}</section>"


def _waits(entry: Entry, word: Word) -> str:
    standing = entry.standing
    if standing is None or not standing.decisions:
        return f"<p>{escape(word('arena.begins', date=utc_day(entry.from_ms)))}</p>"
    more = word("arena.quiet") if standing.more_days is None else word("arena.more", n=count(standing.more_days))
    return f"<p><b>{escape(more)}</b> · {escape(_counted(standing, word))}</p>"


def _counted(standing: Standing, word: Word) -> str:
    return word("arena.counted", n=count(standing.decisions), days=count(standing.days))


def _told(standing: Standing, reach: float, word: Word, say: Say) -> str:
    net = standing.net
    if net is None:
        return ""
    rows = [(word("arena.low"), _share(net.low))]
    if standing.chance is not None:
        rows.append((word("arena.chance"), f"{_share(standing.chance.low)} … {_share(standing.chance.high)}"))
    figures = "".join(f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in rows)
    fall = word("arena.fall", fall=percent(standing.fall, places=1))
    foot = f"<p>{escape(_counted(standing, word))} · {escape(fall)}</p>"
    picture = strip(word("arena.net"), _interval(net), reach, "")
    verdict = f'<p class="verdict {_tone(standing.reason)}">{escape(say(standing.reason))}</p>'
    return f"{picture}<dl>{figures}</dl>{verdict}{foot}"


def _tone(reason: Reason) -> str:
    bad = (codes.EVIDENCE_WORSE_THAN_CHANCE, codes.EVIDENCE_LOSES)
    return "up" if codes.EVIDENCE_BETTER.is_of(reason) else "down" if any(one.is_of(reason) for one in bad) else ""


def _interval(bound: Bound) -> AnytimeInterval:
    return AnytimeInterval(float(bound.mean), float(bound.low), float(bound.high), 0)


def _share(value: Decimal) -> str:
    return percent(value, places=3, signed=True)
