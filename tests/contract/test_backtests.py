"""A question is worked out by one worker at a time, ends once, is nobody else's, and stays counted when deleted."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms import backtests as forms_module
from lib.adapters.sql.forms.backtests import (
    MOST_ATTEMPTS,
    SILENT_MS,
    SqlBacktestBook,
    SqlBacktestForms,
    packed,
    unpacked,
)
from lib.adapters.sql.tables.backtests import backtests
from lib.domain import reason_codes as codes
from lib.domain.backtests import Wish
from lib.domain.day import DAY_MS
from lib.domain.decision import Decision
from lib.domain.errors import Retry
from lib.ports.backtests import Answer
from lib.queries import Readings
from tests.contract.test_ledger import trading_account
from tests.contract.test_records import MIDNIGHT, World
from tests.fakes.market import MemoryCandleStore
from tests.servers import AT_TIMES

FEED = "synthetic"
WISH = Wish("rules", "BTCUSDT", 100 * DAY_MS, 130 * DAY_MS)
RESULT: dict[str, Any] = {"earned": "0.01", "moments": [0.1, 30, 0.0, 3.0]}
NOW = 500 * DAY_MS
CODE = sha256(b"code").hexdigest()


class Scene:
    """People, their backtests, and who works them out."""

    def __init__(self, engine: sa.Engine) -> None:
        self.world = World(engine)
        self.engine = engine
        self.forms, self.book = SqlBacktestForms(engine), SqlBacktestBook(engine)
        self.readings = Readings(engine, MemoryCandleStore(), self.world.clock)

    async def person(self) -> int:
        return (await trading_account(self.world.ledger_world)).user_id

    def ended(self, user_id: int, wish: Wish = WISH, result: dict[str, Any] | None = None) -> int:
        number = self.forms.ask(user_id, FEED, wish, NOW)
        assert number is not None
        assert self.book.take(FEED, NOW) is not None
        self.book.end(number, "done", NOW + 9, Answer(result or RESULT))
        return number


@pytest.fixture(params=["sqlite", *AT_TIMES])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    made = Scene(request.getfixturevalue(f"{request.param}_engine"))
    yield made
    made.world.ledger_world.close()


async def test_a_question_waits_runs_and_ends_once(scene: Scene) -> None:
    user = await scene.person()
    number = scene.forms.ask(user, FEED, WISH, NOW)
    assert number is not None
    [line] = scene.readings.backtests(user)
    assert (line.job_id, line.state, line.wish, line.earned, line.is_shown) == (number, "queued", WISH, None, False)
    assert scene.book.take("bybit", NOW) is None, "another deployment's question"
    job = scene.book.take(FEED, NOW)
    assert job is not None
    assert (job.job_id, job.user_id, job.wish) == (number, user, WISH)
    assert scene.book.take(FEED, NOW + 1) is None, "it is worked on"
    assert scene.book.beat(number, 5, 9, NOW + 1_000)
    [line] = scene.readings.backtests(user)
    assert (line.state, line.done, line.whole) == ("running", 5, 9)
    scene.book.end(number, "done", NOW + 2_000, Answer(RESULT))
    scene.book.end(number, "failed", NOW + 3_000, why=codes.BACKTEST_NO_DECISION())
    found = scene.readings.backtest(user, number)
    assert found is not None
    assert (found.line.state, found.line.earned, found.result, found.line.done) == ("done", Decimal("0.01"), RESULT, 9)
    assert not scene.book.beat(number, 6, 9, NOW + 4_000)
    assert not scene.forms.cancel(user, number, NOW)


async def test_whose_worker_is_silent_is_another_s_and_not_for_ever(scene: Scene) -> None:
    user = await scene.person()
    number = scene.forms.ask(user, FEED, WISH, NOW)
    at = NOW
    for _ in range(MOST_ATTEMPTS):
        job = scene.book.take(FEED, at)
        assert job is not None
        assert job.job_id == number
        scene.book.beat(job.job_id, 3, 9, at + 1_000)
        assert scene.book.take(FEED, at + SILENT_MS) is None
        at += SILENT_MS + 1_001
    assert scene.book.take(FEED, at) is None
    [line] = scene.readings.backtests(user)
    assert (line.state, line.why) == ("failed", codes.BACKTEST_BROKE(how="again"))


async def test_one_question_of_a_person_at_a_time_and_the_same_one_has_its_number(scene: Scene) -> None:
    user = await scene.person()
    number = scene.forms.ask(user, FEED, WISH, NOW)
    assert scene.forms.ask(user, FEED, WISH, NOW) == number
    other = replace(WISH, leverage=3)
    assert scene.forms.ask(user, FEED, other, NOW) is None
    assert scene.book.take(FEED, NOW) is not None
    assert scene.forms.ask(user, FEED, other, NOW) is None
    assert number is not None
    scene.book.end(number, "done", NOW, Answer(RESULT))
    assert scene.forms.ask(user, FEED, WISH, NOW) == number, "answered from what was kept"
    assert scene.forms.ask(user, FEED, other, NOW) not in (None, number)


async def test_what_failed_or_was_cancelled_is_asked_anew(scene: Scene) -> None:
    user = await scene.person()
    first = scene.forms.ask(user, FEED, WISH, NOW)
    assert first is not None
    assert scene.forms.cancel(user, first, NOW)
    assert not scene.forms.cancel(user, first, NOW)
    assert scene.book.take(FEED, NOW) is None
    second = scene.forms.ask(user, FEED, WISH, NOW)
    assert second not in (None, first)


async def test_what_runs_is_cancelled_by_its_next_beat(scene: Scene) -> None:
    user = await scene.person()
    number = scene.forms.ask(user, FEED, WISH, NOW)
    assert number is not None
    assert scene.book.take(FEED, NOW) is not None
    assert scene.forms.cancel(user, number, NOW + 1)
    assert not scene.book.beat(number, 1, 2, NOW + 2)
    scene.book.end(number, "cancelled", NOW + 3)
    [line] = scene.readings.backtests(user)
    assert line.state == "cancelled"


async def test_everybody_together_wait_for_no_more_than_can_be_done(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms_module, "MOST_WAITING", 1)
    user = await scene.person()
    assert scene.forms.ask(user, FEED, WISH, NOW) is not None
    with pytest.raises(ValueError, match="no such person"):
        scene.forms.ask(user + 1, FEED, WISH, NOW)
    with scene.engine.begin() as connection:
        connection.execute(sa.update(backtests).values(user_id=user, state="done"))
        connection.execute(sa.update(backtests).values(state="running"))
    assert scene.forms.ask(user, FEED, WISH, NOW) is not None
    monkeypatch.setattr(forms_module, "MOST_WAITING", 0)
    with scene.engine.begin() as connection:
        connection.execute(sa.update(backtests).values(state="done"))
    with pytest.raises(Retry):
        scene.forms.ask(user, FEED, replace(WISH, leverage=2), NOW)


async def test_the_same_question_of_nobody_s_own_is_known(scene: Scene) -> None:
    user = await scene.person()
    key = WISH.key(FEED)
    assert scene.book.answered(key) is None
    scene.ended(user)
    assert scene.book.answered(key) == Answer(RESULT)


async def test_a_deleted_one_is_seen_no_more_and_counted_for_ever(scene: Scene) -> None:
    user = await scene.person()
    first = scene.ended(user)
    assert scene.forms.share(user, first, CODE, 5)
    assert scene.forms.hide(user, first, NOW)
    assert not scene.forms.hide(user, first, NOW)
    assert scene.readings.backtests(user) == []
    assert scene.readings.backtest(user, first) is None
    assert scene.readings.opened_backtest(CODE) is None
    second = scene.ended(user, replace(WISH, leverage=2))
    found = scene.readings.backtest(user, second)
    assert found is not None
    assert found.tries == 2


async def test_tries_over_the_same_prices_count_against_each_other_and_no_others(scene: Scene) -> None:
    user = await scene.person()
    first = scene.ended(user)
    alone = scene.readings.backtest(user, first)
    assert alone is not None
    scene.ended(user, replace(WISH, leverage=2, since_ms=129 * DAY_MS, until_ms=140 * DAY_MS))
    scene.ended(user, replace(WISH, leverage=2, since_ms=130 * DAY_MS, until_ms=140 * DAY_MS))
    scene.ended(user, replace(WISH, symbol="ETHUSDT"))
    scene.ended(user, replace(WISH, leverage=4), {"earned": "0", "moments": None})
    found = scene.readings.backtest(user, first)
    assert found is not None
    assert (alone.tries, found.tries) == (1, 3)
    assert alone.sure is not None
    assert found.sure is not None
    assert found.sure < alone.sure
    [newest, *_] = scene.readings.backtests(user)
    still = scene.readings.backtest(user, newest.job_id)
    assert still is not None
    assert still.sure is None


async def test_a_link_opens_until_it_is_taken_back(scene: Scene) -> None:
    user = await scene.person()
    number = scene.ended(user)
    assert scene.readings.opened_backtest(CODE) is None
    assert scene.forms.share(user, number, CODE, 5)
    opened = scene.readings.opened_backtest(CODE)
    assert opened is not None
    assert opened.result == RESULT
    other = scene.ended(user, replace(WISH, leverage=2))
    assert not scene.forms.share(user, other, sha256(b"x").hexdigest(), 1), "one is open already"
    assert scene.forms.unshare(user, number)
    assert not scene.forms.unshare(user, number)
    assert scene.readings.opened_backtest(CODE) is None
    waiting = scene.forms.ask(user, FEED, replace(WISH, leverage=3), NOW)
    assert waiting is not None
    assert not scene.forms.share(user, waiting, CODE, 5), "there is nothing to show"


async def test_nobody_touches_another_s(scene: Scene) -> None:
    user = await scene.person()
    number = scene.ended(user)
    stranger = user + 1
    assert scene.readings.backtests(stranger) == []
    assert scene.readings.backtest(stranger, number) is None
    assert not scene.forms.hide(stranger, number, NOW)
    assert not scene.forms.unshare(stranger, number)
    assert not scene.forms.cancel(stranger, number, NOW)


async def test_recorded_answers_are_the_account_s_own_in_order(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms_module, "A_PIECE", 2)
    account = await scene.world.account()
    for number in range(5):
        await scene.world.decide(account, MIDNIGHT + number * 300_000, "10000")
    wish = replace(WISH, kind="answers", account_id=account.account_id, since_ms=MIDNIGHT, until_ms=MIDNIGHT + DAY_MS)
    assert scene.forms.ask(account.user_id, FEED, wish, NOW) is not None
    job = scene.book.take(FEED, NOW)
    assert job is not None
    said = list(scene.book.recorded(job))
    assert [one.t_ms for one in said] == [MIDNIGHT + number * 300_000 for number in range(5)]
    assert isinstance(said[0].decision, Decision)
    stranger = replace(job, user_id=account.user_id + 1)
    assert list(scene.book.recorded(stranger)) == []
    assert list(scene.book.recorded(replace(job, feed="bybit"))) == [], "another market's answers"
    late = replace(job, wish=replace(wish, since_ms=MIDNIGHT + 900_000))
    assert [one.t_ms for one in scene.book.recorded(late)] == [MIDNIGHT + 900_000, MIDNIGHT + 1_200_000]


def test_a_result_that_is_too_large_or_no_number_is_not_kept() -> None:
    assert unpacked(packed(RESULT)) == RESULT
    with pytest.raises(ValueError, match="too large"):
        packed({"x": "y" * 5_000_000})
    with pytest.raises(ValueError, match="JSON"):
        packed({"x": float("nan")})
