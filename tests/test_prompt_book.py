"""docs/prompts.md says what is sent now, and shows every template and every block."""

from lib.domain.input_blocks import BLINDFOLD, OFFERED
from lib.domain.strategy_templates import TEMPLATES
from tests.prompt_book import PAGE, material, page, prompt_of

NEWEST = str(material().minutes[-1].close)


def test_the_page_is_what_the_command_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.prompt_book"


def test_every_template_and_every_block_is_on_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"## `{one.name}`" in text for one in TEMPLATES)
    for block in OFFERED:
        if block != BLINDFOLD:
            [line] = (row for row in text.splitlines() if row.startswith(f"| `{block.name}` |"))
            assert line.split("|")[2].strip() != "left out"


def test_the_blindfold_of_every_template_tells_neither_when_nor_what() -> None:
    known = material()
    for one in TEMPLATES:
        blind = prompt_of(one, "en", known, is_blind=True)
        assert not any(told in blind.system + blind.user for told in ("BTC", "1760", "2025", "Thursday", NEWEST))
