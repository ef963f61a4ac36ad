"""The operators' page: every section in both languages, nothing of it for anybody else, what its widgets ask for."""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from app.i18n import catalogue
from lib.domain import reason_codes as codes
from lib.domain.filled import filled
from lib.domain.model_wish import ModelWish, wish_of
from lib.domain.platform_settings import ARENA, BANNER, KRW_PER_USDT, LIMIT, REGISTRATION
from lib.domain.real_money import RealCap
from lib.queries import AuditReport, Broken
from lib.queries.real import CapStanding, Incident
from tests.pages.conftest import Visit
from tests.pages.test_pages import tree
from tests.worlds.operators import NOW_MS, ON, act_row
from tests.worlds.pages import OPERATOR

PAGE = "operator"
HEADINGS = {
    "status": "room.health",
    "people": "room.column.person",
    "stopping": "room.everybody",
    "review": "room.stuck",
    "platform": "room.doors",
    "models": "room.models_list",
    "logs": "room.process",
    "audit": "room.chains",
}
EN = catalogue("en")
OFF = replace(ON, trading_enabled=False, switched_ms=NOW_MS - 5_000, why=codes.STOPPED_BY_OPERATOR())


def room(visit: Visit, section: str, language: str = "en") -> AppTest:
    at = visit("t-operator", PAGE, language, section=section)
    assert not at.exception, at.exception
    return at


def told(at: AppTest) -> str:
    """Everything on the page, cells of tables among them."""
    cells = " ".join(str(table.value.to_csv()) for table in at.dataframe)
    heads = " ".join(" ".join(map(str, table.value.columns)) for table in at.dataframe)
    return f"{tree(at)} {cells} {heads}"


def marked(at: AppTest) -> str:
    """The page's badges, without what browser modules were given."""
    return " ".join(str(part.value) for part in at.markdown)


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("section", HEADINGS)
def test_every_section_is_drawn_in_the_operators_language(visit: Visit, section: str, language: str) -> None:
    seen = told(room(visit, section, language))
    other = catalogue("en" if language == "ko" else "ko")
    assert catalogue(language)[HEADINGS[section]] in seen
    assert other[HEADINGS[section]] not in seen


@pytest.mark.parametrize("section", HEADINGS)
def test_no_section_shows_keys_prompts_or_hashes_of_anybody(visit: Visit, section: str) -> None:
    seen = told(room(visit, section))
    assert not any(word in seen for word in ("7Qk2", "sealed", "$argon2", 'candles": [['))


def capped(incidents: int) -> CapStanding:
    cap = RealCap(2, Decimal(200), 2, Decimal(1_000), "cli:kim", NOW_MS - 86_400_000)
    found = tuple(Incident(NOW_MS - 60_000 * n, 7, codes.STOPPED_BY_OPERATOR()) for n in range(incidents))
    return CapStanding(cap, cap.after(incidents), found, 1, 1, Decimal(240))


def test_the_cap_for_real_money_is_shown_with_what_is_left_of_it_and_why(visit: Visit, staged: SimpleNamespace) -> None:
    staged.venues = ("paper", "mainnet")
    seen = told(room(visit, "platform"))
    assert EN["room.cap_none"].partition("'")[0] in seen
    staged.operating.readings.cap = capped(1)
    seen = told(room(visit, "platform"))
    row = next(line for line in seen.splitlines() if EN["room.cap.a_day"] in line)
    assert [figure in row for figure in ("500", "240")] == [True, True], row
    assert EN["room.cap_shrunk"] in seen
    staged.operating.readings.cap = capped(3)
    assert filled(EN["room.cap_ended"], {"count": 3}) in told(room(visit, "platform"))


def test_without_a_venue_of_real_money_no_cap_is_shown(visit: Visit, staged: SimpleNamespace) -> None:
    staged.operating.readings.cap = capped(0)
    assert EN["room.cap"] not in told(room(visit, "platform"))


@pytest.mark.parametrize("token", ["t-owner", "t-new", "t-demo", "t-guest"])
def test_for_everybody_else_it_is_no_page_and_the_navigation_has_no_entry(
    visit: Visit, staged: SimpleNamespace, token: str
) -> None:
    at = visit(token, section="people")
    assert not at.exception
    assert staged.operating.readings.asked == []
    assert EN["page.operator"] not in tree(at)
    with pytest.raises(ValueError):
        at.switch_page("app/pages/operator.py").run()


def test_a_role_that_is_taken_empties_the_page_that_is_open(visit: Visit, staged: SimpleNamespace) -> None:
    at = room(visit, "people")
    staged.operating.roster.ids.clear()
    staged.operating.readings.asked.clear()
    at.run()
    assert not at.exception
    assert staged.operating.readings.asked == []
    assert EN["room.column.person"] not in told(at)


def test_pausing_everybody_is_one_press_and_is_written_down(visit: Visit, staged: SimpleNamespace) -> None:
    at = room(visit, "stopping")
    at.button(key="all_pause").click().run()
    assert staged.operating.board.thrown == [(0, False, False, f"operator:{OPERATOR.user_id}")]
    assert [(row.kind, row.origin) for row in staged.operating.acts.rows] == [("stop", "203.0.113.7")]


def test_stopped_is_said_of_a_proof_alone(visit: Visit, staged: SimpleNamespace) -> None:
    readings = staged.operating.readings
    readings.stands = replace(readings.stands, switches=OFF)
    page = marked(room(visit, "stopping"))
    assert EN["state.stopping"] in page
    assert EN["state.stopped"] not in page
    readings.stands = replace(readings.stands, switches=replace(OFF, proven_ms=NOW_MS), open_count=0, open_rows=())
    assert EN["state.stopped"] in marked(room(visit, "stopping"))


def test_resuming_everybody_is_an_act_of_its_own_that_asks_first(visit: Visit, staged: SimpleNamespace) -> None:
    readings = staged.operating.readings
    readings.stands = replace(readings.stands, switches=OFF)
    at = room(visit, "stopping")
    assert "all_pause" not in {button.key for button in at.button}
    assert EN["room.resume_sure"] in tree(at)
    at.button(key="all_resume").click().run()
    assert staged.operating.board.thrown == [(0, True, False, f"operator:{OPERATOR.user_id}")]


def test_closing_everybody_wants_a_proof_first(visit: Visit, staged: SimpleNamespace) -> None:
    at = room(visit, "stopping")
    at.button(key="all_flatten").click().run()
    assert [row.kind for row in staged.operating.acts.rows] == ["flatten"]
    staged.people.tokens["t-operator"] = replace(OPERATOR, locale="en", proved_ms=0)
    at = room(visit, "stopping")
    assert "all_flatten" not in {button.key for button in at.button}
    readings = staged.operating.readings
    readings.stands = replace(readings.stands, switches=OFF)
    assert "all_resume" not in {button.key for button in room(visit, "stopping").button}


@pytest.mark.parametrize("button", ["one_flatten", "one_resume"])
def test_a_proof_is_asked_for_over_the_page_that_wants_it(visit: Visit, staged: SimpleNamespace, button: str) -> None:
    staged.people.tokens["t-operator"] = replace(OPERATOR, locale="en", proved_ms=0)
    readings = staged.operating.readings
    if button == "one_resume":
        readings.one = replace(readings.one, switches=OFF)
    at = room(visit, "people")
    at.session_state["_person"] = 1
    at.run()
    at.button(key=button).click().run()
    assert staged.operating.acts.rows == []
    assert EN["proof.again"] in {one.value for one in at.caption}, "in a dialog"


def test_one_account_is_paused_closed_and_resumed(visit: Visit, staged: SimpleNamespace) -> None:
    at = room(visit, "people")
    at.session_state["_person"] = 1
    at.run()
    assert "owner@example.com" in tree(at)
    at.button(key="one_pause").click().run()
    at.button(key="one_flatten").click().run()
    assert [thrown[:3] for thrown in staged.operating.board.thrown] == [(1, False, False), (1, False, True)]
    readings = staged.operating.readings
    readings.one = replace(readings.one, switches=replace(OFF, proven_ms=NOW_MS))
    at.run()
    assert EN["state.stopped"] in marked(at)
    at.button(key="one_resume").click().run()
    assert staged.operating.board.thrown[-1][:3] == (1, True, False)


def test_people_are_searched_and_invitation_links_are_shown_once(visit: Visit, staged: SimpleNamespace) -> None:
    at = room(visit, "people")
    at.text_input(key="search").set_value("owner").run()
    assert staged.operating.readings.asked[-1] == "owner"
    at.button(key="FormSubmitter:invite_form-Make invitation links").click().run()
    [code] = at.code
    assert "#invite=" in code.value
    assert len(staged.operating.invitations.added) == 1
    at.run()
    assert list(at.code) == []


def test_an_order_is_settled_with_a_state_and_a_reason(visit: Visit, staged: SimpleNamespace) -> None:
    at = room(visit, "review")
    submit = "FormSubmitter:settle_form_9-Ask to settle"
    at.button(key=submit).click().run()
    assert staged.operating.acts.rows == [], "without a reason nothing is asked"
    at.text_input(key="settle_why_9").set_value("seen in the exchange's app")
    at.button(key=submit).click().run()
    [row] = staged.operating.acts.rows
    assert dict(row.args) == {"link": "mmlocal-stuck-e0", "state": "ABSENT", "why": "seen in the exchange's app"}


def test_a_lock_is_ended_with_a_reason(visit: Visit, staged: SimpleNamespace) -> None:
    staged.operating.board.locks.add((1, "drawdown"))
    at = room(visit, "review")
    at.text_input(key="unlock_why_1_drawdown").set_value("checked")
    at.button(key="FormSubmitter:unlock_form_1_drawdown-End the lock").click().run()
    assert [row.kind for row in staged.operating.acts.rows] == ["unlock"]
    assert staged.operating.board.locks == set()


def test_settings_are_asked_for_and_bad_ones_are_refused_in_words(visit: Visit, staged: SimpleNamespace) -> None:
    at = room(visit, "platform")
    at.text_input(key="limit_value").set_value("0.9")
    at.text_input(key="limit_why").set_value("quiet")
    at.button(key="FormSubmitter:limit_form-Change").click().run()
    assert staged.operating.acts.rows == []
    assert any("0.5" in toast.value for toast in at.toast)
    at.text_input(key="limit_value").set_value("0.05")
    at.button(key="FormSubmitter:limit_form-Change").click().run()
    [row] = staged.operating.acts.rows
    assert (row.args["setting"], row.args["value"], row.args["loosen"]) == ("limit:daily_loss", "0.05", "no")


def test_the_arena_is_shown_as_it_is_held_and_closed_with_a_reason(visit: Visit, staged: SimpleNamespace) -> None:
    at = room(visit, "platform")
    assert at.segmented_control(key="door_arena").value == "open"
    at.segmented_control(key="door_arena").set_value("closed")
    at.text_input(key="why_arena").set_value("rules are mended")
    at.button(key="FormSubmitter:arena_form-Change").click().run()
    [row] = staged.operating.acts.rows
    assert (row.args["setting"], row.args["value"]) == ("arena", "closed")
    staged.operating.readings.rows = {ARENA: "no such word"}
    assert room(visit, "platform").segmented_control(key="door_arena").value == "closed"


def test_won_for_one_usdt_are_asked_for_and_a_wrong_rate_is_refused_in_words(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = room(visit, "platform")
    at.text_input(key="rates").set_value("1390, 2026-03-01=14")
    at.text_input(key="rates_why").set_value("the week's mean")
    at.button(key="FormSubmitter:rates_form-Change").click().run()
    assert staged.operating.acts.rows == []
    assert any("Rate 2" in toast.value for toast in at.toast)
    at.text_input(key="rates").set_value("1390, 2026-03-01=1402.5")
    at.button(key="FormSubmitter:rates_form-Change").click().run()
    [row] = staged.operating.acts.rows
    assert (row.args["setting"], row.args["value"]) == ("krw_per_usdt", "1390,2026-03-01=1402.5")


@pytest.mark.parametrize(
    ("text", "said"),
    [("1390,2020-01-01=1402.5", "1 USDT = ₩1,402.5 · since 2020-01-01"), ("much", EN["room.rates_unreadable"])],
)
def test_the_rate_that_holds_is_shown_and_taken_away(
    visit: Visit, staged: SimpleNamespace, text: str, said: str
) -> None:
    staged.operating.readings.rows = {KRW_PER_USDT: text}
    at = room(visit, "platform")
    assert said in told(at)
    at.text_input(key="rates_why").set_value("too old")
    at.button(key=f"FormSubmitter:rates_form-{EN['room.rates_drop']}").click().run()
    [row] = staged.operating.acts.rows
    assert (row.args["setting"], row.args["value"]) == ("krw_per_usdt", "default")


def test_what_holds_is_shown_and_an_unreadable_limit_is_said_to_be_so(visit: Visit, staged: SimpleNamespace) -> None:
    staged.operating.readings.rows = {
        REGISTRATION: "invite", BANNER: '{"ko": "점검", "en": "Maintenance"}',
        f"{LIMIT}max_exposure": "1000", f"{LIMIT}daily_loss": "?",
    }  # fmt: skip
    at = room(visit, "platform")
    page = told(at)
    assert at.text_input(key="banner_en").value == "Maintenance"
    assert EN["room.limit.unreadable"] in page
    assert "1,000" in page


def test_acts_are_told_with_their_ends_and_those_that_wait(visit: Visit, staged: SimpleNamespace) -> None:
    staged.operating.readings.acted = [
        act_row(3, "settle", args={"link": "mm-1", "state": "ABSENT", "why": "seen"}, done_ms=0),
        act_row(2, "stop", account_id=1, result=codes.OPERATOR_DONE()),
        act_row(1, "stop", done_ms=0),
    ]
    page = told(room(visit, "audit"))
    for said in ("room.waits", "room.unknown_end", "room.kind.settle"):
        assert EN[said] in page
    assert f"mm-1 · {EN['state.ABSENT']} · seen" in page


def test_a_broken_history_is_named(visit: Visit, staged: SimpleNamespace) -> None:
    at = room(visit, "audit")
    at.button(key="verify").click().run()
    assert "12 orders" in at.success[0].value
    staged.operating.readings.report = AuditReport(12, 60, (Broken("mm-7", codes.CHAIN_CHANGED(place=3)),))
    at.button(key="verify").click().run()
    assert "mm-7" in told(at)


def test_log_lines_are_plain_text_newest_first_and_can_be_searched(visit: Visit) -> None:
    at = room(visit, "logs")
    assert at.caption[-1].value == EN["room.no_lines"]
    at.button_group(key="process").set_value("trader").run()
    assert at.code[0].value.splitlines()[0].startswith("09:30:14 error")
    at.text_input(key="contains").set_value("CYCLE.done").run()
    assert at.code[0].value == "09:30:13 info    cycle.done held=1"


def test_a_model_is_changed_by_what_was_typed_and_one_that_stands_keeps_its_address(
    visit: Visit, staged: SimpleNamespace
) -> None:
    at = room(visit, "models")
    assert "••••9876" in told(at)
    at.selectbox(key="listed_chosen").set_value("fast").run()
    assert not [one for one in at.text_input if one.key in ("listed_base_url_fast", "listed_name_fast")]
    assert at.text_input(key="listed_day_usd_fast").value == "5"
    at.text_input(key="listed_day_usd_fast").set_value("3")
    at.text_input(key="listed_why_fast").set_value("less")
    at.checkbox(key="listed_offered_fast").set_value(False)
    next(one for one in at.button if str(one.key).startswith("FormSubmitter:listed_form_fast")).click().run()
    [act] = staged.operating.acts.rows
    wish = ModelWish("fast", "Fast", input_usd="1", output_usd="2", day_usd="3", offered="no")
    assert (wish_of(act.args), act.args["why"]) == (wish, "less")
