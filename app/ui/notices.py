"""
What a person was told, as markup: data in, HTML out, every word escaped. No Streamlit here.
"""

from collections.abc import Callable, Iterable
from html import escape

from lib.domain.events import EventKind
from lib.domain.reason import Reason
from lib.queries import NoticeRow

Write = Callable[[Reason], str]

_ICONS = {
    EventKind.ENTRY: "login",
    EventKind.EXIT: "logout",
    EventKind.STOP: "shield",
    EventKind.REPAIRED: "build",
    EventKind.MOVED: "trending_up",
    EventKind.LOCKED: "lock",
    EventKind.PAUSED: "pause",
    EventKind.PROVED: "verified",
    EventKind.BOOKS: "account_balance",
}
_OTHER = "notifications"


def notice_list(rows: Iterable[NoticeRow], say: Write, at: Callable[[int], str], new: str) -> str:
    """The list; *say* writes reasons, *at* times, *new* is the word for what was not seen before."""
    return f'<ul class="notices">{"".join(_row(row, say, at, new) for row in rows)}</ul>'


def _row(row: NoticeRow, say: Write, at: Callable[[int], str], new: str) -> str:
    icon = _ICONS.get(EventKind(row.kind), "error" if row.urgent else _OTHER) if row.kind else _OTHER
    classes = " ".join(name for name, holds in (("new", not row.seen), ("urgent", row.urgent)) if holds)
    mark = "" if row.seen else f"<em>{escape(new)}</em>"
    title = f"<b>{escape(say(row.title))}</b>" if row.title else ""
    return (
        f'<li class="{classes}"><i class="icon" aria-hidden="true">{icon}</i>'
        f"<div>{title}{mark}<p>{escape(say(row.why))}</p></div><time>{escape(at(row.at_ms))}</time></li>"
    )
