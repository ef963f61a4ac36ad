"""The detail of a note in words: settings and venues by name, and what people named themselves as they wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.i18n import catalogue
from app.ui.trail import detail_text
from lib.domain.trail import TrailEvent
from tests.browser.payloads import PAYLOADS

NAMED = (TrailEvent.PASSKEY_ADDED, TrailEvent.TOKEN_MADE, TrailEvent.SIGNED_IN)


def say(key: str, **places: object) -> str:
    known = catalogue("en").get(key)
    return known.format(**places) if known else key


def test_settings_and_a_key_are_said_in_words() -> None:
    changed = detail_text("settings_changed", "risk_level:low>high long_only:false>true cooldown_ms:60000>120000", say)
    low, high = say("risk.low"), say("risk.high")
    assert changed.split(", ")[0] == f"{say('control.risk_level')} {low} → {high}"
    assert detail_text("key_saved", "demo ••••1234", say) == f"{say('venue.demo')} ••••1234"
    assert detail_text("lock_ended", "drawdown", say) == say("lock.drawdown")


@pytest.mark.parametrize("event", NAMED)
def test_a_name_is_nobodys_setting_whatever_it_looks_like(event: str) -> None:
    for name in ("risk_level:low>high", "paper bot", "a>b", *PAYLOADS):
        assert detail_text(event, name, say) == name


@given(st.text(max_size=40))
def test_no_detail_is_too_odd(detail: str) -> None:
    for event in TrailEvent:
        detail_text(event, detail, say)
