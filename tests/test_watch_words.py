"""The terminal says of an account the same word as every page."""

from dataclasses import replace

import pytest

from lib.domain import reason_codes as codes
from lib.domain.locks import RiskLock
from lib.domain.reason import text
from services.watch import state_words
from tests.worlds.pages import NOW_MS, ON, STANDING

OFF = replace(ON, trading_enabled=False, switched_ms=NOW_MS - 5_000, why=codes.CLOSED_BY_OWNER())
LOCK = RiskLock(1, "cooldown", NOW_MS + 60_000, text("why"), NOW_MS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "auto-trading on"),
        ({"auto_trade": False}, "auto-trading off"),
        ({"locks": (LOCK,)}, "auto-trading on (entries locked: cooldown)"),
        ({"switches": OFF}, "auto-trading stopping (its owner asked to close everything)"),
        (
            {"switches": replace(OFF, proven_ms=NOW_MS)},
            "auto-trading stopped (confirmed) (its owner asked to close everything)",
        ),
    ],
)
def test_the_word_and_its_reason(changes: dict[str, object], words: str) -> None:
    assert state_words(replace(STANDING, **changes)) == words  # type: ignore[arg-type]
