"""A noun fits the figure beside it, in every catalogue and wherever it stands."""

import re
from pathlib import Path

import pytest

from app.i18n import catalogue as pages
from lib.domain.filled import filled
from lib.reason_text import catalogue as reasons

COUNTED = re.compile(r"\{(\w+)\} (?!\{)([a-z-]+ )?([a-z]+s)\b")
"""A figure and a noun of many beside it."""
FIGURES = {
    "n", "count", "days", "months", "calls", "tries", "windows", "entries", "decided", "orders", "accounts", "cycles",
    "acted", "incidents", "trades", "decisions", "times", "minutes",
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("1", "1 try in 2 gaps"),
        ("0", "0 tries in 2 gaps"),
        ("1,001", "1,001 tries in 2 gaps"),
        ("11", "11 tries in 2 gaps"),
    ],
)
def test_one_is_not_many(given: str, said: str) -> None:
    assert filled("{n} {n:try|tries} in {gaps} {gaps:gap|gaps}", {"n": given, "gaps": 2}) == said
    assert filled("{n} {n:try|tries}", {"n": 1}) == "1 try"


def test_what_is_not_given_shows_itself_and_a_format_of_text_stays_one() -> None:
    assert filled("{a} {b}", {"a": "x"}) == "x {b}"
    assert filled("{a:>3}", {"a": "x"}) == "  x"


NEVER_ONE = {
    "refuse.operator.invites", "detail.seen_note", "strategy.preview_note", "krw.most", "stretch.criteria",
    "refuse.settings.system", "model.costs", "rewrite.moved", "refuse.shadow.budget", "arena.how_text", "past.cost",
    "past.cost_unknown", "past.cost_free", "bt.data", "strategy.estimate",
}  # fmt: skip
"""Windows, bounds and prompts are many, and numbers of versions are none of things."""


def test_an_english_sentence_whose_figure_may_be_one_has_both_nouns() -> None:
    sentences = {**pages("en"), **reasons("en").sentences}
    found = [
        (key, hit[0])
        for key, text in sentences.items()
        for hit in COUNTED.finditer(text)
        if hit[1] in FIGURES and key not in NEVER_ONE
    ]
    assert found == []


def test_korean_nouns_have_no_number() -> None:
    assert [key for key, text in {**pages("ko"), **reasons("ko").sentences}.items() if re.search(r"\{\w+:", text)] == []


def test_no_page_fills_a_sentence_of_a_catalogue_by_itself() -> None:
    """It would not know the nouns that fit."""
    own = re.compile(r"[\])]\.format(_map)?\(")
    found = [str(file) for file in Path("app").rglob("*.py") if own.search(file.read_text("utf-8"))]
    assert found == []
