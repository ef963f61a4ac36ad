"""
The names that the two pages for newcomers use stand in the code.

`docs/life-of-an-order.md` shortens `lib.trading.` away and writes `domain.` and `ports.` for those rooms of lib;
`docs/glossary.md` writes names out.
"""

import importlib
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
ROOMS = {"domain": "lib.domain", "ports": "lib.ports"}
NAME = re.compile(r"`([a-z_]+(?:\.\w+)+)(?:\(\))?`")


def _names(page: str) -> set[str]:
    return {
        name for name in NAME.findall((DOCS / page).read_text(encoding="utf-8")) if not name.endswith((".py", ".toml"))
    }


def _whole(name: str) -> str:
    head, _, rest = name.partition(".")
    return name if head == "lib" else f"{ROOMS.get(head, f'lib.trading.{head}')}.{rest}"


def _stands(name: str) -> bool:
    parts = name.split(".")
    for cut in range(len(parts), 1, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[cut:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


@pytest.mark.parametrize("page", ["life-of-an-order.md", "glossary.md"])
def test_every_name_on_the_page_stands_in_the_code(page: str) -> None:
    names = _names(page)
    assert len(names) > 30
    assert [name for name in sorted(names) if not _stands(_whole(name))] == []


def test_a_name_that_is_gone_is_noticed() -> None:
    assert not _stands("lib.domain.order.claim_nothing")
    assert not _stands("lib.domain.no_such_page.Thing")
