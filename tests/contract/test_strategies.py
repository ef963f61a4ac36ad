"""Strategies, their versions and links: everybody's own, on every database."""

from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.accounts.refusal import Refusal
from lib.accounts.strategies import MOST_SHARES, Kept, MadeShare, StrategyDesk
from lib.accounts.web import SessionUser
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.leaving import SqlLeaving
from lib.adapters.sql.forms.strategy_desk import SqlStrategies
from lib.adapters.sql.forms.throttles import SqlThrottles
from lib.adapters.sql.tables.people import audit_events
from lib.adapters.sql.tables.strategies import strategies, strategy_runs, strategy_shares, strategy_versions
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.input_blocks import Block
from lib.domain.strategy import DESIGN, LONGEST_NAME, Strategy, read, settings_with, strategy_of, written
from lib.domain.strategy_templates import TEMPLATES
from lib.queries import Readings
from tests.fakes.people import StandingClock
from tests.servers import AT_TIMES

NOW = 1_760_000_000_000
GONE = Refusal("refuse.strategy.gone")
LOW = replace(DESIGN, risk_level=RiskLevel.LOW, max_leverage=3, instructions="천천히 🙂", cadence_min=60)
HIGH = replace(DESIGN, risk_level=RiskLevel.HIGH, max_leverage=25)


class Town:
    """Kim and Lee, and what they do."""

    def __init__(self, engine: sa.Engine) -> None:
        clock = StandingClock(NOW)
        self.engine, self.people = engine, SqlAccounts(engine, clock)
        self.desk = StrategyDesk(SqlStrategies(engine), self.people, SqlThrottles(engine), clock)
        self.readings = Readings(engine, None, clock)
        self.kim, self.lee = (
            SessionUser(self.people.add_user(f"{name}@example.com", "!"), f"{name}@example.com", "ko", proved_ms=NOW)
            for name in ("kim", "lee")
        )

    def made(self, user: SessionUser, content: Strategy, name: str = "mine") -> int:
        kept = self.desk.create(user, name, content)
        assert isinstance(kept, Kept)
        return kept.version_id


@pytest.fixture(params=["sqlite", *AT_TIMES])
def town(request: pytest.FixtureRequest) -> Town:
    return Town(request.getfixturevalue(f"{request.param}_engine"))


def test_a_version_is_kept_until_it_is_run_and_then_it_is_the_settings(town: Town) -> None:
    version_id = town.made(town.kim, LOW)
    assert town.people.chosen(town.kim.user_id) == (AccountSettings(), 1)
    assert town.readings.running_strategy(town.kim.user_id) is None
    assert town.desk.run(town.kim, version_id, 1) is None
    assert town.people.chosen(town.kim.user_id) == (settings_with(LOW, AccountSettings()), 2)
    running = town.readings.running_strategy(town.kim.user_id)
    assert running is not None
    assert (running.content, running.sha256, running.number, running.name) == (LOW, LOW.sha256, 1, "mine")
    assert [(one.name, one.number) for one in town.readings.strategy_runs(town.kim.user_id)] == [("mine", 1)]
    with town.engine.connect() as connection:
        events = connection.execute(sa.select(audit_events.c.event, audit_events.c.detail)).all()
    assert tuple(events[0]) == ("strategy_run", "mine #1")
    assert "cadence_min:5>60" in events[1].detail


def test_a_setting_changed_on_any_page_is_a_version_of_what_runs(town: Town) -> None:
    assert town.desk.run(town.kim, town.made(town.kim, LOW), 1) is None
    after = replace(settings_with(LOW, AccountSettings()), max_leverage=2)
    assert town.people.change_settings(town.kim.user_id, after)
    running = town.readings.running_strategy(town.kim.user_id)
    assert running is not None
    assert (running.number, running.content) == (2, strategy_of(after))
    [line] = town.readings.strategies(town.kim.user_id)
    assert (line.newest, line.runs) == (2, True)


def test_what_a_strategy_says_already_is_not_written_again(town: Town) -> None:
    first = town.made(town.kim, LOW)
    [line] = town.readings.strategies(town.kim.user_id)
    second = town.desk.save(town.kim, line.strategy_id, HIGH, 1)
    assert isinstance(second, Kept)
    assert town.desk.save(town.kim, line.strategy_id, LOW, 2) == Kept(first)
    assert town.desk.save(town.kim, line.strategy_id, DESIGN, 1) == Refusal("refuse.strategy.stale")
    assert [one.number for one in town.readings.strategy_versions(town.kim.user_id, line.strategy_id)] == [2, 1]


def test_nobody_reads_saves_runs_or_shares_what_is_anothers(town: Town) -> None:
    version_id = town.made(town.kim, LOW)
    [line] = town.readings.strategies(town.kim.user_id)
    lee = town.lee
    assert town.readings.strategies(lee.user_id) == []
    assert town.readings.strategy_versions(lee.user_id, line.strategy_id) == []
    assert town.desk.save(lee, line.strategy_id, HIGH, 1) == Refusal("refuse.strategy.stale")
    assert town.desk.run(lee, version_id, 1) == GONE
    assert town.desk.share(lee, version_id, "") == Refusal("refuse.strategy.share", most=MOST_SHARES)
    assert town.people.chosen(lee.user_id) == (AccountSettings(), 1)


def test_one_is_renamed_by_its_owner_alone_and_deleted_with_its_links_unless_it_ever_ran(town: Town) -> None:
    link = town.desk.share(town.kim, town.made(town.kim, LOW), "kim")
    ran = town.made(town.kim, DESIGN, "ran")
    assert isinstance(link, MadeShare)
    first, second = (one.strategy_id for one in town.readings.strategies(town.kim.user_id))
    assert town.desk.rename(town.lee, first, "lee's") == town.desk.delete(town.lee, first) == GONE
    assert town.desk.rename(town.kim, first, " ") == Refusal("refuse.strategy.name", most=LONGEST_NAME)
    assert town.desk.rename(town.kim, first, " 천천히 ") is None
    assert town.desk.rename(town.kim, first, "천천히") is None, "said again"
    shared = town.desk.shared(link.code)
    assert shared is not None
    assert shared.name == "천천히"
    assert town.desk.run(town.kim, ran, 1) is None
    assert town.desk.delete(town.kim, second) == Refusal("refuse.strategy.ran")
    assert town.desk.delete(town.kim, first) is None
    assert town.desk.delete(town.kim, first) == GONE
    assert town.desk.shared(link.code) is None
    assert [one.name for one in town.readings.strategies(town.kim.user_id)] == ["ran"]


def test_a_looser_strategy_asks_for_a_proof_and_another_tabs_change_is_not_overwritten(town: Town) -> None:
    version_id = town.made(town.kim, HIGH)
    assert town.desk.run(replace(town.kim, proved_ms=0), version_id, 1) == Refusal("refuse.step_up")
    town.people.change_settings(town.kim.user_id, AccountSettings(max_leverage=4))
    assert town.desk.run(town.kim, version_id, 1) == Refusal("refuse.settings.stale")
    assert town.desk.run(town.kim, version_id, 2) is None


def test_what_cannot_run_here_is_not_kept_and_guests_have_no_words(town: Town) -> None:
    for unfit in (
        replace(DESIGN, model="An Other"),
        replace(DESIGN, fallback=("default",)),
        replace(DESIGN, blocks=(Block("news", "1h", 3),)),
        replace(DESIGN, exits=("trailing",)),
        replace(DESIGN, cadence_min=1),
        replace(DESIGN, symbols=("ETHUSDT",)),
    ):
        assert town.desk.create(town.kim, "x", unfit) == Refusal("refuse.strategy.offer")
    unlisted = replace(DESIGN, model="another")
    assert town.desk.create(town.kim, "x", unlisted) == Refusal("refuse.model.gone")
    for unfit in (replace(DESIGN, max_leverage=99), replace(DESIGN, risk_per_trade=Decimal(1))):
        assert isinstance(town.desk.create(town.kim, "x", unfit), Refusal)
    guest = replace(town.kim, is_guest=True)
    assert town.desk.create(guest, "x", LOW) == Refusal("refuse.guest_prompt")
    assert isinstance(town.desk.create(guest, "x", HIGH), Kept)
    assert isinstance(town.desk.create(town.kim, " ", DESIGN), Refusal)
    assert town.readings.strategies(town.kim.user_id)[0].name == "x"


def test_a_link_opens_the_version_for_anybody_until_it_is_taken_back(town: Town) -> None:
    made = town.desk.share(town.kim, town.made(town.kim, LOW, "추세"), " ")
    assert isinstance(made, MadeShare)
    found = town.desk.shared(made.code)
    assert found is not None
    assert (found.name, found.content, found.shown_as) == ("추세", LOW, "")
    assert "kim" not in repr(found), "nothing of the owner but what was chosen"
    assert town.desk.shared("x" * 22) is None
    [line] = town.readings.strategy_shares(town.kim.user_id)
    assert made.code not in repr(line)
    assert town.readings.strategy_shares(town.lee.user_id) == []
    assert town.desk.unshare(town.lee, line.share_id) == GONE
    copied = town.made(town.lee, found.content, "copy")
    assert town.desk.unshare(town.kim, line.share_id) is None
    assert town.desk.shared(made.code) is None
    assert town.desk.run(town.lee, copied, 1) is None, "a copy is its taker's"


def test_who_leaves_takes_everything_along_and_their_links_open_nothing(town: Town) -> None:
    version_id = town.made(town.kim, LOW)
    assert town.desk.run(town.kim, version_id, 1) is None
    made = town.desk.share(town.kim, version_id, "kim")
    assert isinstance(made, MadeShare)
    town.made(town.lee, HIGH)
    SqlLeaving(town.engine).leave(town.kim.user_id, NOW)
    assert town.desk.shared(made.code) is None
    with town.engine.connect() as connection:
        for table in (strategies, strategy_versions, strategy_runs, strategy_shares):
            assert set(connection.scalars(sa.select(table.c.user_id))) <= {town.lee.user_id}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_template_can_be_kept_and_is_read_back_as_it_was(town: Town, language: str) -> None:
    for one in TEMPLATES:
        content = one.in_language(language)
        assert read(written(content)) == content
        town.made(town.kim, content, one.name)
        assert ("{symbol}" in content.system) == (one.name != "design")
    assert len({one.in_language(language).sha256 for one in TEMPLATES}) == len(TEMPLATES)
