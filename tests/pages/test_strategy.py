"""The strategy desk: risk in money, limits that only get stricter, instructions with their history, and the preview."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from app.i18n import catalogue
from lib.accounts.refusal import Refusal
from lib.domain.account import AccountSettings, Limits, Numbers, RiskLevel
from lib.domain.exit_rules import ExitRules
from lib.domain.input_blocks import in_order
from lib.domain.venues import CAPABILITIES
from lib.domain.won_rates import WonRate
from tests.pages.conftest import Visit
from tests.pages.test_pages import component
from tests.worlds.pages import OWNER

STALE = Refusal("refuse.settings.stale")


def chosen(staged: SimpleNamespace, **changes: object) -> None:
    staged.shelf.choices = replace(
        staged.shelf.choices,
        settings=replace(staged.shelf.choices.settings, **changes),
        settings_version=staged.shelf.choices.settings_version + 1,
    )


@pytest.mark.parametrize(("language", "loss"), [("ko", "한 번에 최대 손실"), ("en", "Most lost in one trade")])
def test_risk_and_limits_stand_there_in_the_money_of_the_account(visit: Visit, language: str, loss: str) -> None:
    at = visit("t-owner", "strategy", language)
    metrics = {metric.label: metric.value for metric in at.metric}
    assert metrics[loss] == "104.32 USDT", "1 % of 10,432.17"
    captions = [caption.value for caption in at.caption]
    assert any("521.61 USDT" in one and "5%" in one for one in captions), "a loss of 5 % a day"
    assert any("31,296.51 USDT" in one for one in captions), "three times equity"
    assert any("5,222.19 USDT" in one for one in captions), "half of the balance"


def test_only_what_was_touched_is_saved_with_the_version_that_stands(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy")
    at.number_input(key="edit_daily_loss").set_value(2.5).run()
    at.number_input(key="edit_cooldown_ms").set_value(30).run()
    at.number_input(key="edit_risk_per_trade").set_value(0.5).run()
    assert staged.acts.done == []
    chosen(staged, long_only=True)
    at.button(key="risk_save").click().run()
    wanted = AccountSettings(
        max_leverage=8,
        long_only=True,
        risk_per_trade=Decimal("0.005"),
        limits=Limits(daily_loss=Decimal("0.025"), cooldown_ms=1_800_000),
    )
    assert staged.acts.done == [("settings", OWNER.user_id, wanted, 2)]


def test_the_answers_are_chosen_among_those_offered(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy")
    chooser = at.selectbox(key="edit_answer_version")
    assert (chooser.value, len(chooser.options)) == (1, 2)
    chooser.set_value(2).run()
    at.button(key="risk_save").click().run()
    [(_, _, wanted, _)] = staged.acts.done
    assert wanted.answer_version == 2


def test_a_guest_is_not_asked_for_other_answers(visit: Visit) -> None:
    at = visit("t-guest", "strategy")
    assert not any(box.key == "edit_answer_version" for box in at.selectbox)


def test_unsaved_choices_outlive_the_page_and_the_tab(visit: Visit) -> None:
    at = visit("t-owner", "strategy")
    at.number_input(key="edit_daily_loss").set_value(2.5).run()
    at.switch_page("app/pages/settings.py").run()
    assert at.switch_page("app/pages/strategy.py").run().number_input(key="edit_daily_loss").value == 2.5
    again = visit("t-owner", "strategy")
    assert again.number_input(key="edit_daily_loss").value == 2.5
    again.button(key="risk_discard").click().run()
    assert again.number_input(key="edit_daily_loss").value == 5.0


def test_what_was_changed_elsewhere_is_said_before_it_is_written_over(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy")
    at.number_input(key="edit_max_leverage").set_value(3).run()
    chosen(staged, max_leverage=6)
    at.button(key="risk_save").click().run()
    assert staged.acts.done == []
    assert any(catalogue("ko")["refuse.settings.stale"] == toast.value for toast in at.toast)
    assert any("최대 레버리지 6" in one.value for one in at.warning)
    assert at.number_input(key="edit_max_leverage").value == 3
    at.button(key="risk_save").click().run()
    assert [(done[0], done[2].max_leverage, done[3]) for done in staged.acts.done] == [("settings", 3, 2)]


def test_a_refused_save_keeps_what_was_chosen(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy")
    at.number_input(key="edit_loss_streak").set_value(2).run()
    staged.acts.answer = STALE
    at.button(key="risk_save").click().run()
    assert at.number_input(key="edit_loss_streak").value == 2


def test_a_stricter_level_takes_along_what_would_be_looser_than_it(visit: Visit, staged: SimpleNamespace) -> None:
    chosen(staged, risk_per_trade=Decimal("0.008"), min_confidence=Decimal("0.7"))
    at = visit("t-owner", "strategy")
    at.button_group(key="edit_risk_level").set_value(RiskLevel.LOW).run()
    at.button(key="risk_save").click().run()
    [(_, _, wanted, _)] = staged.acts.done
    assert (wanted.risk_level, wanted.risk_per_trade, wanted.min_confidence) == (RiskLevel.LOW, None, None)


def test_an_earlier_version_is_compared_line_by_line_and_restored_as_a_new_one(
    visit: Visit, staged: SimpleNamespace
) -> None:
    chosen(staged, custom_prompt="추세만\n<b>크게</b>")
    at = visit("t-owner", "strategy")
    at.selectbox(key="version").set_value(2).run()
    told = " ".join(str(node.proto) for node in at.get("html"))
    assert "&lt;b&gt;" in told
    assert "<b>크게" not in told
    at.button(key="restore").click().run()
    assert [(done[0], done[2].custom_prompt, done[3]) for done in staged.acts.done] == [
        ("settings", "추세만\n횡보장은 쉬기", 2)
    ]


def test_the_preview_is_of_the_text_in_the_editor_and_says_what_is_estimated(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "strategy")
    assert any(catalogue("ko")["strategy.no_prices"] == one.value for one in at.caption)
    at.text_area(key="custom_prompt").set_value("천천히").run()
    assert "candles 천천히" in [one.value for one in at.code]
    staged.shelf.usd_day = Decimal("12.345")
    chosen(staged, limits=Limits(analyst_tokens=500_000))
    metrics = {metric.label: metric.value for metric in visit("t-owner", "strategy").metric}
    assert metrics[catalogue("ko")["strategy.usd_day"]] == "≈ $12.34"
    assert any("500,000" in one.value for one in visit("t-owner", "strategy").warning)


def test_a_newcomer_is_told_that_an_account_comes_first(visit: Visit) -> None:
    at = visit("t-new", "strategy", "en")
    assert not at.exception
    assert [one.value for one in at.info] == [catalogue("en")["control.no_account"]]


@pytest.mark.parametrize(
    ("zone", "label", "at"),
    [
        ("", "KST", "23:15"),
        ("America/New_York", "EDT", "10:15"),
        ("Asia/Kathmandu", "UTC+05:45", "20:00"),
        ("gone", "KST", "23:15"),
    ],
)
def test_every_time_is_in_the_zone_the_person_chose(
    visit: Visit, staged: SimpleNamespace, zone: str, label: str, at: str
) -> None:
    staged.people.tokens["t-owner"] = replace(OWNER, time_zone=zone)
    captions = [one.value for one in visit("t-owner", "strategy").caption]
    assert any(f"{at} {label}" in one for one in captions)


def test_a_zone_is_chosen_on_the_settings_page(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "settings")
    at.selectbox(key="time_zone").set_value("Asia/Tokyo").run()
    assert staged.acts.done == [("zone", OWNER.user_id, "Asia/Tokyo")]
    assert any("JST" in one.value for one in at.caption)


def test_rates_of_ones_own_are_saved_as_the_list_that_was_shown(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "settings", "ko")
    assert "1 USDT = ₩1,390 · 운영자 환율" in [text.value for text in at.text]
    at.text_area(key="krw_lines").set_value("2026-01-01 1450.5")
    at.button(key="krw_save").click().run()
    assert staged.acts.done == [("krw", OWNER.user_id, "", "2026-01-01 1450.5")]
    assert "1 USDT = ₩1,450.5 · 내 환율 · 2026-01-01부터" in [text.value for text in at.text]
    at.text_area(key="krw_lines").set_value("2026-01-01 1450.5\nx")
    at.button(key="krw_save").click().run()
    assert staged.acts.done[1:] == []
    assert at.text_area(key="krw_lines").value == "2026-01-01 1450.5\nx", "what was typed stays"


def test_rates_that_another_tab_saved_are_shown_before_they_are_written_over(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "settings", "en")
    at.text_area(key="krw_lines").set_value("2026-01-01 1450").run()
    staged.shelf.krw = (WonRate(date(2026, 2, 1), Decimal(1400)),)
    at.run()
    assert at.text_area(key="krw_lines").value == "2026-01-01 1450"
    assert catalogue("en")["krw.elsewhere"] in [warning.value for warning in at.warning]
    assert "2026-02-01 1400" in [code.value for code in at.code]


def test_a_theme_is_chosen_on_the_settings_page_and_told_to_the_browser(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "settings", "ko")
    assert component(at, "theme") == {"cookie": "maemae_theme", "theme": "system"}
    at.button_group(key="theme").set_value("dark").run()
    assert staged.acts.done == [("theme", OWNER.user_id, "dark")]
    assert component(at, "theme") == {"cookie": "maemae_theme", "theme": "dark"}


def test_a_number_format_is_chosen_on_the_settings_page_by_what_it_looks_like(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "settings", "ko")
    assert at.button_group(key="numbers").value == "point"
    at.button_group(key="numbers").set_value("comma").run()
    assert staged.acts.done == [("numbers", OWNER.user_id, "comma")]
    assert at.button_group(key="numbers").value == "comma"


@pytest.mark.parametrize(
    ("numbers", "loss", "exposure"),
    [("point", "104.32", "31,296.51"), ("comma", "104,32", "31.296,51"), ("space", "104,32", "31\u202f296,51")],
)
def test_a_page_writes_numbers_as_its_reader_chose_and_its_fields_stay_numbers(
    visit: Visit, staged: SimpleNamespace, numbers: Numbers, loss: str, exposure: str
) -> None:
    staged.acts.tokens["t-owner"] = replace(OWNER, numbers=numbers)
    at = visit("t-owner", "strategy", "en")
    assert f"{loss} USDT" in [metric.value for metric in at.metric]
    assert any(f"{exposure} USDT" in caption.value for caption in at.caption)
    assert not at.exception
    assert all(field.value is None or isinstance(field.value, (int, float)) for field in at.number_input)


def test_another_version_is_compared_and_runs_with_the_settings_that_were_seen(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "strategy")
    at.selectbox(key="strategy_version_1").set_value(1).run()
    told = " ".join(str(node.proto) for node in at.get("html"))
    assert "옛 지시" in told
    at.button(key="strategy_run").click().run()
    assert staged.acts.done == [("run", OWNER.user_id, 1, 1)]
    at.button_group(key="cadence").set_value(15).run()
    [_, (what, _, settings, version)] = staged.acts.done
    assert (what, settings.cadence_min, version) == ("settings", 15, 1)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_template_is_taken_in_the_readers_language_and_a_shared_one_as_it_stands(
    visit: Visit, staged: SimpleNamespace, language: str
) -> None:
    at = visit("t-owner", "strategy", language)
    at.button(key="take_trend").click().run()
    [(what, _, name, content)] = staged.acts.done
    assert (what, name) == ("strategy", catalogue(language)["strat.template_trend"])
    assert content.system.isascii() == (language == "en")
    at.text_input(key="shared_code").set_value("https://trade.test/strategy?shared=c0de").run()
    at.button(key="take_shared").click().run()
    assert [done[2] for done in staged.acts.done[1:]] == ["lee"]
    assert not at.exception


def test_what_runs_is_shared_by_a_link_told_once_and_taken_back(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy")
    at.text_input(key="shown_as").set_value("익명").run()
    at.button(key="share_make").click().run()
    assert any(one.value.endswith("/strategy?shared=c0de") for one in at.code)
    at.button(key="unshare_7").click().run()
    assert staged.acts.done == [("share", OWNER.user_id, 2, "익명"), ("unshare", OWNER.user_id, 7)]


def test_a_record_is_shown_by_a_link_told_once_and_taken_back(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy")
    assert any("4.12%" in one.value for one in at.text)
    at.checkbox(key="record_named_5").check().run()
    at.button(key="record_make_5").click().run()
    assert any(one.value.endswith("/record?code=c0de") for one in at.code)
    at.button(key="record_hide_7").click().run()
    assert staged.acts.done == [("show_record", OWNER.user_id, 5, True, False), ("hide_record", OWNER.user_id, 7)]
    assert not at.exception


def test_a_strategy_is_renamed_and_deleted(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy")
    at.selectbox(key="strategy").set_value(2).run()
    at.text_input(key="strategy_name_2").set_value("박스").run()
    at.button(key="strategy_rename").click().run()
    at.button(key="strategy_delete").click().run()
    assert staged.acts.done == [("rename", OWNER.user_id, 2, "박스"), ("delete", OWNER.user_id, 2)]
    assert not at.exception


def test_a_read_only_visitor_and_a_guest_take_no_words(visit: Visit) -> None:
    at = visit("t-demo", "strategy")
    for key in (
        "take_design",
        "take_trend",
        "strategy_run",
        "strategy_copy",
        "strategy_rename",
        "strategy_delete",
        "share_make",
        "unshare_7",
        "record_hide_7",
    ):
        assert at.button(key=key).disabled
    guest = visit("t-guest", "strategy")
    assert not guest.button(key="take_design").disabled
    assert guest.button(key="take_careful").disabled


def test_a_switch_of_what_is_shown_is_a_change_of_settings_and_says_what_it_costs(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "strategy")
    told = " ".join(node.value for node in at.caption)
    assert "≈ 101토큰" in told
    assert "3/12" in told, "a block that would be left out says why"
    at.toggle(key="sees_indicators_5m").set_value(True).run()
    at.toggle(key="sees_bars_5m").set_value(True).run()
    assert [[one.name for one in done[2].inputs] for done in staged.acts.done] == [["indicators_5m"], ["bars_5m"]]


def test_who_only_looks_and_guests_switch_no_block(visit: Visit) -> None:
    assert visit("t-demo", "strategy").toggle(key="sees_bars_5m").disabled


def test_exits_by_rule_say_what_they_do_and_are_saved_with_the_other_choices(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "strategy", "en")
    assert not any(box.key == "edit_exit_even_r" for box in at.number_input)
    at.toggle(key="edit_exit_even").set_value(True).run()
    at.toggle(key="edit_exit_trail").set_value(True).run()
    at.number_input(key="edit_exit_trail_from").set_value(0.0).run()
    at.toggle(key="edit_exit_time").set_value(True).run()
    at.number_input(key="edit_exit_time_min").set_value(90).run()
    said = [caption.value for caption in at.caption]
    assert any("Once 1R in profit" in one for one in said)
    assert any("Closes at market 1h 30m after the entry" in one or "1 h 30" in one for one in said), said
    assert any("From the entry on, the exchange follows 1.5R" in one for one in said)
    at.button(key="risk_save").click().run()
    [(_, _, wanted, _)] = staged.acts.done
    assert wanted.exits == ExitRules(Decimal(1), 90, Decimal("1.5"), Decimal(0))


def test_a_rule_that_is_switched_off_is_saved_as_off(visit: Visit, staged: SimpleNamespace) -> None:
    chosen(staged, exits=ExitRules(Decimal(2), 60, Decimal(1), Decimal("0.5")))
    at = visit("t-owner", "strategy")
    assert at.number_input(key="edit_exit_even_r").value == 2.0
    at.toggle(key="edit_exit_trail").set_value(False).run()
    at.button(key="risk_save").click().run()
    [(_, _, wanted, _)] = staged.acts.done
    assert wanted.exits == ExitRules(Decimal(2), 60)


@pytest.mark.parametrize(("own", "says"), [(None, "risk level"), (Decimal("0.8"), "your own choice")])
def test_the_least_confidence_says_where_it_comes_from(
    visit: Visit, staged: SimpleNamespace, own: Decimal | None, says: str
) -> None:
    chosen(staged, min_confidence=own)
    at = visit("t-owner", "strategy", "en")
    assert any(says in one.value and "Below it nothing is entered" in one.value for one in at.caption)


def test_a_strategy_that_does_not_run_is_written_anew_and_saved_and_what_runs_stays(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "strategy", "en")
    at.selectbox(key="strategy").set_value(2).run()
    at.button(key="strategy_rewrite").click().run()
    assert at.button(key="rewrite_save").disabled, "nothing is changed"
    at.text_area(key="rewrite_instructions_2").set_value("only pullbacks ").run()
    assert "candles only pullbacks" in [one.value for one in at.code], "the preview is of what is meant"
    at.button_group(key="rewrite_cadence_min_2").set_value(60).run()
    at.number_input(key="rewrite_even_r_2").set_value(1.5).run()
    at.number_input(key="rewrite_time_min_2").set_value(90).run()
    at.multiselect(key="rewrite_inputs_2").set_value(["calendar", "bars_5m"]).run()
    told = " ".join(str(node.proto) for node in at.get("html"))
    assert "only pullbacks" in told, "what changes is compared"
    at.button(key="rewrite_save").click().run()
    [(what, _, strategy_id, content, newest)] = staged.acts.done
    assert (what, strategy_id, newest) == ("version", 2, 1)
    assert (content.instructions, content.cadence_min, content.long_only) == ("only pullbacks", 60, True)
    assert content.rules == ExitRules(Decimal("1.5"), 90)
    assert [one.name for one in content.inputs] == ["bars_5m", "calendar"]
    assert not at.exception
    assert not any(button.key == "rewrite_save" for button in at.button)


def test_what_is_written_anew_is_kept_when_a_version_or_a_setting_is_saved_beneath_it(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "strategy", "en")
    at.button(key="strategy_rewrite").click().run()
    at.text_area(key="rewrite_system_1").set_value("wait").run()
    chosen(staged, long_only=True)
    staged.shelf.later = 3
    again = visit("t-owner", "strategy", "en")
    assert again.text_area(key="rewrite_system_1").value == "wait"
    assert any("Version #3 was saved meanwhile" in one.value for one in again.warning)
    again.button(key="rewrite_save").click().run()
    assert [(done[0], done[3].system, done[4]) for done in staged.acts.done] == [("version", "wait", 3)]


def test_a_refused_version_stays_as_it_was_written_until_it_is_discarded(visit: Visit, staged: SimpleNamespace) -> None:
    at = visit("t-owner", "strategy")
    at.button(key="strategy_rewrite").click().run()
    at.toggle(key="rewrite_long_only_1").set_value(True).run()
    staged.acts.answer = Refusal("refuse.strategy.stale")
    at.button(key="rewrite_save").click().run()
    assert at.toggle(key="rewrite_long_only_1").value
    at.button(key="rewrite_end").click().run()
    assert not any(button.key == "rewrite_save" for button in at.button)
    assert visit("t-demo", "strategy").button(key="strategy_rewrite").disabled


def test_an_unsaved_approach_outlives_what_another_tab_saves_and_says_what_changed(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = visit("t-owner", "strategy", "en")
    at.text_area(key="system").set_value("trade the range").run()
    chosen(staged, long_only=True)
    at.run()
    assert at.text_area(key="system").value == "trade the range"
    assert not any("approach was changed" in one.value for one in at.warning), "a switch is no conflict"
    chosen(staged, system="follow the trend")
    again = visit("t-owner", "strategy", "en")
    assert again.text_area(key="system").value == "trade the range"
    assert any("follow the trend" in one.value for one in again.warning)
    again.button(key="save_system").click().run()
    [(_, _, wanted, version)] = staged.acts.done
    assert (wanted.system, wanted.long_only) == ("trade the range", True)
    assert version < 3, "settings of before: the store refuses it once, and the next save is meant"


def test_where_the_venue_cannot_trail_the_editor_says_so(
    visit: Visit, staged: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen(staged, exits=ExitRules(trail_r=Decimal(1)))
    said = catalogue("en")["exit.no_trail"]
    assert not any(said in one.value for one in visit("t-owner", "strategy", "en").caption)
    lacking = {venue: replace(row, has_trailing_stop=False) for venue, row in CAPABILITIES.items()}
    monkeypatch.setattr("app.panels.exits.CAPABILITIES", lacking)
    assert any(said in one.value for one in visit("t-owner", "strategy", "en").caption)


def test_groups_of_blocks_say_what_is_chosen_of_them_and_fold(visit: Visit, staged: SimpleNamespace) -> None:
    chosen(staged, inputs=in_order(["bars_15m", "bars_1h"]))
    at = visit("t-owner", "strategy", "en")
    assert at.button(key="fold_bars").label.endswith("2 on · ≈ 203 tokens")
    assert at.button(key="fold_calendar").label.endswith("none chosen")
    at.button(key="fold_bars").click().run()
    assert at.button(key="fold_bars").icon == ":material/expand_less:"
