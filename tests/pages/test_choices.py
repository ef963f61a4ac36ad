"""A switch of language changes the words of a choice, never the choice: on every page, for every widget of options."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.panels.result_tables import TABLES
from tests.pages.conftest import Visit
from tests.pages.test_operator import HEADINGS
from tests.pages.test_pages import PAGES

APP = Path(__file__).resolve().parents[2] / "app"
LANGUAGE = {"lang", "lang_again"}
CHOSEN = {
    "outcome": "sold", "shown": "trades", "span": "day", "result": "won", "period": "7d",
    "token_scope": "control", "token_days": 90, "limit": "max_exposure", "door_registration": "closed",
}  # fmt: skip
"""What is chosen where the widget is; what acts at once keeps the choice it has."""
PLACES: list[tuple[str, str, dict[str, str]]] = [
    *(("t-owner", page, {}) for page in PAGES),
    *(("t-owner", "results", {"table": table}) for table in TABLES),
    *(("t-operator", "operator", {"section": section}) for section in HEADINGS),
]


def choosing(at: AppTest) -> list[Any]:
    """Every widget whose value is one of some options, but for the switch of language itself."""
    return [one for one in (*at.selectbox, *at.button_group) if one.key not in LANGUAGE]


def labels(widget: Any) -> list[str]:
    """What a browser shows as options."""
    return [str(getattr(option, "content", option)) for option in widget.proto.options]


def shown(widget: Any) -> list[str]:
    """The label a browser is told to show as the choice; nothing where the one it has stays."""
    proto = widget.proto
    if not proto.set_value:
        return []
    return list(proto.raw_values) if hasattr(proto, "raw_values") else [proto.raw_value]


def choose_another(at: AppTest) -> None:
    for key in [one.key for one in choosing(at)]:
        for widget in [one for one in choosing(at) if one.key == key and key in CHOSEN]:
            widget.set_value(CHOSEN[key]).run()


@pytest.mark.parametrize(("token", "page", "asked"), PLACES, ids=lambda value: str(value))
def test_a_choice_outlives_a_switch_of_language(
    visit: Visit, staged: SimpleNamespace, token: str, page: str, asked: dict[str, str]
) -> None:
    at = visit(token, page, "ko", **asked)
    choose_another(at)
    before = {one.key: (at.session_state[one.key], labels(one)) for one in choosing(at)}
    at.button_group(key="lang").set_value("en").run()
    assert not at.exception
    acts = list(staged.acts.done)
    for widget in choosing(at):
        value, words = before[widget.key]
        assert at.session_state[widget.key] == value, widget.key
        if labels(widget) != words:
            assert set(shown(widget)) <= set(labels(widget)), widget.key
            assert shown(widget), f"{widget.key} shows a word of the other language"
    assert staged.acts.done == acts, "no switch of language is an act"


def test_every_widget_of_translated_options_has_a_key_that_stays_with_its_choice() -> None:
    for path in APP.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            given = {one.arg: one.value for one in call.keywords}
            if call.func.attr in ("selectbox", "segmented_control", "radio", "pills", "multiselect", "select_slider"):
                key = ast.unparse(given["key"])
                translated = "format_func" in given and "NAMES" not in ast.unparse(given["format_func"])
                assert not translated or key.startswith("still("), f"{path.name}:{call.lineno} {key}"
