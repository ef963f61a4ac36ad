"""Every page: for its owner in both languages, for a stranger, for a read-only visitor, and what its widgets do."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.i18n import catalogue
from app.ui.palette import palette
from app.ui.reasons import say
from lib.accounts.refusal import Refusal
from lib.domain import reason_codes as codes
from lib.domain.account import DOUBTS, RiskLevel
from lib.domain.reason import NOTHING, Reason
from lib.domain.reason import text as words
from lib.market.status import ClosedMarket
from lib.queries import CommandRow
from lib.reason_text import said
from tests.browser.payloads import PAYLOADS
from tests.pages.conftest import Visit
from tests.worlds.pages import HOSTILE, NOW_MS, OWNER

PAGES = (
    "dashboard",
    "trade_logs",
    "results",
    "compare",
    "backtest",
    "arena",
    "strategy",
    "api_keys",
    "settings",
    "account",
)
SECRETS = ("7Qk2", "64120.5", "owner@example.com")
"""What only the owner's tree may hold."""


def tree(at: AppTest) -> str:
    """Everything the script sent to the browser; figures of the live parts go by the account's channel."""
    protos = (getattr(node, "proto", "") for node in at.main)
    # the bar is given every word it can need
    return " ".join(str(proto) for proto in protos if not getattr(proto, "component_name", "").endswith("_bar"))


def component(at: AppTest, name: str) -> dict[str, object]:
    """The data a browser module was given."""
    for found in at.get("bidi_component"):
        if found.proto.component_name.endswith(name):
            data: dict[str, object] = json.loads(found.proto.json)
            return data
    raise AssertionError(f"{name} is not on the page")


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_the_owner_sees_the_page_in_their_language(visit: Visit, page: str, language: str) -> None:
    at = visit("t-owner", page, language)
    assert not at.exception
    other = "en" if language == "ko" else "ko"
    words = {
        "dashboard": "control.title",
        "trade_logs": "filter.outcome",
        "api_keys": "key.checklist",
        "account": "account.trail",
        "results": "table.funding",
        "compare": "compare.beside",
        "strategy": "strategy.limits_note",
        "backtest": "bt.about",
        "arena": "arena.ranked",
    }
    key = words.get(page, "settings.theme")
    assert catalogue(language)[key] in tree(at)
    assert catalogue(other)[key] not in tree(at)


@pytest.mark.parametrize("token", [None, "forged"])
@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_gets_the_door_and_no_data(
    visit: Visit, staged: SimpleNamespace, cookies: dict[str, str], page: str, token: str | None
) -> None:
    at = visit("t-owner", page)
    staged.shelf.asked.clear()
    cookies.clear()
    if token:
        cookies["maemae"] = token
    at.run()
    assert not at.exception
    assert component(at, "door")["locale"] == "ko"
    assert staged.shelf.asked == []
    assert not any(secret in tree(at) for secret in SECRETS)


def test_the_persons_colours_stand_in_the_page_and_not_among_the_toasts_that_replace_each_other(visit: Visit) -> None:
    at = visit("t-owner", "strategy")
    assert any("--rise" in str(node.proto) for node in at.main.get("html")), "a style alone goes to the toasts"


@pytest.mark.parametrize("page", PAGES)
def test_a_read_only_visitor_can_act_on_nothing(visit: Visit, staged: SimpleNamespace, page: str) -> None:
    at = visit("t-demo", page)
    assert not at.exception
    looking = {"lang", "lang_again", "step", "outcome", "span", "turn_newer", "turn_older"}
    looking |= {"version", "period", "table", "side", "result", "ended", "sheet_newer", "sheet_older", "shown", "words"}
    looking |= {"strategy", "strategy_version_1", "shared_code", "bt_open_3", "bt_kind"}
    looking |= {f"fold_{group}" for group in ("bars", "calendar", "indicators", "market", "news", "own")}
    widgets = [*at.button, *at.toggle, *at.slider, *at.text_area, *at.text_input, *at.button_group, *at.selectbox]
    enabled = {widget.key for widget in widgets if not widget.disabled}
    assert enabled <= looking
    assert staged.acts.done == []


@pytest.mark.parametrize("page", PAGES)
def test_a_guest_is_asked_before_they_leave_for_good_and_an_owner_is_not(visit: Visit, page: str) -> None:
    guest = visit("t-guest", page)
    assert not guest.exception
    assert component(guest, "leave")["ask"] == {
        name: catalogue("ko")[f"top.leave.{name}"] for name in ("text", "yes", "no")
    }
    assert "guest-12" not in tree(guest)
    assert component(visit("t-owner", page), "leave")["ask"] is None


def test_a_guests_settings_offer_to_keep_the_account_in_the_place_of_other_devices(visit: Visit) -> None:
    guest, owner = visit("t-guest", "settings"), visit("t-owner", "settings")
    assert component(guest, "door")["mode"] == "keep"
    assert [button.key for button in guest.button if button.key == "everywhere"] == []
    assert owner.button(key="everywhere")
    with pytest.raises(AssertionError, match="door"):
        component(owner, "door")


def test_a_guest_gives_no_instructions_of_their_own_and_is_told_how_to(visit: Visit) -> None:
    at = visit("t-guest")
    field = at.text_area(key="custom_prompt")
    assert field.disabled
    assert field.placeholder == catalogue("ko")["control.prompt_guest"]
    assert at.button(key="save").disabled
    assert not component(at, "switches")["read_only"]


def test_what_is_chosen_at_one_touch_is_told_with_what_it_means(visit: Visit) -> None:
    data: Any = component(visit("t-owner", language="en"), "switches")
    assert not data["read_only"]
    assert {name: level["cap"] for name, level in data["levels"].items()} == {"low": 3, "medium": 10, "high": 25}
    assert "0.5%" in data["levels"]["low"]["means"]
    assert data["text"]["auto_trade"] == catalogue("en")["control.auto_trade"]


@pytest.mark.parametrize(
    ("language", "said"), [("ko", "거래소 점검 중이라"), ("en", "Maintenance of the exchange: entries wait")]
)
def test_a_closed_market_is_said_to_who_trades_there(
    visit: Visit, staged: SimpleNamespace, language: str, said: str
) -> None:
    why = codes.MAINTENANCE()
    elsewhere = (
        ClosedMarket("demo", "", why),
        ClosedMarket("paper", "OLDUSDT", codes.SYMBOL_NOT_TRADING(symbol="OLDUSDT")),
    )
    staged.readings.closed = elsewhere
    assert [warning.value for warning in visit("t-owner", language=language).warning] == []
    staged.readings.closed = (*elsewhere, ClosedMarket("paper", "", why))
    [warning] = visit("t-owner", language=language).warning
    # as Markdown shows it: what comes from the engine is escaped letter by letter
    assert warning.value.replace("\u2060", "").replace("\\", "").startswith(said)


def test_a_refusal_is_told_in_words_and_the_switch_stays(visit: Visit, staged: SimpleNamespace) -> None:
    staged.acts.answer = Refusal("refuse.wait", seconds=42)
    at = visit("t-owner", language="en")
    at.button(key="ask_now").click().run()
    assert any("42 seconds" in toast.value for toast in at.toast)


def test_instructions_are_saved_with_the_version_the_page_showed_and_nothing_else(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner")
    at.text_area(key="custom_prompt").set_value("  추세만 따라가기 ").run()
    at.button(key="save").click().run()
    name, user_id, saved, version = staged.acts.done[-1]
    assert (name, user_id, version) == ("settings", OWNER.user_id, 1)
    assert (saved.max_leverage, saved.custom_prompt, saved.risk_level) == (8, "추세만 따라가기", RiskLevel.MEDIUM)
    assert saved.limits.daily_loss == Decimal("0.05")


def elsewhere(staged: SimpleNamespace, **changes: Any) -> None:
    """Another tab saves."""
    now = staged.shelf.choices
    saved = replace(now.settings, **changes)
    staged.shelf.choices = replace(now, settings=saved, settings_version=now.settings_version + 1)


def test_a_choice_of_another_tab_is_no_conflict_and_never_written_back(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", language="en")
    at.text_area(key="custom_prompt").set_value("only with a clear trend").run()
    elsewhere(staged, risk_level=RiskLevel.LOW)
    at.run()
    assert at.text_area(key="custom_prompt").value == "only with a clear trend"
    assert not at.warning
    elsewhere(staged, max_leverage=3)
    at.button(key="save").click().run()
    _, _, saved, version = staged.acts.done[-1]
    assert (saved.risk_level, saved.max_leverage, saved.custom_prompt) == (RiskLevel.LOW, 3, "only with a clear trend")
    assert version == 3, "what was chosen elsewhere is what is written"


def test_instructions_of_another_tab_are_shown_and_never_written_over_unseen(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", language="en")
    at.text_area(key="custom_prompt").set_value("only with a clear trend").run()
    elsewhere(staged, custom_prompt="never on a Sunday")
    at.run()
    assert at.text_area(key="custom_prompt").value == "only with a clear trend"
    [told] = [warning.value for warning in at.warning]
    assert "never on a Sunday" in told
    staged.acts.answer = Refusal("refuse.settings.stale")
    at.button(key="save").click().run()
    assert staged.acts.done[-1][-1] == 1, "the version that was read is the one that is sent"
    assert any(catalogue("en")["refuse.settings.stale"] in toast.value for toast in at.toast)
    assert at.warning, "refused, and what stands now is still shown"
    staged.acts.answer = None
    at.button(key="save").click().run()
    _, _, saved, version = staged.acts.done[-1]
    assert (saved.custom_prompt, version) == ("only with a clear trend", 2)


def test_text_another_tab_saved_is_there_and_what_became_equal_is_no_draft(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner")
    elsewhere(staged, custom_prompt="추세만")
    assert at.run().text_area(key="custom_prompt").value == "추세만"
    at.text_area(key="custom_prompt").set_value("횡보장은 쉬기").run()
    elsewhere(staged, custom_prompt="횡보장은 쉬기")
    at.run()
    assert not at.warning
    assert at.button(key="discard").disabled


def test_unsaved_text_survives_other_pages_and_a_reload_until_it_is_discarded(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner")
    at.text_area(key="custom_prompt").set_value("추세만").run()
    at.switch_page("app/pages/settings.py").run()
    at.switch_page("app/pages/dashboard.py").run()
    assert at.text_area(key="custom_prompt").value == "추세만"
    again = visit("t-owner")
    assert again.text_area(key="custom_prompt").value == "추세만"
    again.button(key="discard").click().run()
    assert again.text_area(key="custom_prompt").value == ""
    assert visit("t-owner").text_area(key="custom_prompt").value == ""
    assert staged.acts.done == []


def test_unsaved_text_is_its_sessions_alone(visit: Visit) -> None:
    visit("t-owner").text_area(key="custom_prompt").set_value("추세만").run()
    assert visit("t-demo").text_area(key="custom_prompt").value == ""


def test_text_over_the_limit_says_so_with_its_length(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner")
    at.text_area(key="custom_prompt").set_value("가" * 4_001).run()
    assert any("4,001 / 4,000자" in caption.value and ":red[" in caption.value for caption in at.caption)
    staged.acts.answer = Refusal("refuse.settings.prompt", most=4_000, n=4_001)
    at.button(key="save").click().run()
    assert any("4,001자" in toast.value for toast in at.toast)
    assert at.text_area(key="custom_prompt").value == "가" * 4_001


def test_the_chart_gets_lines_and_marks_but_no_candles(visit: Visit) -> None:
    data = component(visit("t-owner"), "tvchart")
    lines = data["lines"]
    assert isinstance(lines, list)
    assert [(line["id"], line["price"]) for line in lines] == [
        ("entry", 64120.5),
        ("stop", 63820.0),
        ("target", 64710.0),
        ("liquidation", 56426.04),
    ]
    assert [line["title"] for line in lines] == ["롱 0.031", "손절 -9.32", "익절 +18.27", "예상 청산가 -12.00%"]
    assert data["position"] == {"qty": 0.031, "entry": 64120.5}
    assert isinstance(data["marks"], list)
    mark = data["marks"][0]
    assert (mark["kind"], mark["detail"], mark["log"]) == ("exit", "1 @ 64,000.0", 3)
    assert (data["url"], data["history"], data["symbol"]) == ("/api/kline", "/api/kline/history", "BTCUSDT")
    assert data["symbols"] == [{"name": "BTCUSDT", "precision": 1}]
    assert (data["offset"], data["zone"]) == (32_400, "KST")
    assert "rows" not in data


@pytest.mark.parametrize(
    ("told", "language", "line"),
    [
        (None, "en", ("Liquidation (est.) -12.00%", 56426.04)),
        (Decimal("56910.3"), "en", ("Liquidation -11.24%", 56910.3)),
        (Decimal("56910.3"), "ko", ("청산가 -11.24%", 56910.3)),
        (Decimal(0), "ko", None),
    ],
)
def test_the_liquidation_line_is_the_exchanges_where_it_told_one_and_none_where_there_is_none(
    visit: Visit, staged: SimpleNamespace, told: Decimal | None, language: str, line: tuple[str, float] | None
) -> None:
    staged.shelf.liquidation = told
    lines = component(visit("t-owner", language=language), "tvchart")["lines"]
    assert isinstance(lines, list)
    drawn = {one["id"]: (one["title"], one["price"]) for one in lines}
    assert drawn.get("liquidation") == line


def test_a_newcomer_is_offered_a_paper_account(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-new", language="en")
    assert not at.exception
    assert component(at, "tvchart")["lines"] == []
    at.button(key="open_paper").click().run()
    assert ("open_paper", 2) in staged.acts.done


def test_a_decision_shows_untrusted_text_as_text(visit: Visit) -> None:
    at = visit("t-owner", "trade_logs", log="60")
    assert not at.exception
    assert any(HOSTILE in text.value for text in at.text)
    assert any(HOSTILE in code.value for code in at.code)
    marked_up = [*at.markdown, *at.caption, *at.get("html"), *at.subheader, *at.metric]
    assert not any(HOSTILE in str(node.proto) for node in marked_up)


@pytest.mark.parametrize("log", ["61", "0", "-1", "x", "9" * 40])
def test_a_log_that_is_not_ones_own_is_not_there(visit: Visit, log: str) -> None:
    at = visit("t-owner", "trade_logs", log=log)
    assert not at.exception
    assert not any(HOSTILE in code.value for code in at.code)


def test_a_filter_reaches_the_query(visit: Visit) -> None:
    at = visit("t-owner", "trade_logs")
    at.selectbox(key="outcome").set_value("sold").run()
    assert not at.exception
    assert any("총 7건" in caption.value for caption in at.caption)


def test_the_log_is_turned_by_places_that_stand_in_the_address(visit: Visit) -> None:
    at = visit("t-owner", "trade_logs")
    assert at.button(key="turn_newer").disabled
    at.button(key="turn_older").click().run()
    second = at.query_params["at"]
    assert not at.exception
    at.button(key="turn_older").click().run()
    assert at.button(key="turn_older").disabled
    at.button(key="turn_newer").click().run()
    assert at.query_params["at"] != second
    at.selectbox(key="outcome").set_value("sold").run()
    assert "at" not in at.query_params


@pytest.mark.parametrize("cursor", ["", "x", "older-1", "newer-1-2-3", "9" * 40])
def test_a_place_nobody_can_read_is_the_newest_page(visit: Visit, cursor: str) -> None:
    at = visit("t-owner", "trade_logs", at=cursor)
    assert not at.exception
    assert at.button(key="turn_newer").disabled


def test_a_key_leaves_no_trace_in_the_session(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "api_keys")
    at.text_input(key="api_key").set_value("K" * 18)
    at.text_input(key="api_secret").set_value("S" * 36)
    next(button for button in at.button if button.label == catalogue("ko")["key.save"]).click().run()
    assert staged.acts.done == [("save_key", OWNER.user_id, "demo", "K" * 18, "S" * 36)]
    assert at.session_state["api_key"] == ""
    assert at.session_state["api_secret"] == ""


@pytest.mark.parametrize("trading", [True, False])
def test_a_new_key_of_a_paused_account_says_that_it_still_is(
    visit: Visit, staged: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, trading: bool
) -> None:
    held = replace(staged.readings.key_status(OWNER.user_id), trading_enabled=trading)
    monkeypatch.setattr(type(staged.readings), "key_status", lambda *_: held)
    at = visit("t-owner", "api_keys")
    next(button for button in at.button if button.label == catalogue("ko")["key.save"]).click().run()
    assert [toast.value for toast in at.toast] == [catalogue("ko")["key.saved" if trading else "key.saved_paused"]]


def test_a_held_key_is_four_characters(visit: Visit) -> None:
    at = visit("t-owner", "api_keys")
    assert [code.value for code in at.code] == ["••••7Qk2", "203.0.113.7"], "the key, and where we call from"


@pytest.mark.parametrize("token", [None, "t-demo"])
def test_who_has_no_account_is_spoken_to_as_the_address_the_cookie_or_the_browser_says(
    visit: Visit, cookies: dict[str, str], token: str | None
) -> None:
    def spoken(**came: str) -> str:
        at = visit(token, language="en")
        cookies.update({"maemae_lang": came.get("cookie", "")})
        at.query_params["lang"] = came.get("address", "")
        at.run()
        return "ko" if re.search("[가-힣]{2} [가-힣]", tree(at)) else "en"

    assert spoken() == "en"
    assert spoken(cookie="ko") == "ko"
    assert spoken(address="ko") == "ko"
    assert spoken(cookie="ko", address="en") == "en"
    assert spoken(cookie="한국어", address="English") == "en"


def test_a_persons_language_is_their_accounts_whatever_the_browser_or_the_address_says(
    visit: Visit, staged: SimpleNamespace, cookies: dict[str, str]
) -> None:
    at = visit("t-owner", "settings", "ko", lang="en")
    cookies["maemae_lang"] = "en"
    at.context = {"locale": "en-GB"}
    at.run()
    assert at.title[0].value == catalogue("ko")["page.settings"]
    at.button_group(key="lang").set_value("en").run()
    assert at.title[0].value == catalogue("en")["page.settings"]
    assert staged.acts.done == [("looks", OWNER.user_id, "en", "language")]
    assert "lang" not in cookies


def test_another_browser_of_the_person_follows(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "settings", "ko")
    staged.people.change_looks(OWNER, "en", "language")
    at.session_state["_session_seen"] = None
    at.run()
    assert at.title[0].value == catalogue("en")["page.settings"]
    assert at.selectbox(key="time_zone").options[0] == catalogue("en")["settings.zone_language"]
    at.run()
    assert staged.acts.done == [("looks", OWNER.user_id, "en", "language")], "the old language's label is no choice"


@pytest.mark.parametrize(
    ("language", "chosen", "rise"),
    [("ko", "language", "red"), ("en", "language", "green"), ("ko", "green_up", "green"), ("en", "red_up", "red")],
)
def test_a_rise_has_the_colour_the_person_chose_or_their_languages(
    visit: Visit, staged: SimpleNamespace, language: str, chosen: str, rise: str
) -> None:
    at = visit("t-owner", "settings", language)
    if chosen != "language":
        at.button_group(key="colours").set_value(chosen).run()
        assert staged.acts.done == [("looks", OWNER.user_id, language, chosen)]
    at.switch_page("app/pages/dashboard.py").run()
    colours = palette(rises_red=rise == "red")
    assert component(at, "tvchart")["colours"] == {"light": list(colours.light), "dark": list(colours.dark)}
    assert f"--rise: light-dark({colours.light[0]}" in str([node.proto for node in at.get("html")])


def test_a_switched_language_stays_on_the_next_page(visit: Visit) -> None:
    at = visit("t-owner", "settings", "ko")
    at.button_group(key="lang").set_value("en").run()
    at.switch_page("app/pages/trade_logs.py").run()
    assert at.title[0].value == catalogue("en")["page.trade_logs"]


REFUSED = codes.ASKED_TOO_SOON()


@pytest.mark.parametrize(("state", "result"), [("waiting", NOTHING), ("taken", NOTHING), ("done", REFUSED)])
def test_what_became_of_a_question_is_told(visit: Visit, staged: SimpleNamespace, state: str, result: Reason) -> None:
    staged.shelf.commanded = CommandRow("ask_now", NOW_MS - 5_000, state, result)
    at = visit("t-owner")
    assert not at.exception
    told = catalogue("ko")[f"command.{state}"].format(at="23:14:55 KST")
    assert told in [caption.value for caption in at.caption]
    assert ("1분이 지나지 않아" in tree(at)) == (state == "done")
    assert say(REFUSED, "en") not in tree(at)


@pytest.mark.parametrize(("kind", "age_ms"), [("ask_now", 601_000), ("recheck_key", 5_000)])
def test_an_old_question_and_another_command_are_not_told(
    visit: Visit, staged: SimpleNamespace, kind: str, age_ms: int
) -> None:
    staged.shelf.commanded = CommandRow(kind, NOW_MS - age_ms, "done", REFUSED)
    assert "1분이 지나지 않아" not in tree(visit("t-owner"))


def test_a_refused_command_quotes_an_analyst_as_text(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.commanded = CommandRow(
        "ask_now", NOW_MS - 5_000, "done", codes.CYCLE_ENDED(outcome="held", why=words(HOSTILE))
    )
    at = visit("t-owner")
    assert f"관망: {HOSTILE}" in [text.value for text in at.text]


@pytest.mark.parametrize("name", ["bar", "switches", "position"])
def test_the_live_parts_of_a_visitor_can_act_on_nothing(visit: Visit, name: str) -> None:
    assert component(visit("t-demo"), name)["read_only"] is True
    assert component(visit("t-owner"), name)["read_only"] is False


def test_the_engines_reasons_are_korean_on_korean_pages_only(visit: Visit) -> None:
    frames = {lang: visit("t-owner", language=lang).dataframe[0].value for lang in ("ko", "en")}
    assert any("확신도가 기준보다 낮습니다 (60% < 65%)." in why for why in frames["ko"]["why"])
    assert any("Confidence 60% is under your 65%" in why for why in frames["en"]["why"])


def test_the_address_carries_the_values_of_filters_and_never_their_labels(visit: Visit) -> None:
    at = visit("t-owner", "trade_logs")
    at.selectbox(key="outcome").set_value("sold").run()
    assert at.query_params["outcome"] == "sold"
    at.selectbox(key="outcome").set_value("all").run()
    assert "outcome" not in at.query_params
    assert not any(one.proto.query_param_key for one in at.selectbox)


def test_a_filter_chosen_before_the_browser_has_the_address_of_the_one_before_keeps_both(visit: Visit) -> None:
    at = visit("t-owner", "trade_logs")
    at.selectbox(key="outcome").set_value("sold").run()
    at.query_params.pop("outcome")  # a click sends the address it was made at
    at.button_group(key="span").set_value("day").run()
    assert (at.selectbox(key="outcome").value, at.button_group(key="span").value) == ("sold", "day")
    assert (at.query_params["outcome"], at.query_params["span"]) == ("sold", "day")


def test_a_linked_filter_is_set_and_what_means_nothing_is_the_default(visit: Visit) -> None:
    at = visit("t-owner", "trade_logs")
    at.query_params["outcome"], at.query_params["span"] = "sold", "매도"
    at.run()
    assert (at.selectbox(key="outcome").value, at.button_group(key="span").value) == ("sold", "all")
    assert any("총 7건" in caption.value for caption in at.caption)
    at.query_params.pop("outcome")
    at.run()
    assert at.selectbox(key="outcome").value == "all"


# --- a key that was not taken -----------------------------------------------------------------------------------------

EVERYTHING = " ".join(PAYLOADS)
SAID = Refusal(
    "refuse.key.refused",
    why=codes.BYBIT_WRONG_ADDRESS(code=10010),
    code=10010,
    reasons=(codes.BYBIT_SAYS(code=77, said=HOSTILE), codes.BYBIT_POSITION_OPEN(code=3400208)),
    said=EVERYTHING,
    address="203.0.113.7",
)


def test_what_the_exchange_said_stands_on_the_page_letter_by_letter(visit: Visit, staged: SimpleNamespace) -> None:
    staged.acts.answer = SAID
    at = visit("t-owner", "api_keys")
    next(button for button in at.button if button.label == catalogue("ko")["key.save"]).click().run()
    shown = [text.value for text in at.text]
    assert "API 키에 연결된 IP 주소 중에 이 서버의 주소가 없습니다 (10010)." in shown
    assert f"· {HOSTILE} (77)" in shown
    assert "· 계정에 열린 포지션이 있습니다. Bybit에서 먼저 정리해 주세요 (3400208)." in shown
    assert any("203.0.113.7" in text for text in shown)
    assert EVERYTHING in [code.value for code in at.code]
    assert [error.value for error in at.error] == [catalogue("ko")["refuse.key.refused.title"]]
    marked = [element.value for kind in (at.markdown, at.caption, at.toast, at.error) for element in kind]
    assert not any(told in str(text) for text in marked for told in (HOSTILE, *PAYLOADS))


def test_a_refusal_of_ours_is_one_sentence(visit: Visit, staged: SimpleNamespace) -> None:
    staged.acts.answer = Refusal("refuse.key.withdraw")
    at = visit("t-owner", "api_keys")
    next(button for button in at.button if button.label == catalogue("ko")["key.save"]).click().run()
    assert [error.value for error in at.error] == [catalogue("ko")["refuse.key.withdraw"]]


def test_each_right_of_a_refused_key_has_a_line_of_its_own(visit: Visit, staged: SimpleNamespace) -> None:
    whys = (codes.KEY_WITHDRAWS(), codes.KEY_NO_TRADE())
    staged.acts.answer = Refusal("refuse.key.flaws", wrong="no_withdraw,trade", reasons=whys)
    at = visit("t-owner", "api_keys")
    words = catalogue("ko")
    next(button for button in at.button if button.label == words["key.save"]).click().run()
    assert [error.value for error in at.error] == [words["refuse.key.flaws"]]
    assert [text.value for text in at.text if text.value.startswith("·")] == [f"· {said(one, 'ko')}" for one in whys]
    lines = [str(line.value) for line in at.markdown]
    for right in ("no_withdraw", "trade"):
        assert f":red[:material/cancel:] {words[f'key.wrong_{right}']}" in lines
    for right in ("read_write", "unified", "no_transfer"):
        assert f":green[:material/check_circle:] {words[f'checked.{right}']}" in lines


def test_an_address_nobody_knows_comes_with_the_way_to_find_it(visit: Visit, staged: SimpleNamespace) -> None:
    staged.acts.answer = Refusal("refuse.key.refused", why="x", code=10010, address="?")
    at = visit("t-new", "api_keys", "en")
    next(button for button in at.button if button.label == catalogue("en")["key.save"]).click().run()
    assert catalogue("en")["key.address_unknown"] in [text.value for text in at.text]


def test_what_the_exchange_did_not_tell_is_said_beside_the_key(
    visit: Visit, staged: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = replace(staged.readings.key_status(OWNER.user_id), doubts=DOUBTS)
    monkeypatch.setattr(type(staged.readings), "key_status", lambda *_: held)
    at = visit("t-owner", "api_keys")
    assert [info.value for info in at.info] == [catalogue("ko")[f"doubt.{doubt}"] for doubt in DOUBTS]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_before_a_key_leaves_the_page_says_what_it_changes_and_what_is_needed(visit: Visit, language: str) -> None:
    at = visit("t-owner", "api_keys", language)
    shown = tree(at)
    for key in ("key.isolated", "key.sub_account", "key.least"):
        assert catalogue(language)[key].split("{")[0].strip(" (") in shown
    [table] = at.table
    figures = table.value.astype(str).to_numpy().tolist()
    # 0.001 BTC at 64,001.2: half a percent to the edge of the collar and the nearest stop, at 0.5, 1 and 2 % of equity
    assert [row[1] for row in figures] == ["64.01", "32.01", "21.34"]


def test_without_rules_or_price_nothing_is_claimed(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.known_rules = None
    assert not visit("t-new", "api_keys", "en").table


def test_the_owner_has_the_key_checked_again_and_reads_what_came_of_it(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "api_keys")
    at.button(key="recheck").click().run()
    assert staged.acts.done == [("recheck_key", OWNER.user_id)]
    staged.shelf.commanded = CommandRow("recheck_key", NOW_MS - 5_000, "done", codes.KEY_FINE())
    at = visit("t-owner", "api_keys")
    told = catalogue("ko")["recheck.done"].format(at="23:14:55 KST")
    assert told in [caption.value for caption in at.caption]
    assert any(re.search("[가-힣]", text.value) for text in at.text)
    assert told not in [caption.value for caption in visit("t-owner").caption]


def test_a_visitor_has_no_key_checked(visit: Visit, staged: SimpleNamespace) -> None:
    assert visit("t-demo", "api_keys").button(key="recheck").disabled
