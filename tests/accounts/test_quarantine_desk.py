"""The desk of models asked about the past: what it refuses, what it costs, and whose it is. Nothing is asked by it."""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.accounts.backtests import QUESTIONS, Asked, Past
from lib.accounts.models import ModelHouse, OwnModelDesk
from lib.accounts.quarantine import PastOffer, PastStores, PastWish, PastWorkshop, QuarantineDesk
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.backtests import SqlBacktestForms
from lib.adapters.sql.forms.shadow_desk import SqlShadows
from lib.adapters.sql.forms.strategy_desk import SqlStrategies
from lib.clock import SteppedClock
from lib.domain.backtests import MOST_DAYS, MOST_QUESTIONS, MOST_USD
from lib.domain.day import DAY_MS
from lib.domain.input_blocks import BLINDFOLD
from lib.domain.model_profile import ModelProfile
from lib.domain.pricing import AnalystPrices
from lib.domain.strategy import read
from lib.queries import BacktestLine, Readings
from tests.accounts.test_own_models import Sealing, Shelf
from tests.fakes.people import MemoryThrottles

D = Decimal
NOW = 20_600 * DAY_MS + 5
CUTOFF = "2026-02-16"
FAST = ModelProfile("default", "gpt-x", "https://api.example.com/v1", "gpt-x", AnalystPrices(D(1), D(2)), cutoff=CUTOFF)
FREE = replace(FAST, prices=AnalystPrices(D(0), D(0), free=True))
MINE = replace(FAST, name="own/mine", prices=AnalystPrices(), cutoff="")
WISH = PastWish("model", 0, "", "BTCUSDT", 20_500 * DAY_MS, 20_502 * DAY_MS, most_usd=D("0.5"))


@dataclass
class Place:
    """A desk over a real database, kim, lee, and what they asked."""

    desk: QuarantineDesk
    readings: Readings
    clock: SteppedClock
    models: OwnModelDesk
    kim: SessionUser
    lee: SessionUser

    def refused(self, wish: PastWish, user: SessionUser | None = None) -> Refusal:
        """Both acts refuse it alike, and nothing is kept."""
        priced, asked = (act(user or self.kim, wish) for act in (self.desk.offer, self.desk.ask))
        assert isinstance(priced, Refusal), priced
        assert priced == asked
        assert self.lines() == []
        return priced

    def asked(self, wish: PastWish) -> BacktestLine:
        made = self.desk.ask(self.kim, wish)
        assert isinstance(made, Asked), made
        return next(line for line in self.lines() if line.job_id == made.job_id)

    def lines(self, user: SessionUser | None = None) -> list[BacktestLine]:
        return self.readings.backtests((user or self.kim).user_id)


def place_of(engine: sa.Engine, environment: ModelProfile = FAST) -> Place:
    clock, people = SteppedClock(NOW), SqlAccounts(engine)
    kim, lee = (SessionUser(people.add_user(f"{who}@example.test", "!"), "", "ko") for who in ("kim", "lee"))
    models = OwnModelDesk(Shelf(), ModelHouse(environment, lambda profile: profile, Sealing()), clock)
    assert models.save(kim, MINE, "sk-of-kim-1234") is None
    stores = PastStores(SqlBacktestForms(engine), SqlShadows(engine), people, MemoryThrottles())
    workshop = PastWorkshop(9, lambda wish: 1_000)
    desk = QuarantineDesk(stores, models, Past("synthetic", ("BTCUSDT",)), workshop, clock)
    return Place(desk, Readings(engine, None, clock), clock, models, kim, lee)


@pytest.fixture
def place(sqlite_engine: sa.Engine) -> Place:
    return place_of(sqlite_engine)


def test_it_tells_the_price_and_where_the_days_lie_and_keeps_nothing(place: Place) -> None:
    offer = place.desk.offer(place.kim, replace(WISH, most_usd=None))
    assert isinstance(offer, PastOffer)
    assert (offer.cost.calls, offer.cost.tokens, offer.when) == (2 * 288, 1_000, "across")
    assert offer.cost.low is not None
    assert offer.cost.high is not None
    assert 0 < offer.cost.low < offer.cost.high
    hourly = place.desk.offer(place.kim, replace(WISH, cadence_min=60))
    assert isinstance(hourly, PastOffer)
    assert hourly.cost.calls == 48
    own = place.desk.offer(place.kim, replace(WISH, model="own/mine"))
    assert isinstance(own, PastOffer)
    assert (own.cost.high, own.when, own.model.name) == (None, "unknown", "own/mine")
    assert place.lines() == []


def test_what_is_asked_is_the_version_under_the_blindfold_within_the_cap(place: Place) -> None:
    line = place.asked(replace(WISH, cadence_min=15, most_calls=50))
    wish = line.wish
    assert (line.state, line.stage, wish.kind, wish.model) == ("queued", "prepare", "model", "default")
    assert (wish.most_usd, wish.most_calls, wish.cadence_min) == (D("0.5"), 50, 15)
    content = read(wish.content)
    assert BLINDFOLD in content.inputs
    assert content.cadence_min == 15, "what is replayed is as often as what was asked"
    assert place.lines(place.lee) == []


def test_a_memory_test_asks_as_it_is(place: Place) -> None:
    line = place.asked(replace(WISH, kind="memory", windows=100))
    assert (line.wish.windows, line.wish.most_calls) == (100, 900)
    assert BLINDFOLD not in read(line.wish.content).inputs


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"version_id": 99}, Refusal("refuse.strategy.gone")),
        ({"model": "no such"}, Refusal("refuse.model.gone")),
        ({"model": "nobody"}, Refusal("refuse.model.gone")),
        ({"since_ms": 20_480 * DAY_MS}, Refusal("refuse.past.many", most=MOST_QUESTIONS)),
        ({"since_ms": 20_460 * DAY_MS, "cadence_min": 60}, Refusal("refuse.backtest.span", most=MOST_DAYS["model"])),
        ({"since_ms": 20_599 * DAY_MS, "until_ms": 20_601 * DAY_MS}, Refusal("refuse.backtest.span", most=31)),
        ({"since_ms": 20_500 * DAY_MS + 1}, Refusal("refuse.field", field="since")),
        ({"symbol": "DOGEUSDT"}, Refusal("refuse.field", field="symbol")),
        ({"balance": D(1)}, Refusal("refuse.field", field="balance")),
        ({"cadence_min": 7}, Refusal("refuse.field", field="cadence")),
        ({"kind": "memory", "windows": 99}, Refusal("refuse.field", field="windows")),
        ({"kind": "memory", "windows": 301}, Refusal("refuse.field", field="windows")),
        ({"windows": 100}, Refusal("refuse.field", field="windows")),
    ],
)
def test_what_cannot_be_meant_has_no_price_and_is_not_asked(
    place: Place, changes: dict[str, object], refusal: Refusal
) -> None:
    assert place.refused(replace(WISH, **changes)) == refusal  # type: ignore[arg-type]


@pytest.mark.parametrize("usd", [None, D(0), D(-1), MOST_USD + 1])
def test_where_a_price_is_known_a_cap_in_money_is_wanted(place: Place, usd: Decimal | None) -> None:
    assert place.desk.ask(place.kim, replace(WISH, most_usd=usd)) == Refusal("refuse.past.usd", most=str(MOST_USD))
    assert place.lines() == []


@pytest.mark.parametrize("calls", [0, 577])
def test_where_none_is_known_a_number_of_questions_is_wanted(place: Place, calls: int) -> None:
    wish = replace(WISH, model="own/mine", most_calls=calls)
    assert place.desk.ask(place.kim, wish) == Refusal("refuse.past.calls", most=576)
    line = place.asked(replace(wish, most_calls=576))
    assert (line.wish.most_usd, line.wish.most_calls) == (None, 576), "dollars nobody can count bound nothing"


def test_what_is_free_wants_no_cap(sqlite_engine: sa.Engine) -> None:
    line = place_of(sqlite_engine, FREE).asked(replace(WISH, most_usd=None))
    assert (line.wish.most_usd, line.wish.most_calls) == (None, 576)


def test_guests_and_who_only_looks_ask_nothing(place: Place) -> None:
    guest, visitor = replace(place.kim, is_guest=True), replace(place.kim, is_demo=True, read_only=True)
    assert place.refused(WISH, guest) == Refusal("refuse.guest")
    assert place.refused(WISH, visitor) == Refusal("refuse.read_only")
    wish = place.asked(WISH).wish
    assert place.desk.again(guest, wish) == Refusal("refuse.guest")
    assert place.desk.again(visitor, wish) == Refusal("refuse.read_only")


def test_a_version_and_a_model_of_another_are_nobodys(place: Place, sqlite_engine: sa.Engine) -> None:
    wish = place.asked(WISH).wish
    made = SqlStrategies(sqlite_engine).create(place.kim.user_id, "mine", read(wish.content), NOW, 10)
    assert made is not None
    [version] = [one.version_id for one in place.readings.strategy_versions(place.kim.user_id, made)]
    assert isinstance(place.desk.offer(place.kim, replace(WISH, version_id=version)), PastOffer)
    for changed in (replace(WISH, version_id=version), replace(WISH, model="own/mine", most_calls=5)):
        for act in (place.desk.offer, place.desk.ask):
            found = act(place.lee, changed)
            assert isinstance(found, Refusal)
            assert found.key in ("refuse.strategy.gone", "refuse.model.gone")
    assert place.lines(place.lee) == []


def test_one_at_a_time_and_the_same_question_is_the_same_number(place: Place) -> None:
    first = place.asked(WISH)
    assert place.asked(WISH).job_id == first.job_id
    assert place.desk.ask(place.kim, replace(WISH, cadence_min=60)) == Refusal("refuse.backtest.one")


def test_one_that_ended_early_goes_on_and_what_asks_nobody_does_not(place: Place) -> None:
    line = place.asked(WISH)
    assert place.desk.again(place.kim, replace(line.wish, kind="rules")) == Refusal("refuse.not_found")
    gone = replace(line.wish, model="nobody")
    assert place.desk.again(place.kim, gone) == Refusal("refuse.model.gone")
    other = replace(line.wish, most_calls=9)
    assert place.desk.again(place.kim, other) == Refusal("refuse.backtest.one")
    assert place.desk.again(place.kim, line.wish) == Asked(line.job_id), "it runs still"


def test_whoever_asks_and_asks_waits(place: Place) -> None:
    line = place.asked(WISH)
    for _ in range(QUESTIONS.free - 1):
        assert isinstance(place.desk.ask(place.kim, WISH), Asked)
    for found in (place.desk.ask(place.kim, WISH), place.desk.again(place.kim, line.wish)):
        assert isinstance(found, Refusal)
        assert found.key == "refuse.wait"
    assert isinstance(place.desk.offer(place.kim, WISH), PastOffer), "a price is told all the same"
