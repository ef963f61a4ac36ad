"""The kill switch in words: never "stopped" before the proof, locks with their reasons, what a person must settle."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.i18n import TONGUES, catalogue
from app.ui.cockpit import standing_part
from app.ui.reasons import say
from app.ui.standing import LOCKS, state_reason
from lib.accounts.trading import ENDABLE_LOCKS
from lib.domain import reason_codes as codes
from lib.domain.gates import FOREVER_MS
from lib.domain.locks import RiskLock
from lib.domain.order import OrderState
from lib.domain.reason import text
from lib.queries import Standing, Switches
from tests.pages.conftest import Visit
from tests.pages.test_pages import component, tree
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


def why(stands: Standing, language: str = "en") -> str:
    """What the bar says of an account, whole."""
    return " ".join(standing_part(stands)["why"][language])


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
def test_stopped_is_not_said_before_the_proof(stands: Standing, key: str, language: str) -> None:
    words = catalogue(language)
    assert standing_part(stands)["state"] == "stopping"
    assert words[key] in why(stands, language)
    for proved in ("stops.stopped", "stops.closed"):
        told = words[proved].split("{at}")
        assert not all(part in why(stands, language) for part in told)


@pytest.mark.parametrize(("switches", "key"), [(OFF, "stops.stopped"), (CLOSING, "stops.closed")])
def test_the_proof_is_said_with_its_time(switches: Switches, key: str) -> None:
    proved = replace(STANDING, switches=replace(switches, proven_ms=PROVED_MS))
    assert standing_part(proved)["state"] == "stopped"
    at = f"{TONGUES['en'].at(PROVED_MS, date=False)} UTC"
    assert EN[key].format(at=at) in why(proved)
    assert EN["stops.stopping"] not in why(proved)
    assert EN["stops.closing"] not in why(proved)


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
    stands = replace(STANDING, **changes)
    assert stands.state == state
    assert standing_part(stands)["state"] == state


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("page", ["dashboard", "trade_logs", "api_keys", "settings"])
def test_the_bar_stands_on_every_page_with_every_word_it_can_need(visit: Visit, page: str, language: str) -> None:
    words: Any = component(visit("t-owner", page, language), "bar")["text"]
    told = catalogue(language)
    for state in ("off", "on", "stopping", "stopped", "none"):
        assert words[f"state_{state}"] == told[f"state.{state}"]
    assert words["state_locked"] == told["state.lock"]
    assert words["flatten_sure"] == told["stops.flatten_sure"]


def test_a_stranger_has_no_bar_and_no_tabs(visit: Visit) -> None:
    at = visit(None)
    with pytest.raises(AssertionError, match="bar"):
        component(at, "bar")
    assert not at.get("page_link")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_why_an_account_is_stopped_is_said_in_the_readers_language(language: str) -> None:
    assert say(OFF.why, language) in why(replace(STANDING, switches=OFF), language)


def test_locked_entries_are_a_word_of_their_own_with_their_names() -> None:
    lock = RiskLock(1, "cooldown", NOW_MS + 60_000, text("why"), NOW_MS)
    locked = replace(STANDING, locks=(lock,))
    assert standing_part(locked)["state"] == "locked"
    assert EN["state.locked"].format(locks=EN["lock.cooldown"]) in why(locked)
    assert standing_part(replace(locked, auto_trade=False))["state"] == "off", "locked is said of what would enter"


def test_the_platforms_switch_says_whose_it_is_and_why() -> None:
    stopped = replace(STANDING, platform=replace(OFF, why=codes.SWITCHED_OFF_BY_SETTINGS()))
    assert KO["stops.platform"] in why(stopped, "ko")
    assert "서버 설정에서 매매가 꺼져 있습니다." in why(stopped, "ko")
    assert (standing_part(stopped)["own"], standing_part(stopped)["halted"]) == (False, True)


def test_who_is_being_closed_is_offered_to_resume_and_not_to_close_again() -> None:
    closing = standing_part(replace(STANDING, switches=CLOSING))
    assert (closing["own"], closing["closing"]) == (True, True)
    paused = standing_part(replace(STANDING, switches=OFF))
    assert (paused["own"], paused["closing"]) == (True, False)
    on = standing_part(STANDING)
    assert (on["own"], on["closing"]) == (False, False)


def test_what_is_still_open_is_said_while_everything_is_being_closed() -> None:
    assert EN["stops.position"].format(qty="0.031", symbol="BTCUSDT") in why(replace(STANDING, switches=CLOSING))
    assert EN["stops.open_rows"].format(n=1) in why(stuck())


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_sentence_is_plain_and_in_its_language(language: str) -> None:
    hostile = replace(STANDING, switches=replace(OFF, why=text("<b>x</b>")))
    assert "<b>x</b>" in state_reason(hostile, TONGUES[language])


def test_every_lock_has_its_reason_and_only_some_can_be_ended(visit: Visit, staged: SimpleNamespace) -> None:
    ends = NOW_MS + 3_600_000
    locks = tuple(RiskLock(1, kind, ends, codes.EXTERNAL_POSITION_CHANGE(), NOW_MS) for kind in LOCKS)
    at = shown(visit, staged, replace(STANDING, locks=locks))
    page = tree(at)
    for kind in LOCKS:
        assert EN[f"lock.{kind}"] in page
    assert "An external order changed this position" in page
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
