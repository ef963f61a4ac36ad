"""The kill switch on the dashboard: never "stopped" before the proof, two acts that ask once more, locks in words."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.i18n import catalogue
from app.panels.state import LOCKS
from app.ui.reasons import say
from lib.accounts.refusal import Refusal
from lib.accounts.trading import ENDABLE_LOCKS
from lib.domain import reason_codes as codes
from lib.domain.gates import FOREVER_MS
from lib.domain.locks import RiskLock
from lib.domain.order import OrderState
from lib.domain.reason import text
from lib.queries import Standing, Switches
from tests.pages.conftest import Visit
from tests.pages.test_pages import tree
from tests.worlds.pages import NOW_MS, ON, OWNER, STANDING, log_row, order

OFF = replace(ON, trading_enabled=False, switched_ms=NOW_MS - 5_000, why=codes.CLOSED_BY_OWNER())
CLOSING = replace(OFF, flatten=True)
PROVED_MS = NOW_MS - 1_000
EN, KO = catalogue("en"), catalogue("ko")


def stuck(state: OrderState = OrderState.UNKNOWN) -> Standing:
    return replace(STANDING, switches=OFF, open_rows=(replace(order(log_row(60)), state=state),))


def shown(visit: Visit, staged: SimpleNamespace, stands: Standing, language: str = "en") -> AppTest:
    staged.shelf.stands = stands
    at = visit("t-owner", language=language)
    assert not at.exception
    return at


def test_who_trades_sees_no_banner(visit: Visit, staged: SimpleNamespace) -> None:
    page = tree(shown(visit, staged, STANDING))
    assert EN["stops.own"] not in page
    assert EN["stops.trading"] in page


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(
    ("stands", "key"),
    [
        (replace(STANDING, switches=OFF), "stops.stopping"),
        (replace(STANDING, switches=CLOSING), "stops.closing"),
        (replace(STANDING, platform=OFF), "stops.stopping"),
        (replace(STANDING, platform=CLOSING), "stops.closing"),
        (replace(STANDING, switches=replace(OFF, proven_ms=PROVED_MS), platform=CLOSING), "stops.closing"),
        (replace(stuck(), switches=replace(OFF, proven_ms=PROVED_MS)), "stops.stopping"),
    ],
)
def test_stopped_is_not_said_before_the_proof(
    visit: Visit, staged: SimpleNamespace, stands: Standing, key: str, language: str
) -> None:
    words = catalogue(language)
    page = tree(shown(visit, staged, stands, language))
    assert words[key] in page
    assert words["state.stopping"] in page
    assert words["state.stopped"] not in page
    for proved in ("stops.stopped", "stops.closed"):
        assert words[proved].split("{")[0] not in page


@pytest.mark.parametrize(("switches", "key"), [(OFF, "stops.stopped"), (CLOSING, "stops.closed")])
def test_the_proof_is_shown_with_its_time(visit: Visit, staged: SimpleNamespace, switches: Switches, key: str) -> None:
    proved = replace(STANDING, switches=replace(switches, proven_ms=PROVED_MS))
    page = tree(shown(visit, staged, proved))
    assert EN[key].split("{")[0] in page
    assert EN["state.stopped"] in page
    assert EN["stops.stopping"] not in page
    assert EN["stops.closing"] not in page


ENTRY = replace(order(log_row(60)), state=OrderState.UNKNOWN)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "on"),
        ({"auto_trade": False}, "off"),
        ({"auto_trade": False, "open_rows": (ENTRY,)}, "stopping"),
        ({"switches": OFF}, "stopping"),
        ({"switches": OFF, "auto_trade": False}, "stopping"),
        ({"platform": OFF}, "stopping"),
        ({"switches": replace(OFF, proven_ms=PROVED_MS)}, "stopped"),
        ({"switches": replace(OFF, proven_ms=PROVED_MS), "open_rows": (ENTRY,)}, "stopping"),
        ({"switches": replace(OFF, proven_ms=PROVED_MS), "platform": OFF}, "stopped"),
        ({"switches": replace(OFF, proven_ms=PROVED_MS), "platform": CLOSING}, "stopping"),
    ],
)
def test_one_word_says_how_the_account_stands(changes: dict[str, Any], state: str) -> None:
    assert replace(STANDING, **changes).state == state


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("page", ["dashboard", "settings"])
def test_the_word_and_its_reason_are_the_same_on_every_page(
    visit: Visit, staged: SimpleNamespace, page: str, language: str
) -> None:
    staged.shelf.stands = replace(STANDING, switches=OFF)
    seen = tree(visit("t-owner", page, language))
    assert catalogue(language)["state.stopping"] in seen
    assert say(OFF.why, language) in seen


def test_locked_entries_are_told_beside_the_word(visit: Visit, staged: SimpleNamespace) -> None:
    lock = RiskLock(1, "cooldown", NOW_MS + 60_000, text("why"), NOW_MS)
    page = tree(shown(visit, staged, replace(STANDING, locks=(lock,))))
    assert EN["state.on"] in page
    assert EN["state.locked"].format(locks=EN["lock.cooldown"]) in page


def test_the_platforms_switch_says_whose_it_is_and_why(visit: Visit, staged: SimpleNamespace) -> None:
    why = replace(OFF, why=codes.SWITCHED_OFF_BY_SETTINGS())
    page = tree(shown(visit, staged, replace(STANDING, platform=why), "ko"))
    assert KO["stops.platform"] in page
    assert "서버 설정에서 매매가 꺼져 있습니다." in page


@pytest.mark.parametrize(
    ("stands", "key", "act"),
    [
        (STANDING, "stops_pause", "pause"),
        (STANDING, "flatten_yes", "flatten"),
        (replace(STANDING, switches=OFF), "stops_resume", "resume"),
        (replace(STANDING, switches=OFF), "flatten_yes", "flatten"),
    ],
)
def test_a_button_acts_for_the_person_of_the_session(
    visit: Visit, staged: SimpleNamespace, stands: Standing, key: str, act: str
) -> None:
    at = shown(visit, staged, stands)
    at.button(key=key).click().run()
    assert staged.acts.done == [(act, OWNER.user_id)]


def test_what_is_refused_is_said(visit: Visit, staged: SimpleNamespace) -> None:
    staged.acts.answer = Refusal("refuse.wait", seconds=42)
    at = shown(visit, staged, STANDING)
    at.button(key="flatten_yes").click().run()
    assert any("42 seconds" in toast.value for toast in at.toast)


def test_who_is_being_closed_can_only_resume(visit: Visit, staged: SimpleNamespace) -> None:
    at = shown(visit, staged, replace(STANDING, switches=CLOSING))
    keys = {button.key for button in at.button}
    assert "stops_resume" in keys
    assert not keys & {"stops_pause", "flatten_yes"}


def test_every_lock_has_its_reason_and_only_some_can_be_ended(visit: Visit, staged: SimpleNamespace) -> None:
    ends = NOW_MS + 3_600_000
    locks = tuple(RiskLock(1, kind, ends, codes.EXTERNAL_POSITION_CHANGE(), NOW_MS) for kind in LOCKS)
    at = shown(visit, staged, replace(STANDING, locks=locks))
    page = tree(at)
    for kind in LOCKS:
        assert EN[f"lock.{kind}"] in page
    assert "an external order changed this position" in page
    assert {b.key for b in at.button if b.key and b.key.startswith("end_")} == {f"end_{k}_yes" for k in ENDABLE_LOCKS}
    at.button(key="end_external_yes").click().run()
    assert staged.acts.done == [("end_lock", OWNER.user_id, "external")]


def test_a_lock_without_an_end_says_who_ends_it(visit: Visit, staged: SimpleNamespace) -> None:
    lock = RiskLock(1, "drawdown", FOREVER_MS, text("why"), NOW_MS)
    page = tree(shown(visit, staged, replace(STANDING, locks=(lock,))))
    assert EN["stops.until_person"] in page
    assert "9999-" not in page


def test_the_platforms_locks_are_nobodys_to_end(visit: Visit, staged: SimpleNamespace) -> None:
    lock = RiskLock(0, "drawdown", NOW_MS + 1, text("why"), NOW_MS)
    at = shown(visit, staged, replace(STANDING, platform_locks=(lock,)))
    assert EN["stops.everybody"] in tree(at)
    assert not [button.key for button in at.button if button.key and button.key.startswith("end_")]


def test_an_order_only_a_person_can_end_says_what_to_do(visit: Visit, staged: SimpleNamespace) -> None:
    page = tree(shown(visit, staged, stuck(OrderState.NEEDS_HUMAN), "ko"))
    assert KO["stops.needs_human"] in page
    assert order(log_row(60)).order_link_id in page
