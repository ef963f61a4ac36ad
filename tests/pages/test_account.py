"""The page of the account: one's own devices and trail, ended for nobody else, and nothing of it for the demo."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

import app.panels.step_up
from app.i18n import catalogue
from lib.accounts.key_gate import RIGHTS
from lib.accounts.step_up import UNPROVED
from lib.accounts.trading import KeySaved
from lib.domain.trail import Actor, TrailEvent
from tests.pages.conftest import Visit
from tests.pages.test_pages import tree
from tests.worlds.pages import NOW_MS, OWNER


def test_a_device_is_ended_by_its_number_and_the_one_in_use_is_not_offered(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "account")
    assert [button.key for button in at.button if str(button.key).startswith("end_")] == [
        "end_1",
        "end_2",
        "end_others",
    ]
    at.button(key="end_2").click().run()
    assert staged.acts.done == [("end_session", OWNER.user_id, 2)]
    assert not at.exception


def test_all_other_devices_are_ended_together(visit: Visit, staged: SimpleNamespace) -> None:
    visit("t-owner", "account").button(key="end_others").click().run()
    assert staged.acts.done == [("end_others", OWNER.user_id)]


def test_the_trail_names_settings_venues_and_locks_as_pages_do(visit: Visit) -> None:
    shown = tree(visit("t-owner", "account", "en"))
    for words in (
        "Risk level Medium → High, Max leverage 5 → 25",
        "Bybit demo trading ••••7Qk2",
        "not signed in",
        "Unknown device · 198.51.100.20",
    ):
        assert words.lower() in shown.lower(), words


def test_a_visitor_of_the_demo_sees_nobodys_address(visit: Visit) -> None:
    shown = tree(visit("t-demo", "account"))
    assert "203.0.113.7" not in shown
    assert catalogue("ko")["account.demo"] in shown


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_event_and_actor_has_its_words(language: str) -> None:
    words = catalogue(language)
    assert {f"trail.{event.value}" for event in TrailEvent} == {key for key in words if key.startswith("trail.")}
    assert {f"actor.{actor.value}" for actor in Actor if actor is not Actor.OWNER} <= set(words)


def forms(at: AppTest) -> set[str]:
    """The routes that the page's forms post to."""
    found = [
        json.loads(one.proto.json) for one in at.get("bidi_component") if one.proto.component_name.endswith("safety")
    ]
    return {data.get("path") or data["kind"] for data in found}


def test_what_guards_the_account_is_changed_by_forms_of_the_browser_after_a_proof(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "account")
    always = {"/api/account/password", "/api/account/email", "export", "/api/account/delete"}
    assert forms(at) == always | {"factor"}
    staged.shelf.has_factor = True
    assert forms(at.run()) == always | {"codes", "/api/account/factor"}
    staged.acts.tokens["t-owner"] = replace(OWNER, proved_ms=0)
    assert forms(visit("t-owner", "account")) == {"/api/account/prove"}
    assert at.text_input == []


@pytest.mark.parametrize("language", ["ko", "en"])
def test_where_mail_is_sent_the_form_says_that_the_new_e_mail_is_confirmed_first(
    visit: Visit, staged: SimpleNamespace, language: str
) -> None:
    words = catalogue(language)
    assert words["guard.email_note"] not in tree(visit("t-owner", "account", language))
    staged.emails.can_mail = True
    at = visit("t-owner", "account", language)
    assert words["guard.email_note"] in tree(at)
    assert "/api/account/email" in forms(at)
    assert not at.exception


def test_an_act_that_wants_a_proof_opens_the_dialog_over_the_page_once(
    visit: Visit, staged: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    # the runner of these tests cannot draw a dialog; the browser's tests look at it
    monkeypatch.setattr(app.panels.step_up, "_dialog", lambda: opened.append("dialog"))
    at = visit("t-owner", "api_keys")
    staged.acts.answer = UNPROVED
    at.button(key="delete_yes").click().run().run()
    assert opened == ["dialog"]


def test_a_guest_is_told_how_to_have_a_password(visit: Visit) -> None:
    at = visit("t-guest", "account")
    assert forms(at) == set()
    assert catalogue("ko")["guard.guest"] in tree(at)


def test_a_key_that_was_taken_shows_every_right_that_was_checked_and_its_end(
    visit: Visit, staged: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = visit("t-owner", "api_keys", "en")
    saved = KeySaved(1, "demo", "9Zk1", ("203.0.113.7",), NOW_MS + 86_400_000)
    monkeypatch.setattr(staged.acts, "save_key", lambda *_: saved)
    at.text_input(key="api_key").set_value("K" * 18)
    at.text_input(key="api_secret").set_value("S" * 36)
    at.button[-1].click().run()
    shown, words = tree(at), catalogue("en")
    for name in RIGHTS:
        assert words[f"checked.{name}"] in shown
    assert "Works from 203.0.113.7 alone" in shown
    assert "Put a new key in before" in shown
    assert "K" * 18 not in shown
    assert not at.exception


def test_keys_are_typed_after_the_proof_and_the_exchanges_page_is_one_press_away(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "api_keys")
    assert "https://www.bybit.com/app/user/api-management" in tree(at)
    staged.acts.tokens["t-owner"] = replace(OWNER, proved_ms=0)
    at = visit("t-owner", "api_keys")
    assert at.text_input == []
    assert forms(at) == {"/api/account/prove"}
