"""Text from outside is text in every place that reads Markdown, and no page puts it there any other way."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.plain import plain

APP = Path(__file__).resolve().parents[2] / "app"
READS_MARKDOWN = {
    "badge", "button", "caption", "checkbox", "error", "expander", "form_submit_button", "header", "info", "markdown",
    "metric", "number_input", "page_link", "popover", "radio", "segmented_control", "selectbox", "slider", "subheader",
    "success", "text_area", "text_input", "title", "toast", "toggle", "warning", "write", "pills", "tabs",
}  # fmt: skip
"""Streamlit's calls whose first argument is Markdown."""
INERT = {"t", "md", "plain", "money", "percent", "exact", "price", "fee", "clock_time"}
"""What may stand in such an argument: words of the catalogues, text made inert, and numbers as we write them."""
HOSTILE = (
    "**bold**", "_it_", "`code`", "[x](javascript:alert(1))", "<b>b</b>", "<script>", "# head", "- item", "1. item",
    "> quote", "a | b", "~~gone~~", "$x^2$", ":red[danger]", ":material/key:", ":joy:", ":100:", "https://evil.example",
    "www.evil.example", "me@evil.example", "a -> b", "a <-> b", "a -- b", ">=", "line\n# two", "&lt;", "\\*", "![i](x)",
    "{x}", ":blue-badge[x]", "+ item", "===", "---",
)  # fmt: skip
"""Each of them is more than its letters where Streamlit's Markdown meets it unprepared."""


SEEN_LATE = re.compile(r"https?://|www\.|:\w+:(?!\d)|\S@\w|->|--|\][(:\[]|^[-+=][\s\w=]|^\d+[.)] ")
"""What is looked for when backslashes are gone."""
LETTERS = st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(":-<>[]()*_ 10./@w")


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_becomes_letters(text: str) -> None:
    shown = plain(text)
    assert unescaped(shown) == " ".join(text.split("\n"))
    assert not re.search(r"(?<!\\)[`*_<>#|~$&{}^]", shown)
    assert not SEEN_LATE.search(re.sub(r"\\(.)", r"\1", shown))


def unescaped(shown: str) -> str:
    """What a reader sees of *shown*."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown).replace("\u2060", "")


@given(st.text(alphabet=LETTERS, max_size=60))
def test_nothing_is_added_or_lost_that_a_reader_sees(text: str) -> None:
    assert unescaped(plain(text)) == text.strip()


def test_a_time_of_day_and_a_number_stay_as_they_are_written() -> None:
    for text in ("23:14:05 KST · 1,234.50 USDT · 0.5%", "1.0%", "-12.50", "+3.2%"):
        assert plain(text) == text


def markdown_arguments() -> Iterator[tuple[str, ast.expr]]:
    """Every first argument of such a call in the screens, and where it stands."""
    for path in sorted(APP.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _is_streamlit(node.func) and node.args:
                yield f"{path.relative_to(APP)}:{node.lineno}", node.args[0]


def _is_streamlit(called: ast.expr) -> bool:
    return isinstance(called, ast.Attribute) and called.attr in READS_MARKDOWN and ast.unparse(called.value) == "st"


def is_inert(given: ast.expr, known: set[str]) -> bool:
    """Whether *given* can hold no markup of anybody's but ours; *known* are expressions looked at by hand."""
    if ast.unparse(given) in known:
        return True
    if isinstance(given, ast.JoinedStr):
        return all(is_inert(part, known) for part in given.values)
    if isinstance(given, ast.FormattedValue):
        return is_inert(given.value, known)
    if isinstance(given, ast.IfExp):
        return is_inert(given.body, known) and is_inert(given.orelse, known)
    if isinstance(given, ast.List):
        return all(is_inert(one, known) for one in given.elts)
    if isinstance(given, ast.Call) and isinstance(given.func, ast.Name):
        # `t` fills its places as they come: with anything to fill, it is `md`
        return given.func.id in INERT and not (given.func.id == "t" and given.keywords)
    return isinstance(given, ast.Constant)


LOOKED_AT = {
    "panels/telling.py": {"success", "sentence(refusal)"},
    "panels/editor.py": {"told", "UNSEEN"},
    "panels/preview.py": {"note"},
    "panels/rewriting.py": {"label", "sentence"},
    "panels/refused_key.py": {"sentence(refusal)"},
    "panels/checked_key.py": {"mark", "_addresses(saved)", "_until(saved, now_ms)"},
    "panels/detail.py": {"zone().label", "row.id"},
    "panels/backtest_form.py": {"label"},
    "panels/backtest_found.py": {"told.short"},
    "panels/exits.py": {"label", "sentence"},
    "panels/guarding.py": {"done"},
    "panels/inputs.py": {"input_name(block, t)", "_cost(md, offer, note.tokens)", "name", "told"},
    "panels/memory.py": {"told.short"},
    "panels/operator/platform.py": {"setting_name(setting)"},
    "panels/operator/review.py": {"named"},
    "panels/operator/stopping.py": {"named"},
    "panels/results.py": {"note"},
    "panels/risk.py": {"label", "_limit_means(knob, meant, tiles)", "_unsaved(chosen.settings, held)"},
    "panels/strategies.py": {"_in_short(content)"},
    "panels/traded.py": {"unit"},
    "panels/stops.py": {"lock_words(lock, tongue())"},
}
"""Arguments that are made inert a line before, or are words of a function of ours that makes them so."""


def test_no_page_puts_text_from_outside_where_markdown_is_read() -> None:
    found = list(markdown_arguments())
    assert len(found) > 40
    known = {where: LOOKED_AT.get(where.split(":")[0], set()) for where, _ in found}
    assert [f"{where} {ast.unparse(given)}" for where, given in found if not is_inert(given, known[where])] == []
