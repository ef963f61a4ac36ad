"""Who answers is said as it is: the bundled rules are no GPT, a model has its name, and no name is ever markup."""

from types import SimpleNamespace

import pytest

from app.i18n import catalogue
from app.ui.plain import plain
from lib.domain.analyst_name import RULES_MODEL
from lib.simulator.analyst.rule_words import SENTENCES, Language
from tests.pages.conftest import Visit
from tests.pages.test_pages import tree

MARKED_UP = "**gpt** :red[x] [y](https://evil.test)"
PLACES: tuple[tuple[str, dict[str, str]], ...] = (("dashboard", {}), ("settings", {}), ("trade_logs", {"log": "60"}))


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("page", "asked"), PLACES)
def test_where_rules_answer_the_page_says_so_and_never_calls_them_gpt(
    visit: Visit, staged: SimpleNamespace, page: str, asked: dict[str, str], language: str
) -> None:
    staged.shelf.model = RULES_MODEL
    at = visit("t-owner", page, language, **asked)
    assert not at.exception
    shown = tree(at)
    words = catalogue(language)["analyst.rules"]
    assert words in shown or plain(words) in shown
    assert "GPT" not in shown.replace(words, "").replace(plain(words), "")


@pytest.mark.parametrize("model", ["gpt-6-luna", MARKED_UP])
@pytest.mark.parametrize(("page", "asked"), PLACES)
def test_where_a_model_answers_the_page_has_its_name_as_text(
    visit: Visit, staged: SimpleNamespace, page: str, asked: dict[str, str], model: str
) -> None:
    staged.shelf.model = model
    at = visit("t-owner", page, "en", **asked)
    assert not at.exception
    marked_up = [*at.markdown, *at.caption, *at.get("badge")]
    assert not any(MARKED_UP in str(getattr(node, "value", node)) for node in marked_up)
    everything = [str(getattr(node, "value", "")) for node in (*marked_up, *at.text)]
    assert any(model in one or plain(model) in one for one in everything)
    assert catalogue("en")["analyst.rules"] not in tree(at)


def test_no_word_of_a_page_calls_the_analyst_gpt() -> None:
    for language in ("ko", "en"):
        told = {key: text for key, text in catalogue(language).items() if "GPT" in text}
        assert told.keys() <= {"analyst.rules", "badge.analyst.rules", "sign_in.promise"}


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("written", ["ko", "en"])
def test_what_the_rules_said_is_read_in_the_readers_language(
    visit: Visit, staged: SimpleNamespace, language: Language, written: Language
) -> None:
    sentence = {name: text.format(rsi="89") for name, text in SENTENCES["overbought"].items()}
    staged.shelf.reason = sentence[written]
    at = visit("t-owner", "trade_logs", language, log="60")
    assert not at.exception
    assert any(sentence[language] in text.value for text in at.text)
