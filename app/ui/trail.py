"""
A person's trail as markup: data in, HTML out, every word escaped. No Streamlit here.
"""

from collections.abc import Callable, Iterable
from html import escape

from lib.domain.account import VENUES
from lib.queries import TrailLine

Say = Callable[..., str]
_NAMES = {
    "risk_level": "control.risk_level",
    "max_leverage": "control.max_leverage",
    "custom_prompt": "field.custom_prompt",
    "system": "field.system",
    "cadence_min": "field.cadence_min",
    "answer_version": "field.answer_version",
    "exits": "field.exits",
    "inputs": "field.inputs",
    "models": "field.models",
    "long_only": "field.long_only",
    "risk_per_trade": "field.risk_per_trade",
    "min_confidence": "field.min_confidence",
    "cooldown_ms": "limit.cooldown",
}
"""Catalogue keys of settings; every other one is a limit."""
_OF_SETTINGS = ("settings_changed", "settings_loosened")
_OF_A_KEY = ("key_saved", "key_deleted", "paper_opened")


def trail_rows(lines: Iterable[TrailLine], t: Say, at: Callable[[int], str]) -> str:
    """The trail as a list; *t* says words, *at* times."""
    return f'<ul class="trail">{"".join(_row(line, t, at) for line in lines)}</ul>'


def _row(line: TrailLine, t: Say, at: Callable[[int], str]) -> str:
    place = " · ".join(part for part in (line.device or t("account.device_unknown"), line.network) if part)
    who = "" if line.actor == "owner" else f'<em class="{escape(line.actor)}">{escape(t(f"actor.{line.actor}"))}</em>'
    told = detail_text(line.event, line.detail, t)
    detail = f"<span>{escape(told)}</span>" if told else ""
    return (
        f"<li><time>{escape(at(line.at_ms))}</time><div><b>{escape(t(f'trail.{line.event}'))}</b>{who}{detail}"
        f"<small>{escape(place)}</small></div></li>"
    )


def detail_text(event: str, detail: str, t: Say) -> str:
    """
    The detail of a note of *event* as a person reads it: settings by their names, a venue by its own. What people
    called something themselves (a passkey, a token) stands as they wrote it, whatever it looks like.
    """
    if event == "lock_ended":
        return t(f"lock.{detail}")
    if event in _OF_A_KEY:
        venue, _, rest = detail.partition(" ")
        return f"{t(f'venue.{venue}')} {rest}" if venue in VENUES else detail
    return ", ".join(_setting(word, t) for word in detail.split(" ")) if event in _OF_SETTINGS and detail else detail


def _setting(word: str, t: Say) -> str:
    name, _, values = word.partition(":")
    before, _, after = values.partition(">")
    label = t(_NAMES.get(name, f"limit.{name}"))
    return f"{label} {_value(name, before, t)} → {_value(name, after, t)}" if values else label


def _value(name: str, value: str, t: Say) -> str:
    if name == "risk_level":
        return t(f"risk.{value}")
    if name == "cooldown_ms" and value.isdigit():
        return t("age.minutes", n=int(value) // 60_000)
    return t(f"field.{value}") if value in ("true", "false") else value
