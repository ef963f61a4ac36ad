"""Models asked about the past: paid for once, within budgets of their own, whatever ends, and behind who trades."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.backtests import SqlBacktestBook, SqlBacktestForms
from lib.adapters.sql.forms.leaving import SqlLeaving
from lib.adapters.sql.ledger.pasting import LOST_MS, SILENT_MS, SqlPastBook
from lib.adapters.sql.tables.past import past_answers, past_questions
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.backtests import Wish
from lib.domain.day import DAY_MS
from lib.domain.decision import Abstained, Decision
from lib.domain.errors import Retry
from lib.domain.model_profile import ModelProfile
from lib.domain.pricing import AnalystPrices
from lib.domain.quarantine import MOST_TRIES, PastQuestion, asked_as
from lib.domain.reason import Reason
from lib.domain.strategy import DESIGN, written
from lib.ports.analyst import Analyst
from lib.ports.backtests import Answer, Job
from lib.ports.past import PastCall
from lib.queries import Readings
from lib.trading.past_room import AT_ONCE, BEGIN_MS, MOST_FAILED, STINT, PastMeans, PastRoom
from lib.trading.turns import PLACES, Turns, Urgency
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import trading_account
from tests.factories import T
from tests.servers import AT_TIMES

D = Decimal
FEED = "synthetic"
WISH = Wish(
    "model", "BTCUSDT", 100 * DAY_MS, 101 * DAY_MS, content=written(asked_as(DESIGN, "default")), language="ko",
    model="default", most_calls=100, most_usd=D(5), cadence_min=60,
)  # fmt: skip
PROFILE = ModelProfile("default", "gpt-x", "https://api.example.test/v1", "gpt-x", AnalystPrices(D(1), D(1)))


class Provider(Analyst):
    """Counts what it is asked; *on_ask* happens in the middle of a call."""

    def __init__(self) -> None:
        self.asked = list[str]()
        self.view: Decision | Abstained = Decision("buy", D("0.7"), 3, "secret words", D("0.01"), D("0.02"))
        self.failed = False
        self.on_ask: Callable[[], object] = lambda: None

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        self.asked.append(prompt.user)
        waited = self.on_ask()
        if asyncio.iscoroutine(waited):
            await waited
        return AnalystAnswer(self.view, "raw", prompt.model, 1_000, 100, 10, self.failed)


class Town:
    """People, the notifier's and the trader's books, a provider, and rooms."""

    def __init__(self, engine: sa.Engine) -> None:
        self.clock = SteppedClock(T + BEGIN_MS)
        self.world, self.engine = SqlWorld(engine, self.clock), engine
        self.forms, self.notifier = SqlBacktestForms(engine), SqlBacktestBook(engine)
        self.book = SqlPastBook(self.world.ledger)
        self.readings = Readings(engine, None, self.clock)
        self.provider, self.limits, self.profile = Provider(), PlatformLimits(), PROFILE
        self.turns, self.busy = Turns(), False

    async def person(self, name: str) -> int:
        return (await trading_account(self.world, uid=name)).user_id

    def room(self) -> PastRoom:
        async def limits() -> PlatformLimits:
            return self.limits

        return PastRoom(
            PastMeans(
                book=self.book, limits=limits, environment=self.profile, analyst=self.provider, models=None,
                turns=self.turns, clock=self.clock, feed=FEED, analyst_budget_s=45.0, is_busy=lambda: self.busy,
            )
        )  # fmt: skip

    def ask(self, user: int, count: int, wish: Wish = WISH, words: str = "q") -> int:
        """A job of *count* questions, prepared."""
        number = self.forms.ask(user, FEED, wish, self.clock.now_ms())
        assert number is not None
        while (job := self.notifier.take(FEED, self.clock.now_ms())) is not None and job.stage == "replay":
            self.notifier.end(job.job_id, "done", self.clock.now_ms(), Answer({"earned": "0.01"}))
        assert job is not None
        assert (job.job_id, job.stage) == (number, "prepare")
        self.notifier.write_questions(
            job, [PastQuestion(n, 1_000 * (n + 1), Prompt("s", f"{words} {n}", "")) for n in range(count)]
        )
        self.notifier.prepared(job, self.clock.now_ms())
        return number

    def line(self, user: int, number: int) -> "tuple[str, str, int, Decimal, Reason]":
        one = next(line for line in self.readings.backtests(user) if line.job_id == number)
        return one.state, one.stage, one.calls, one.usd, one.why

    def rows(self, table: sa.Table) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@pytest.fixture(params=["sqlite", *AT_TIMES])
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    made = Town(request.getfixturevalue(f"{request.param}_engine"))
    yield made
    made.world.close()


async def test_every_question_is_asked_once_and_then_it_is_replayed(town: Town) -> None:
    user = await town.person("kim")
    number = town.ask(user, STINT + 5)
    assert town.notifier.take(FEED, town.clock.now_ms() + 10 * SILENT_MS) is None, "who has the keys goes on"
    await town.room().run_pass()
    assert len(town.provider.asked) == len(set(town.provider.asked)) == STINT + 5
    state, stage, calls, usd, _ = town.line(user, number)
    assert (state, stage, calls) == ("queued", "replay", STINT + 5)
    assert usd == (STINT + 5) * D("0.0011")
    job = town.notifier.take(FEED, town.clock.now_ms())
    assert job is not None
    assert json.loads(job.stamp) == {"name": "default", "shown": "gpt-x", "asked": "gpt-x", "cutoff": ""}
    said = list(town.notifier.recorded(job))
    assert [one.t_ms for one in said] == [1_000 * (n + 1) for n in range(STINT + 5)]
    view = Decision("buy", D("0.7"), 3, "", D("0.01"), D("0.02"))
    assert {one.decision for one in said} == {view}, "its words are not kept"


async def test_an_answer_is_paid_for_once_whoever_asks_again(town: Town) -> None:
    kim, lee = await town.person("kim"), await town.person("lee")
    town.ask(kim, 8)
    await town.room().run_pass()
    number = town.ask(lee, 10)
    await town.room().run_pass()
    assert len(town.provider.asked) == 10
    assert town.line(lee, number)[2] == 2
    assert town.readings.backtest(kim, number) is None, "another's job is nobody's"
    town.profile = replace(PROFILE, model="gpt-y")
    mia = await town.person("mia")
    town.ask(mia, 10)
    await town.room().run_pass()
    assert len(town.provider.asked) == 20, "another model's answer is another answer"


async def test_a_kill_in_the_middle_pays_nothing_twice_but_the_calls_under_way(town: Town) -> None:
    user = await town.person("kim")
    number = town.ask(user, 12)
    reached = asyncio.Event()

    def hang() -> object:
        if len(town.provider.asked) <= 3:
            return None
        if len(town.provider.asked) == 3 + AT_ONCE:
            reached.set()
        return asyncio.Event().wait()

    town.provider.on_ask = hang
    first = asyncio.ensure_future(town.room()._one())
    await reached.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    state, stage, calls, usd, _ = town.line(user, number)
    assert (state, stage, calls) == ("running", "asking", 7)
    assert usd > 7 * D("0.0007"), "lost calls are on the bill with what they may have cost"
    town.provider.on_ask = lambda: None
    await town.room().run_pass()
    assert len(town.provider.asked) == 7, "it is not silent long enough yet"
    town.clock.advance_to(town.clock.now_ms() + SILENT_MS + 1)
    await town.room().run_pass()
    assert len(town.provider.asked) == 12, "all but the lost ones"
    town.clock.advance_to(town.clock.now_ms() + LOST_MS)
    town.clock.advance_to(town.clock.now_ms() // 300_000 * 300_000 + 300_000 + BEGIN_MS)
    await town.room().run_pass()
    assert len(town.provider.asked) == 16
    assert len(set(town.provider.asked)) == 12
    assert town.line(user, number)[:3] == ("queued", "replay", 16)


@pytest.mark.parametrize(
    ("places", "waves"),
    [(PLACES, (1, 2, AT_ONCE, AT_ONCE, 1)), (4, (1, 2, 2, 2, 2, 2, 1)), (2, (1,) * 12)],
)
async def test_some_are_asked_together_in_the_places_the_past_may_have(
    town: Town, places: int, waves: tuple[int, ...]
) -> None:
    town.turns, asked = Turns(places), town.provider.asked
    wave_of = [number for number, count in enumerate(waves) for _ in range(count)]
    whole = [asyncio.Event() for _ in waves]

    async def together() -> None:
        mine = wave_of[len(asked) - 1]
        if len(asked) == sum(waves[: mine + 1]):
            whole[mine].set()
        await asyncio.wait_for(whole[mine].wait(), 30)
        assert len(asked) == sum(waves[: mine + 1]), "nobody of the next came before this one was answered"

    town.provider.on_ask = together
    number = town.ask(user := await town.person("kim"), 12)
    await town.room().run_pass()
    assert town.line(user, number)[1:3] == ("replay", 12)


@pytest.mark.parametrize(("most", "least_calls"), [(D("0.3"), 9), (D("0.035"), 4)])
async def test_answers_as_dear_as_can_be_stay_within_what_was_allowed(
    town: Town, most: Decimal, least_calls: int
) -> None:
    user = await town.person("kim")
    town.profile = replace(PROFILE, prices=AnalystPrices(D("0.1"), D(10)))
    number = town.ask(user, 40, replace(WISH, most_usd=most))
    cheap, dear = 100, 2_000

    async def ask(prompt: Prompt, budget_s: float) -> AnalystAnswer:
        town.provider.asked.append(prompt.user)
        length = cheap if len(town.provider.asked) < 4 else dear
        return AnalystAnswer(town.provider.view, "raw", prompt.model, 1_000, length, 10, failed=False)

    town.provider.ask = ask  # type: ignore[method-assign]
    await town.room().run_pass()
    state, _, calls, usd, why = town.line(user, number)
    assert (state, why) == ("failed", codes.PAST_USD_REACHED(limit=most))
    assert calls >= least_calls
    assert usd <= most


async def test_after_an_answer_that_failed_it_goes_one_by_one(town: Town) -> None:
    user = await town.person("kim")
    town.provider.failed, town.provider.view = True, Abstained(codes.ANALYST_TIMEOUT())
    town.ask(user, 30)
    await town.room().run_pass()
    assert len(town.provider.asked) == MOST_FAILED, "together they would have been more"


async def test_a_book_that_is_away_for_one_loses_no_answer_of_the_others(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await town.person("kim")
    number, real = town.ask(user, 7), town.book.claim

    async def claim(call: PastCall, now_ms: int) -> bool:
        if call.question.seq == 4 and len(town.provider.asked) < 7:
            raise Retry("away")
        return await real(call, now_ms)

    monkeypatch.setattr(town.book, "claim", claim)
    with pytest.raises(Retry):
        await town.room().run_pass()
    assert len(town.provider.asked) == 6
    town.clock.advance_to(town.clock.now_ms() + SILENT_MS + 1)
    monkeypatch.setattr(town.book, "claim", real)
    await town.room().run_pass()
    assert len(town.provider.asked) == len(set(town.provider.asked)) == 7
    assert town.line(user, number)[1:3] == ("replay", 7)


async def test_it_stops_at_what_the_person_allowed_and_goes_on_from_there(town: Town) -> None:
    user = await town.person("kim")
    number = town.ask(user, 9, replace(WISH, most_calls=4))
    await town.room().run_pass()
    assert town.line(user, number)[:1] + town.line(user, number)[4:] == ("failed", codes.PAST_CALLS_REACHED(limit=4))
    assert town.rows(past_questions) == 0
    again = town.ask(user, 9)
    await town.room().run_pass()
    assert len(town.provider.asked) == 9
    assert town.line(user, again)[2] == 5


async def test_money_is_never_more_than_was_allowed(town: Town) -> None:
    user = await town.person("kim")
    number = town.ask(user, 50, replace(WISH, most_usd=D("0.0060")))
    await town.room().run_pass()
    state, _, calls, usd, why = town.line(user, number)
    assert (state, why) == ("failed", codes.PAST_USD_REACHED(limit=D("0.006")))
    assert usd == calls * D("0.0011") <= D("0.006")
    assert calls > 0


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (PlatformLimits(past_person_calls=3), codes.PAST_PERSON_REACHED()),
        (PlatformLimits(past_calls=3), codes.PAST_PLATFORM_REACHED()),
        (PlatformLimits(past_person_cost=D("0.0040")), codes.PAST_PERSON_REACHED()),
        (PlatformLimits(past_cost=D("0.0040")), codes.PAST_PLATFORM_REACHED()),
        (PlatformLimits(unreadable=("past_cost",)), codes.PLATFORM_LIMIT_UNREADABLE()),
    ],
)
async def test_the_day_s_budgets_end_a_job_and_the_next_day_goes_on(
    town: Town, limits: PlatformLimits, why: Reason
) -> None:
    user = await town.person("kim")
    town.limits = limits
    number = town.ask(user, 9)
    await town.room().run_pass()
    assert town.line(user, number)[4] == why
    asked = len(town.provider.asked)
    assert asked <= 3
    again = town.ask(user, 9)
    await town.room().run_pass()
    assert (town.line(user, again)[4], len(town.provider.asked)) == (why, asked), "a second job has no second budget"
    town.limits = PlatformLimits()
    town.clock.advance_to(town.clock.now_ms() + DAY_MS)
    town.ask(user, 9)
    await town.room().run_pass()
    assert len(town.provider.asked) == 9


async def test_one_person_s_use_is_not_another_s(town: Town) -> None:
    kim, lee = await town.person("kim"), await town.person("lee")
    town.limits = PlatformLimits(past_person_calls=3)
    town.ask(kim, 9)
    await town.room().run_pass()
    number = town.ask(lee, 3, words="other")
    await town.room().run_pass()
    assert town.line(lee, number)[1] == "replay"


async def test_a_model_without_a_price_is_bounded_in_calls(town: Town) -> None:
    user = await town.person("kim")
    town.profile, town.limits = replace(PROFILE, prices=AnalystPrices()), PlatformLimits(past_unpriced_calls=2)
    number = town.ask(user, 5)
    await town.room().run_pass()
    assert (len(town.provider.asked), town.line(user, number)[4]) == (2, codes.PAST_PLATFORM_REACHED())


async def test_a_cancel_in_the_middle_of_a_call_ends_it_within_a_beat(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.trading.past_room.BEAT_S", 0.01)
    user = await town.person("kim")
    number = town.ask(user, 5)
    town.provider.on_ask = lambda: _cancelled(town, user, number)
    await town.room().run_pass()
    assert len(town.provider.asked) == 1
    assert town.line(user, number)[0] == "cancelled"
    assert town.rows(past_questions) == 0


def _cancelled(town: Town, user: int, number: int) -> object:
    assert town.forms.cancel(user, number, town.clock.now_ms())
    return asyncio.Event().wait()


@pytest.mark.parametrize("at_ms", [0, BEGIN_MS - 1, 240_000, 299_999])
async def test_nothing_is_asked_near_a_t(town: Town, at_ms: int) -> None:
    town.ask(await town.person("kim"), 3)
    town.clock.advance_to(T + 300_000 + at_ms)
    await town.room().run_pass()
    assert town.provider.asked == []


async def test_nothing_is_asked_while_a_cycle_is_under_way_or_somebody_waits_for_a_model(town: Town) -> None:
    town.ask(await town.person("kim"), 3)
    town.busy = True
    await town.room().run_pass()
    town.busy = False
    wishes = [town.turns.announce(T, f"g{n}", Urgency.TRADING, 1, (0, "default")) for n in range(PLACES + 1)]
    waiting = [asyncio.ensure_future(town.turns.enter(one, (0, "default"), 60)) for one in wishes]
    await asyncio.sleep(0)
    await town.room().run_pass()
    assert town.provider.asked == []
    for one in waiting:
        one.cancel()


async def test_a_running_job_leaves_places_to_who_trades_and_stops_for_them(town: Town) -> None:
    town.ask(await town.person("kim"), 9)
    model = (0, "default")
    entered: list[float | None] = []

    async def trade() -> None:
        wish = town.turns.announce(T, "group", Urgency.TRADING, 1, model)
        entered.append(await town.turns.enter(wish, model, 1))
        town.busy = True

    town.provider.on_ask = lambda: trade() if len(town.provider.asked) == 3 else None
    await town.room().run_pass()
    assert entered == [0.0], "it had its place at once"
    assert len(town.provider.asked) == 3


@pytest.mark.parametrize("turns", [1, 2])
async def test_it_waits_behind_everybody_for_the_places_it_may_have(town: Town, turns: int) -> None:
    town.turns = Turns(turns)
    lane = (0, "default")
    wish = town.turns.announce(T, "group", Urgency.LOOKING, 1, lane)
    await town.turns.enter(wish, lane, 1)
    town.ask(await town.person("kim"), 1)
    past = town.turns.announce(0, "past", Urgency.PAST, 1, lane)
    assert await town.turns.enter(past, lane, 0.01) is None, "half of the places, one at least, are others'"


async def test_what_is_not_answered_is_asked_again_and_then_counts_as_not_answered(town: Town) -> None:
    user = await town.person("kim")
    town.provider.failed, town.provider.view = True, Abstained(codes.ANALYST_TIMEOUT())
    number = town.ask(user, 1)
    for _ in range(MOST_TRIES):
        await town.room().run_pass()
    assert len(town.provider.asked) == MOST_TRIES
    assert town.line(user, number)[1] == "replay"
    job = town.notifier.take(FEED, town.clock.now_ms())
    assert job is not None
    [said] = town.notifier.recorded(job)
    assert said.failed


async def test_a_model_that_is_away_ends_the_job(town: Town) -> None:
    user = await town.person("kim")
    town.provider.failed, town.provider.view = True, Abstained(codes.ANALYST_TIMEOUT())
    number = town.ask(user, 30)
    await town.room().run_pass()
    assert len(town.provider.asked) == MOST_FAILED
    assert town.line(user, number)[4] == codes.PAST_MODEL_AWAY(why=codes.ANALYST_TIMEOUT())


async def test_hostile_answers_are_abstentions_and_nothing_more(town: Town) -> None:
    user = await town.person("kim")
    town.provider.view = Abstained(codes.ANALYST_TIMEOUT())
    number = town.ask(user, 3)
    await town.room().run_pass()
    assert town.line(user, number)[1] == "replay"
    job = town.notifier.take(FEED, town.clock.now_ms())
    assert job is not None
    assert {one.decision for one in town.notifier.recorded(job)} == {town.provider.view}


async def test_an_answer_that_was_paid_for_is_written_down_when_the_book_comes_back(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await town.person("kim")
    number, away = town.ask(user, 1), [Retry("away"), Retry("away")]
    real = town.book.conclude

    async def conclude(*said: object) -> None:
        if away:
            raise away.pop()
        await real(*said)  # type: ignore[arg-type]

    monkeypatch.setattr(town.book, "conclude", conclude)
    await town.room().run_pass()
    assert (len(town.provider.asked), town.line(user, number)[1]) == (1, "replay")


async def test_a_model_that_is_gone_is_said(town: Town) -> None:
    user = await town.person("kim")
    number = town.ask(user, 1, replace(WISH, model="gone"))
    await town.room().run_pass()
    assert town.line(user, number)[4] == codes.PAST_MODEL_GONE(model="gone")


async def test_repeats_of_one_question_are_questions(town: Town) -> None:
    user = await town.person("kim")
    town.forms.ask(user, FEED, WISH, town.clock.now_ms())
    job = town.notifier.take(FEED, town.clock.now_ms())
    assert job is not None
    same = Prompt("s", "same", "")
    town.notifier.write_questions(job, [PastQuestion(n, 0, same, again) for n, again in enumerate((0, 1, 2, 0))])
    town.notifier.prepared(job, town.clock.now_ms())
    await town.room().run_pass()
    assert len(town.provider.asked) == 3
    assert [len(window) for window in town.notifier.tested(job, 4)] == [4]
    assert town.line(user, job.job_id)[1] == "replay"


async def test_the_newest_memory_test_of_a_version_and_model_is_its_owners_alone(town: Town) -> None:
    kim, lee = await town.person("kim"), await town.person("lee")
    clean, dates = codes.MEMORY_CLEAN(windows=100), codes.MEMORY_DATES(share=D("0.4"))

    def tested(user: int, version: int, model: str, asked: str, at_ms: int, *badges: Reason) -> None:
        job = Job(1, user, FEED, "k", replace(WISH, version_id=version, model=model))
        town.notifier.keep_test(job, asked, 100, badges, at_ms)

    tested(kim, 3, "fast", "gpt-x", 5, clean)
    tested(kim, 3, "fast", "gpt-y", 9, dates, clean)
    tested(kim, 3, "default", "gpt-x", 7, clean)
    tested(lee, 3, "fast", "gpt-z", 8, clean)
    found = town.readings.memory_tests(kim)
    assert [(one.model, one.asked, one.tested_ms) for one in found] == [("fast", "gpt-y", 9), ("default", "gpt-x", 7)]
    assert found[0].badges == (dates, clean)
    assert [one.asked for one in town.readings.memory_tests(lee)] == ["gpt-z"]
    assert found[0].is_current({"fast": "gpt-y"})
    assert not found[0].is_current({"fast": "gpt-z"})
    assert not found[0].is_current({}), "no list has it any more"


async def test_one_that_asks_a_model_waits_beside_one_that_asks_nobody(town: Town) -> None:
    user = await town.person("kim")
    town.ask(user, 1)
    rules = Wish("rules", "BTCUSDT", 100 * DAY_MS, 130 * DAY_MS)
    assert town.forms.ask(user, FEED, rules, 1) is not None
    assert town.forms.ask(user, FEED, replace(WISH, most_calls=7), 1) is None


async def test_with_its_person_goes_what_was_asked_and_not_what_was_used(town: Town) -> None:
    kim, lee = await town.person("kim"), await town.person("lee")
    town.ask(kim, 3)
    await town.room().run_pass()
    town.ask(lee, 3, words="other")
    SqlLeaving(town.engine).leave(kim, town.clock.now_ms())
    assert town.rows(past_questions) == 3
    assert town.rows(past_answers) == 3
    town.limits = PlatformLimits(past_calls=3)
    await town.room().run_pass()
    assert len(town.provider.asked) == 3, "who left has not made the day's budget larger"
