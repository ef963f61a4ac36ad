"""
Versions compared, in words and pictures: a card for each with its verdict, where it lies beside its baselines, what its
confidence was worth, and two versions on the same candles. Values in, escaped markup out; nothing is judged here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from app.ui.memory import Badge
from app.ui.scores import calls_usd
from app.ui.strategy_lines import strategy_name
from app.ui.write import count, percent
from lib.domain.reason import Reason
from lib.evidence.calibration import Bin, Calibration, Threshold
from lib.evidence.intervals import AnytimeInterval
from lib.evidence.spread import LEAST_BLOCKS
from lib.evidence.verdict import LEAST_DECIDED, Baseline
from lib.evidence.versions import Judged, Pair
from lib.queries import Calls, VersionKey

Word = Callable[..., str]
Say = Callable[[Reason], str]
ORDER = (Baseline.HOLD, Baseline.COIN, Baseline.RANDOM_MOMENTS, Baseline.LONG, Baseline.SHORT)


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One version's card: *runs* = it is what trades now; *shadow* = it never did. *waiting* answers wait. *memory* is
    what a memory test found, None without one.
    """

    key: VersionKey
    judged: Judged
    calls: Calls
    runs: bool
    shadow: bool
    waiting: int
    memory: Badge | None = None


def version_name(key: VersionKey, word: Word) -> str:
    """What a version is called, without its model."""
    return word("strat.design") if key.name is None else f"{strategy_name(key.name, word)} · v{key.number}"


def tone(judged: Judged) -> str:
    """Whether a verdict is good, bad or open: "up", "down", ""."""
    return "up" if judged.is_better else "down" if judged.is_bad else ""


def cards_html(entries: Sequence[Entry], word: Word, say: Say) -> str:
    """Every version."""
    return f'<div class="cmp">{"".join(_card(one, word, say) for one in entries)}</div>'


def _card(one: Entry, word: Word, say: Say) -> str:
    judged = one.judged
    badge = "compare.running" if one.runs else "compare.shadow" if one.shadow else ""
    running = f"<em>{escape(word(badge))}</em>" if badge else ""
    head = f"<header><b>{escape(version_name(one.key, word))}</b>{running}<span>{escape(one.key.model)}</span></header>"
    verdict = f'<p class="verdict {tone(judged)}">{escape(say(judged.reason))}</p>'
    body = _beside(judged, word) if judged.against else _waits(judged, word)
    sure = "" if judged.calibration is None else _sure(judged.calibration, word)
    return f"<section>{head}{verdict}{_memory(one.memory)}{_figures(one, word)}{body}{sure}</section>"


def _memory(told: Badge | None) -> str:
    if told is None:
        return ""
    return f'<p class="memory {told.colour}"><b>{escape(told.short)}</b> {escape(told.said)}</p>'


def _figures(one: Entry, word: Word) -> str:
    judged = one.judged
    holds = judged.decisions - judged.longs - judged.shorts
    said = " · ".join(
        f"{word(f'scored.{kind}')} {count(n)}"
        for kind, n in (("long", judged.longs), ("short", judged.shorts), ("hold", holds))
    )
    rows = [(word("compare.decisions"), word("compare.of_days", n=count(judged.decisions), days=count(judged.days)))]
    if one.waiting:
        rows.append((word("compare.waiting"), word("compare.n", n=count(one.waiting))))
    if judged.decisions:
        rows.append((word("compare.said"), said))
        rows.append((word("scored.calls"), calls_usd(one.calls.usd, one.calls.unpriced, one.calls.count, word)))
    if judged.net is not None:
        rows.append((word("compare.edge"), percent(judged.edge, places=3)))
    told = "".join(f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in rows)
    return f"<dl>{told}</dl>"


def _waits(judged: Judged, word: Word) -> str:
    """How far a version is from being judged."""
    decided = judged.longs + judged.shorts
    bars = (
        (word("compare.need_decided"), decided, LEAST_DECIDED),
        (word("compare.need_days"), judged.days, LEAST_BLOCKS),
    )
    rows = "".join(
        f"<div><span>{escape(label)}</span><b>{count(min(n, least))} / {count(least)}</b>"
        f'<i><u style="width:{min(100, 100 * n / least):.1f}%"></u></i></div>'
        for label, n, least in bars
    )
    return f'<div class="needs">{rows}</div>'


def _beside(judged: Judged, word: Word) -> str:
    found = {one.baseline: one for one in judged.against}
    told = [found[name] for name in ORDER if name in found]
    reach = reach_of([one.beyond for one in told])
    rows = "".join(
        strip(word(f"compare.vs_{one.baseline}"), one.beyond, reach, word("compare.alone", mean=_share(one.mean)))
        if one.baseline is not Baseline.HOLD
        else strip(word("compare.vs_hold"), one.beyond, reach, "")
        for one in told
    )
    return f"<h4>{escape(word('compare.beside'))}</h4>{_axis(reach)}{rows}"


def reach_of(intervals: Sequence[AnytimeInterval]) -> float:
    """How far from 0 the picture goes."""
    return 1.08 * max((max(abs(one.low), abs(one.high)) for one in intervals), default=0.0) or 1.0


def _axis(reach: float) -> str:
    ends = (_share(-reach / 1.08, 2), "0", _share(reach / 1.08, 2))
    return f'<div class="axis">{"".join(f"<span>{escape(end)}</span>" for end in ends)}</div>'


def strip(label: str, told: AnytimeInterval, reach: float, note: str) -> str:
    """One interval on a line around 0."""
    left, right, middle = (50 + 50 * value / reach for value in (told.low, told.high, told.mean))
    kind = "up" if told.low > 0 else "down" if told.high < 0 else ""
    small = f"<small>{escape(note)}</small>" if note else ""
    within = f"{_share(told.low)} … {_share(told.high)}"
    return (
        f'<div class="strip {kind}"><span>{escape(label)}{small}</span>'
        f'<i><s></s><u style="left:{left:.2f}%;width:{max(0.4, right - left):.2f}%"></u>'
        f'<b style="left:{middle:.2f}%"></b></i>'
        f"<em>{escape(_share(told.mean))}<small>{escape(within)}</small></em></div>"
    )


def _share(value: float, places: int = 3) -> str:
    return percent(Decimal(f"{value:.9f}"), places=places, signed=True)


def _sure(told: Calibration, word: Word) -> str:
    lines = (word("compare.skilled" if told.skill > 0 else "compare.unskilled", skill=f"{told.skill:+.2f}"),)
    said = "".join(f"<p>{escape(line)}</p>" for line in (*lines, _threshold(told.threshold, word)))
    picture = _reliability(told, word)
    return f'<h4>{escape(word("compare.sure"))}</h4><div class="sure">{picture}<div>{said}</div></div>'


def _threshold(told: Threshold | None, word: Word) -> str:
    if told is None or told.low_where_chosen <= 0:
        return word("compare.no_threshold")
    least = percent(Decimal(str(told.least)), places=0)
    if told.mean_after is None:
        return word("compare.threshold_unseen", least=least)
    key = "compare.threshold" if told.mean_after > 0 else "compare.threshold_fell"
    return word(key, least=least, mean=_share(told.mean_after), n=count(told.count_after))


def _reliability(told: Calibration, word: Word) -> str:
    """Of what was said with so much confidence, how much came true: on the diagonal it would be as said."""
    most = max(one.count for one in told.bins)
    marks = "".join(_mark(one, most, word) for one in told.bins if one.count)
    ends = f"<figcaption><span>0</span><span>{escape(word('compare.said_sure'))}</span><span>100%</span></figcaption>"
    return f'<figure role="img" aria-label="{escape(word("compare.sure"))}"><div>{marks}</div>{ends}</figure>'


def _mark(one: Bin, most: int, word: Word) -> str:
    """One bin: where the share lies with 95 %, and the share itself, larger for more opinions."""
    left, size = 100 * one.confidence, 6 + 8 * (one.count / most) ** 0.5
    said = escape(word("compare.bin", came=count(one.came_true), n=count(one.count)))
    return (
        f'<i style="left:{left:.1f}%;bottom:{100 * one.low:.1f}%;height:{100 * (one.high - one.low):.1f}%"></i>'
        f'<b title="{said}" style="left:{left:.1f}%;bottom:{100 * one.came_true / one.count:.1f}%;'
        f'width:{size:.0f}px;height:{size:.0f}px"></b>'
    )


def pairs_html(pairs: Sequence[Pair[VersionKey]], word: Word, say: Say) -> str:
    """Two versions on the same candles, each pair a line."""
    reach = reach_of([pair.beyond for pair in pairs if pair.beyond is not None])
    return f'<div class="cmp pairs">{"".join(_pair(pair, reach, word, say) for pair in pairs)}</div>'


def _pair(pair: Pair[VersionKey], reach: float, word: Word, say: Say) -> str:
    first, second = (pair.one, pair.other) if pair.ahead != pair.other else (pair.other, pair.one)
    names = (f"{version_name(one, word)} ({one.model})" for one in (first, second))
    beyond = pair.beyond
    if beyond is not None and first is pair.other:
        beyond = AnytimeInterval(-beyond.mean, -beyond.high, -beyond.low, beyond.blocks)
    title = " − ".join(names)
    counted = word("compare.of_days", n=count(pair.decisions), days=count(pair.days))
    picture = "" if beyond is None else strip(word("compare.more"), beyond, reach, "")
    kind = "up" if pair.ahead is not None else ""
    return (
        f"<section><header><b>{escape(title)}</b><span>{escape(counted)}</span></header>"
        f'<p class="verdict {kind}">{escape(say(pair.reason))}</p>{picture}</section>'
    )
