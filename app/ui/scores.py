"""
What opinions were worth, in words and figures. Values in, text and markup out, all escaped; no verdict is made here.
"""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from html import escape

from app.ui.results import held, ratio
from app.ui.strategy_lines import strategy_name
from app.ui.write import count, exact, percent, price, shown
from lib.domain import reason_codes as codes
from lib.domain.reason import Reason
from lib.domain.scores import NOTIONAL, Beside, Score
from lib.evidence.verdict import LEAST_DECIDED
from lib.queries import OpinionWorth, VersionScores

Word = Callable[..., str]
Say = Callable[[Reason], str]
_CENT, _FINE = Decimal("0.01"), Decimal("0.0001")


def worth_lines(found: OpinionWorth, word: Word) -> list[str]:
    """What the opinion behind a decision was worth, a sentence a line."""
    score = found.score
    if score is None:
        return [word("worth.gone" if found.is_gone else "worth.waits")]
    lines = [word(f"worth.{score.ended}") if score.ended in ("nothing", "no_entry") else _ended(score, word)]
    lines.append(word("worth.call_unknown") if score.cost is None else word("worth.call", cost=_usd(score.cost)))
    return [*lines, *([_beside(found.beside, score, word)] if found.beside is not None else [])]


def _ended(score: Score, word: Word) -> str:
    return word(
        "worth.ended",
        entry=price(score.entry),
        exit=price(score.exit),
        held=held(score.closed_ms - score.entered_ms, word),
        by=word(f"worth.by_{score.ended}"),
        net=percent(score.net, signed=True),
        r=ratio(score.in_stops),
        notional=count(NOTIONAL),
    )


def _beside(trade: Beside, score: Score, word: Word) -> str:
    if not trade.causes:
        return word("worth.same")
    causes = ", ".join(word(f"cause.{cause}") for cause in trade.causes)
    mine, alone = (percent(value, places=3, signed=True) for value in (trade.net, score.before_call))
    return word("worth.differs", mine=mine, alone=alone, causes=causes)


def _usd(value: Decimal) -> str:
    """Dollars; of less than a cent, the digits that mean something."""
    return shown(f"${value.quantize(_CENT, ROUND_HALF_EVEN):,}") if value >= _CENT or not value else f"${_fine(value)}"


def _fine(value: Decimal) -> str:
    return exact(value.quantize(_FINE, ROUND_HALF_EVEN) or _FINE)


def scores_html(found: Sequence[VersionScores], word: Word, say: Say) -> str:
    """A card for each version: how many, what they said, what they were worth."""
    return f'<div class="scored">{"".join(_card(one, word, say) for one in found)}</div>'


def _card(one: VersionScores, word: Word, say: Say) -> str:
    name = word("strat.design") if one.name is None else f"{strategy_name(one.name, word)} · v{one.number}"
    parts = (("long", one.longs), ("short", one.shorts), ("hold", one.holds))
    bar = "".join(f'<i class="{kind}" style="width:{_share(n, one) * 100:.1f}%"></i>' for kind, n in parts if n)
    said = " · ".join(f"{word(f'scored.{kind}')} {percent(_share(n, one), places=0)}" for kind, n in parts)
    figures = (
        (word("scored.mean"), percent(one.mean, places=3, signed=True)),
        (word("scored.calls"), calls_usd(one.cost, one.unpriced, one.scored, word)),
    )
    rows = "".join(f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in figures)
    few = "" if one.decided >= LEAST_DECIDED else f"<small>{escape(say(_too_few(one)))}</small>"
    counted = escape(word("scored.count", n=count(one.scored)))
    return (
        f'<section><header><b>{escape(name)}</b><span>{counted}</span></header><p class="said">{bar}</p>'
        f"<p>{escape(said)}</p><dl>{rows}</dl>{few}</section>"
    )


def _too_few(one: VersionScores) -> Reason:
    return codes.EVIDENCE_FEW_DECIDED(decided=one.decided, least=LEAST_DECIDED)


def calls_usd(cost: Decimal, unpriced: int, scored: int, word: Word) -> str:
    """What *scored* calls cost, where so many have no known price."""
    if unpriced == scored:
        return "–"
    return word("scored.from", cost=_usd(cost)) if unpriced else _usd(cost)


def _share(part: int, one: VersionScores) -> Decimal:
    return Decimal(part) / one.scored
