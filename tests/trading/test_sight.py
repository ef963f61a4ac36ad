"""What is shown beside the candles: asked once for all, told in key and record, left out and never guessed."""

import json
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from lib.bootstrap.preview import Previews
from lib.domain.account_records import AskingAccount
from lib.domain.candle import Candle
from lib.domain.errors import Retry
from lib.domain.input_blocks import BLINDFOLD, OFFERED, Block, in_order, read_shown
from lib.domain.measures import FRESH_MS, MEASURE_KINDS, Measured, MeasureKind
from lib.domain.model_profile import ModelProfile
from lib.domain.news import Headline, News
from lib.domain.opinions import Opinion
from lib.domain.reason import NOTHING
from lib.domain.strategy import BLOCKS, Strategy, settings_with
from lib.ports.market import NothingMeasured
from lib.ports.news import NoNews
from lib.trading.context import WINDOW
from lib.trading.cycle.prompt import asked_sha256, build_prompt
from tests.factories import T, candles, settings, trader_account
from tests.worlds.one_process import World

FIVE = in_order(["bars_5m"])
BOTH = in_order(["bars_5m", "indicators_5m"])


class Shelf:
    """Readings over one world's candles."""

    def __init__(self, account: AskingAccount, minutes: list[Candle]) -> None:
        self.account, self.minutes = account, minutes

    def asking(self, user_id: int) -> AskingAccount:
        return self.account

    def closed_candles(self, symbol: str, interval: str, count: int) -> list[Candle]:
        return self.minutes[-count:] if interval == "1m" else []

    def newest_call(self, user_id: int) -> None:
        return None

    def holding(self, user_id: int, symbol: str = "") -> None:
        return None

    def opinions(self, symbol: str, asked: str, before_ms: int) -> list[Opinion]:
        return []


async def asked(world: World) -> dict[str, Any]:
    await world.cycle("hold")
    question, *_ = world.analyst.asked[-1].user.split("\n")
    read: dict[str, Any] = json.loads(question)
    return read


async def test_a_chosen_block_stands_after_the_designs_five_fields(world: World) -> None:
    world.add_account(settings=settings(inputs=FIVE))
    question = await asked(world)
    assert list(question) == ["symbol", "interval", "candles", "user_risk_level", "max_leverage", "blocks"]
    rows = question["blocks"]["bars_5m"]["rows"]
    assert [row[0] for row in rows] == [T - n * 300_000 for n in range(12, 0, -1)]
    minutes = [one for one in question["candles"] if one["timestamp"] >= T - 300_000]
    assert (rows[-1][1], rows[-1][4]) == (minutes[0]["open"], minutes[-1]["close"])


async def test_what_cannot_be_made_is_left_out_said_and_recorded(world: World) -> None:
    kim = world.add_account(settings=settings(inputs=in_order(["bars_5m", "bars_1d"])))
    question = await asked(world)
    assert list(question["blocks"]) == ["bars_5m"]
    assert question["left_out"] == {"bars_1d": "input_too_few"}
    [record] = (one for one in world.ledger.store.records.values() if one.inputs)
    there, gone = read_shown(record.inputs)
    assert (there.name, there.left_out, there.seen_ms) == ("bars_5m", NOTHING, T)
    assert gone.left_out.code == "input_too_few"
    assert record.sent_sha256 == sha256(record.prompt.encode()).hexdigest()
    assert record.asked_sha256 == asked_sha256(await world.trader_account(kim), "test-model")


async def test_a_store_that_is_away_costs_the_blocks_and_not_the_cycle(world: World) -> None:
    world.add_account(settings=settings(inputs=FIVE))
    read, reads = world.candles.newest, []

    async def newest(symbol: str, interval: str, count: int) -> list[Candle]:
        reads.append(count)
        if count > WINDOW:
            raise Retry("away")
        return await read(symbol, interval, count)

    world.candles.newest = newest  # type: ignore[method-assign]
    question = await asked(world)
    assert question["left_out"] == {"bars_5m": "input_unread"}
    assert "blocks" not in question
    assert reads == [30, 65]


async def test_blocks_are_read_once_for_all_and_not_at_all_where_nobody_chose_one() -> None:
    world = World()
    for _ in range(3):
        world.add_account(settings=settings(inputs=BOTH))
    reads: list[int] = []
    read = world.candles.newest

    async def newest(symbol: str, interval: str, count: int) -> list[Candle]:
        reads.append(count)
        return await read(symbol, interval, count)

    world.candles.newest = newest  # type: ignore[method-assign]
    await world.cycle("hold")
    assert (len(world.analyst.asked), reads) == (1, [30, 1005])
    quiet = World()
    quiet.add_account()
    quiet.candles.newest = newest  # type: ignore[method-assign]
    reads.clear()
    await quiet.cycle("hold")
    assert reads == [30]


async def test_people_who_chose_otherwise_are_asked_apart(world: World) -> None:
    for inputs in (FIVE, BOTH, FIVE):
        world.add_account(settings=settings(inputs=inputs))
    await world.cycle("hold")
    assert len(world.analyst.asked) == 3
    assert len({record.asked_sha256 for record in world.ledger.store.records.values()}) == 3


async def test_a_guest_chose_nothing_the_analyst_is_told() -> None:
    guest = trader_account(is_guest=True, settings=settings(inputs=FIVE))
    assert asked_sha256(guest, "m") == asked_sha256(replace(guest, settings=settings()), "m")


@pytest.mark.parametrize("inputs", [FIVE, BOTH, in_order(one.name for one in OFFERED if one.kind != "position")])
async def test_the_preview_shows_the_blocks_byte_for_byte(world: World, inputs: tuple[Block, ...]) -> None:
    account_id = world.add_account(settings=settings(inputs=inputs))
    await world.cycle("hold")
    trader = await world.trader_account(account_id)
    account = AskingAccount(trader.symbol, trader.settings, trader.is_guest, trader.language)
    shelf = Shelf(account, await world.candles.newest("BTCUSDT", "1m", 5_000))
    environment = ModelProfile("default", "test-model", "", "test-model")
    previews = Previews(shelf, environment)  # type: ignore[arg-type]
    seen, offer = previews.of(trader.user_id), previews.offered(trader.user_id)
    assert seen is not None
    assert offer is not None
    assert seen.user.encode() == world.analyst.asked[-1].user.encode()
    assert [note.name for note in seen.blocks] == [block.name for block in inputs if block != BLINDFOLD]
    assert [note.name for note in offer.blocks] == [block.name for block in OFFERED if block != BLINDFOLD]
    assert (offer.calls, offer.a_token, previews.offered(trader.user_id)) == (288, None, offer)


async def test_the_preview_of_a_version_that_does_not_run_is_what_is_sent_once_it_runs(world: World) -> None:
    other = Strategy(
        system="Only trade {symbol} with the trend.",
        instructions="pullbacks",
        blocks=(*BLOCKS, *FIVE),
        answer_version=2,
        max_leverage=3,
    )
    account_id = world.add_account(settings=settings_with(other, settings()))
    await world.cycle("hold")
    trader = await world.trader_account(account_id)
    before = AskingAccount(trader.symbol, settings(), trader.is_guest, trader.language)
    shelf = Shelf(before, await world.candles.newest("BTCUSDT", "1m", 5_000))
    previews = Previews(shelf, ModelProfile("default", "test-model", "", "test-model"))  # type: ignore[arg-type]
    seen = previews.of(trader.user_id, other)
    assert seen is not None
    sent = world.analyst.asked[-1]
    assert (seen.system.encode(), seen.user.encode()) == (sent.system.encode(), sent.user.encode())


def test_the_prompt_of_who_chose_nothing_has_no_word_of_blocks() -> None:
    user = build_prompt("BTCUSDT", candles(30), settings(), "m").user
    assert "blocks" not in user
    assert "left_out" not in user


class Gauges(NothingMeasured):
    """Each kind measured *age_ms* before T."""

    def __init__(self, age_ms: int) -> None:
        self.age_ms = age_ms
        self.asked: list[tuple[str, int]] = []

    async def as_of(self, symbol: str, kind: MeasureKind, at_ms: int) -> Measured | None:
        self.asked.append((kind, at_ms))
        return Measured(kind, at_ms - self.age_ms, {"rate": Decimal("0.00010"), "next_ms": Decimal(at_ms + 60_000)})


MARKET = in_order(MEASURE_KINDS)


class Shelved(NoNews):
    """One reading of the sources, made twenty seconds before T."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def as_of(self, at_ms: int) -> News | None:
        self.asked.append(at_ms)
        return News(
            at_ms - 20_000, (Headline(at_ms - 60_000, "coins.example", "Up"), Headline(at_ms, "x", "of T itself"))
        )


async def test_headlines_of_before_t_are_shown_to_who_chose_them_and_read_for_nobody_else(world: World) -> None:
    shelf = Shelved()
    world.context = replace(world.context, news=shelf)
    world.add_account(settings=settings(inputs=FIVE))
    await world.cycle("hold")
    assert shelf.asked == []
    world.add_account(settings=settings(inputs=in_order(["news"])))
    await world.cycle("hold")
    shown = [json.loads(prompt.user.split("\n")[0]).get("blocks", {}) for prompt in world.analyst.asked]
    [rows] = [blocks["news"]["rows"] for blocks in shown if "news" in blocks]
    [asked_at] = shelf.asked
    assert rows == [[asked_at - 60_000, "coins.example", "Up"]]


@pytest.mark.parametrize("kind", MEASURE_KINDS)
@pytest.mark.parametrize("late", [0, 1])
async def test_a_measurement_is_shown_as_long_as_its_contract_says_and_then_left_out(
    world: World, kind: MeasureKind, late: int
) -> None:
    world.context = replace(world.context, measures=Gauges(FRESH_MS[kind] + late))
    world.add_account(settings=settings(inputs=in_order([kind])))
    question = await asked(world)
    if late:
        assert question["left_out"] == {kind: "input_stale"}
    else:
        told = {"timestamp": T - FRESH_MS[kind], "rate": "0.0001", "next_ms": T + 60_000}
        assert question["blocks"] == {kind: told}


async def test_measurements_are_asked_for_as_of_t_and_once_for_all(world: World) -> None:
    gauges = Gauges(20_000)
    world.context = replace(world.context, measures=gauges)
    for _ in range(2):
        world.add_account(settings=settings(inputs=MARKET))
    await world.cycle("hold")
    assert sorted(gauges.asked) == sorted((kind, T) for kind in MEASURE_KINDS)


async def test_where_nobody_measures_the_prompt_says_so(world: World) -> None:
    world.add_account(settings=settings(inputs=MARKET))
    assert (await asked(world))["left_out"] == dict.fromkeys(MEASURE_KINDS, "input_missing")


async def test_a_stale_candle_still_skips_the_cycle_however_fresh_the_blocks_are(world: World) -> None:
    world.context = replace(world.context, measures=Gauges(0))
    world.add_account(settings=settings(inputs=MARKET))
    world.candles.spoil = lambda window: window[:-1]
    report = await world.cycle("buy")
    assert {result.outcome for result in report.results} == {"skipped"}
    assert world.analyst.asked == []


async def test_the_position_is_told_as_a_bucket_and_splits_the_group_by_nothing_finer(world: World) -> None:
    inputs = in_order(["position"])
    for balance in ("10000", "73191.25"):
        world.add_account(balance, settings(inputs=inputs))
    assert (await asked(world))["blocks"] == {"position": "flat"}
    await world.cycle("buy")
    asked_before = len(world.analyst.asked)
    await world.cycle("hold")
    told = [json.loads(one.user.split("\n")[0]).get("blocks") for one in world.analyst.asked[asked_before:]]
    assert {"position": "long, even"} in told
    assert len(told) == 2, "one for the two of one bucket, one for who chose nothing"
    assert "73191" not in " ".join(one.user for one in world.analyst.asked)


async def test_the_calendar_is_utc_and_counts_to_the_funding_that_was_measured(world: World) -> None:
    world.context = replace(world.context, measures=Gauges(0))
    world.add_account(settings=settings(inputs=in_order(["calendar"])))
    told = {"utc": "2025-10-09T08:55Z", "weekday": "Thursday", "minutes_to_funding": 1}
    assert (await asked(world))["blocks"] == {"calendar": told}
    quiet = World()
    quiet.add_account(settings=settings(inputs=in_order(["calendar"])))
    assert "minutes_to_funding" not in (await asked(quiet))["blocks"]["calendar"], "not known is not guessed"


async def test_only_what_ended_before_t_is_told_of_earlier_opinions(world: World) -> None:
    world.add_account(settings=settings(inputs=in_order(["outcomes"])))
    assert (await asked(world))["left_out"] == {"outcomes": "input_none_ended"}
    await world.cycle("buy")
    begun = world.t_ms
    assert (await asked(world))["left_out"] == {"outcomes": "input_none_ended"}, "open is no lesson"
    world.to(world.t_ms + 25 * 3_600_000)
    question = await asked(world)
    [row] = question["blocks"]["outcomes"]["rows"]
    assert row[:4] == [begun, "buy", "0.8", "time"]
    assert begun < row[4] <= world.t_ms


async def test_the_blindfold_leaves_neither_symbol_nor_time_nor_price(world: World) -> None:
    world.context = replace(world.context, measures=Gauges(0))
    everything = in_order(block.name for block in OFFERED)
    world.add_account(settings=settings(inputs=everything))
    question = await asked(world)
    prompt = world.analyst.asked[-1]
    assert question["symbol"] == "X"
    assert [one["timestamp"] for one in question["candles"]] == list(range(-30, 0))
    assert question["candles"][-1]["close"] == "1"
    shown = f"{prompt.system} {prompt.user}"
    hidden = ("BTC", "2025", "Thursday", str(T)[:6], "60000")
    assert [word for word in hidden if word in shown] == []
    assert "minutes_to_funding" in question["blocks"]["calendar"]
