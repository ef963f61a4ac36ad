"""What readiness says while stores are away, candles old or nobody trades; and that asking often costs one look."""

import threading
from collections.abc import Mapping
from dataclasses import replace

import pytest

from lib.bootstrap.readiness import FRESH_MS, ReadinessCheck
from lib.domain.errors import Retry
from lib.market.status import iso
from lib.queries.figures import Waiting
from tests.fakes.people import StandingClock

NOW = 1_760_000_000_000
WELL = Waiting(lease_held=True, untold_s=0.0, call_s=120.0, call_failed=False)


class Scene:
    def __init__(self) -> None:
        self.clock = StandingClock(NOW)
        self.ages = {"last_close:BTCUSDT:1m": 40, "trader_heartbeat": 5, "guardian_heartbeat": 5}
        self.waits: Waiting | None = WELL
        self.redis_is_away = False
        self.looks = 0
        self.looping: list[str] | None = None
        self.ready = ReadinessCheck(self.status, self.waiting, ("BTCUSDT",), self.clock, lambda: self.looping)

    def status(self) -> Mapping[str, str]:
        if self.redis_is_away:
            raise Retry("away")
        return {name: iso(NOW - age * 1000) for name, age in self.ages.items()}

    def waiting(self) -> Waiting:
        self.looks += 1
        if self.waits is None:
            raise Retry("away")
        return self.waits

    def missing(self) -> set[str]:
        found = self.ready()
        assert found.is_ready == all(found.checks.values())
        return {name for name, holds in (found.checks | found.advice).items() if not holds}  # type: ignore[operator]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_all_well(scene: Scene) -> None:
    assert scene.missing() == set()


def test_a_database_that_is_away_fails_what_is_read_from_it(scene: Scene) -> None:
    scene.waits = None
    assert scene.missing() == {"database", "lease", "analyst", "outbox"}


def test_redis_away_fails_what_is_read_from_it(scene: Scene) -> None:
    scene.redis_is_away = True
    assert scene.missing() == {"redis", "candles", "trader", "guardian"}


@pytest.mark.parametrize(
    ("field", "name"),
    [("last_close:BTCUSDT:1m", "candles"), ("trader_heartbeat", "trader"), ("guardian_heartbeat", "guardian")],
)
def test_what_is_old_or_was_never_seen_does_not_hold(scene: Scene, field: str, name: str) -> None:
    scene.ages[field] = 151
    assert scene.missing() == {name}
    del scene.ages[field]
    scene.clock.forward(seconds=FRESH_MS / 1000)
    assert scene.missing() == {name}


def test_advice_refuses_nobody(scene: Scene) -> None:
    scene.waits = replace(WELL, call_failed=True, untold_s=901.0)
    assert scene.missing() == {"analyst", "outbox"}
    assert scene.ready().is_ready


def test_a_process_in_a_crash_loop_is_told_where_a_supervisor_knows_of_it(scene: Scene) -> None:
    assert "processes" not in scene.ready().advice
    scene.clock.forward(seconds=FRESH_MS / 1000)
    scene.looping = ["watch"]
    assert scene.missing() == {"processes"}
    assert scene.ready().is_ready


def test_who_asks_while_another_waits_for_a_slow_store_is_told_what_was_found_before(scene: Scene) -> None:
    before = scene.ready()
    scene.clock.forward(seconds=FRESH_MS / 1000)
    asked, answer = threading.Event(), threading.Event()

    def slow() -> Waiting:
        asked.set()
        assert answer.wait(60)
        return replace(WELL, lease_held=False)

    scene.ready = ReadinessCheck(scene.status, scene.waiting, ("BTCUSDT",), scene.clock)
    scene.ready()
    scene.ready._waiting = slow
    scene.clock.forward(seconds=FRESH_MS / 1000)
    first = threading.Thread(target=scene.ready)
    first.start()
    assert asked.wait(60)
    assert scene.ready().checks == before.checks
    answer.set()
    first.join(60)
    assert scene.missing() == {"lease"}


def test_asking_often_costs_one_look(scene: Scene) -> None:
    for _ in range(50):
        scene.ready()
    assert scene.looks == 1
    scene.clock.forward(seconds=FRESH_MS / 1000)
    scene.ready()
    assert scene.looks == 2


def test_one_symbols_old_candles_are_named_and_take_nothing_from_the_others(scene: Scene) -> None:
    symbols = ("BTCUSDT", "GONEUSDT", "ETHUSDT")
    scene.ages |= {"last_close:ETHUSDT:1m": 40, "last_close:GONEUSDT:1m": 9_000}
    scene.ready = ReadinessCheck(scene.status, scene.waiting, symbols, scene.clock)
    assert scene.ready().is_ready
    assert scene.missing() == {"candles GONEUSDT"}
    for symbol in symbols:
        scene.ages[f"last_close:{symbol}:1m"] = 9_000
    scene.clock.now += 2 * FRESH_MS
    assert scene.missing() == {"candles", *(f"candles {symbol}" for symbol in symbols)}
