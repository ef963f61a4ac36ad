"""
A backtest as anybody sees it who has its link: one page without script, account or question to another server.

It says what was asked and what came of it, in percent, with the number of tries it was found among. Nothing on it is
about a person.
"""

from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from typing import Any

from app.i18n import catalogue
from app.record_page import drawn, shell
from app.ui.backtest import sure_told
from app.ui.quarantine import stamp
from app.ui.write import count, percent
from lib.domain.backtests import Wish
from lib.domain.filled import filled
from lib.queries import BacktestFound

_BODY = """<header><p class="brand">Maemae 매매 · {title}</p><h1>{name}</h1><p class="soft">{asked}</p></header>
{stamp}<section><dl>{figures}</dl>{curve}</section>
<section><h2>{luck_title}</h2><p>{luck}</p></section>
<section><h2>{data_title}</h2><p>{data}</p><p class="soft">{months}</p></section>
<p class="soft">{past}</p>"""


def past_page(language: str, found: BacktestFound) -> str:
    """The page of *found*, which has a result, in *language*."""
    words = {key: escape(text) for key, text in catalogue(language).items()}
    result = found.result or {}
    sources, months = escape(", ".join(result["sources"])), result["months"]
    wish, start = found.line.wish, Decimal(result["start"])
    body = _BODY.format(
        title=words["bt.one"],
        name=f"{escape(wish.symbol)} · <span>{days(wish)}</span>",
        asked=f"{words[f'bt.kind_{wish.kind}']} · {escape(limits(wish))}",
        figures=_figures(words, found),
        curve=drawn(words["bt.curve"], [Decimal(point[1]) / start for point in result["points"]]),
        stamp=_stamp(words, result),
        luck_title=words["tiles.bt_sure"],
        luck=filled(words["bt.luck_shown"], {"n": count(found.tries)}),
        data_title=words["bt.prices"],
        data=filled(
            words["bt.data"], {"n": count(result["candles"]), "sources": sources, "months": count(len(months))}
        ),
        months="<br>".join(f"{escape(month)} <code>{escape(digest)}</code>" for month, digest in months),
        past=words["bt.about"],
    )
    return shell(language, words["bt.one"], body)


def days(wish: Wish) -> str:
    """The first and the last day, or the one there is."""
    since, until = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (wish.since_ms, wish.until_ms - 1))
    return f"{since:%Y-%m-%d}" if wish.days == 1 else f"{since:%Y-%m-%d} – {until:%Y-%m-%d}"


def limits(wish: Wish) -> str:
    """Risk, leverage and least confidence as they hold."""
    profile = wish.settings.profile
    risk, least = percent(profile.risk_per_trade, places=2), percent(profile.min_confidence, places=0)
    return f"{risk} · {profile.leverage_cap}× · {least}"


def _stamp(words: dict[str, str], result: dict[str, Any]) -> str:
    told = stamp(result, lambda key, **given: filled(words[key], {name: escape(one) for name, one in given.items()}))
    return f"<section><p><strong>{told}</strong></p></section>" if told else ""


def _figures(words: dict[str, str], found: BacktestFound) -> str:
    result = found.result or {}
    fall = Decimal(result["fall"]["share"]) if result["fall"] else Decimal(0)
    told = (
        ("tiles.bt_earned", percent(Decimal(result["earned"]), signed=True)),
        ("curve.hold", percent(Decimal(result["held"]), signed=True)),
        ("tiles.deepest", percent(-fall)),
        ("bt.trades_n", count(result["trips"])),
        ("tiles.bt_sure", sure_told(found.sure)),
        ("bt.tried", count(found.tries)),
    )
    return "".join(f"<div><dt>{words[key]}</dt><dd>{escape(text)}</dd></div>" for key, text in told)
