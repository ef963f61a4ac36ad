"""Shadows: asked after the orders of T about the very same window, dropped with a reason, and never near an order."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.analyst_call import SHADOW, AnalystAnswer, CycleKey, Prompt, shadow_of
from lib.domain.decision import Abstained, Decision
from lib.domain.errors import Retry
from lib.domain.input_blocks import BY_NAME
from lib.domain.order import CYCLE_MS
from lib.domain.pricing import AnalystPrices
from lib.domain.reason import NOTHING, Reason, text
from lib.domain.shadow import Shadow, ShadowBudget, ShadowEnd
from lib.domain.strategy import DESIGN, Strategy, strategy_of
from lib.ports.analyst import Analyst
from lib.trading.guardian.task import Guardian
from lib.trading.shadow_room import LATE_MS, ShadowMeans, ShadowRoom
from lib.trading.trader import Trader
from lib.trading.turns import Turns
from tests.factories import SYMBOL, T, decision, settings
from tests.fakes.shadows import MemoryShadowBook
from tests.worlds.one_process import World
from tests.worlds.props import FakeAnalyst

D = Decimal
ALL_DAY = ShadowBudget(2_000, D(100))
WILD = replace(DESIGN, instructions="크게")
CREATE = "/v5/order/create"


class Voice(Analyst):
    """Answers prompts with a person's words in its own way, and everybody else as *usual*."""

    def __init__(self, usual: FakeAnalyst) -> None:
        self.usual, self.asked = usual, list[Prompt]()
        self.view: Decision | Abstained = decision("sell")
        self.failed = False
        self.before: Callable[[], object] = lambda: None

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        if "<user_preference>\n" not in prompt.user:
            return await self.usual.ask(prompt, budget_s)
        self.asked.append(prompt)
        waited = self.before()
        if asyncio.iscoroutine(waited):
            await waited
        return AnalystAnswer(self.view, "", prompt.model, 900, 60, 300, self.failed, D("0.4"))


class Town:
    """A world of accounts that trade the design, and the room of shadows beside it."""

    def __init__(self, accounts: int = 1, *, content: Strategy = WILD, inputs: tuple[str, ...] = ()) -> None:
        self.world = World()
        chosen = settings(inputs=tuple(BY_NAME[name] for name in inputs))
        self.accounts = [self.world.add_account(settings=chosen) for _ in range(accounts)]
        self.voice = Voice(self.world.analyst)
        self.world.context = replace(self.world.context, analyst=self.voice)
        self.book = MemoryShadowBook(self.world.ledger)
        self.limits = PlatformLimits()
        for place in range(accounts):
            self.add(content, place)

    def add(self, content: Strategy, place: int = 0, budget: ShadowBudget = ALL_DAY) -> Shadow:
        shadow = Shadow(len(self.book.kept) + 1, self.world.user_of(self.accounts[place]), 0, "", content, budget)
        self.book.kept.append(shadow)
        return shadow

    def room(self, holder: str = "trader-1", turns: Turns | None = None) -> ShadowRoom:
        context = self.world.context

        async def limits() -> PlatformLimits:
            return self.limits

        return ShadowRoom(
            ShadowMeans(
                asked=context.state.asked, book=self.book, cycles=self.world.ledger, entries=self.world.ledger,
                limits=limits, candles=self.world.candles, measures=context.measures, news=context.news,
                analyst=self.voice, model=context.model, prices=context.prices, models=context.models,
                turns=turns or context.turns, clock=self.world.clock, feed=context.feed, holder=holder,
                analyst_budget_s=context.analyst_budget_s,
            )
        )  # fmt: skip

    async def cycle(self, view: str = "buy") -> None:
        """A cycle, and then its shadows."""
        await self.world.cycle(view)  # type: ignore[arg-type]
        await self.room().answer(self.world.t_ms)

    def ends(self) -> list[ShadowEnd | None]:
        return [end for _, end in self.book.turns.values()]

    def whys(self) -> list[Reason]:
        return [end.why for end in self.ends() if end is not None]

    def shadow_keys(self) -> list[CycleKey]:
        return [key for key, asked_for in self.world.ledger.store.asked_for.items() if asked_for == SHADOW]

    def sent(self) -> list[bytes]:
        """Every order that left, byte by byte but for when it was signed."""
        return [body for _, path, body in self.world.transport.sent if path == CREATE]


async def test_a_shadow_is_asked_after_the_orders_and_its_answer_is_a_call_of_its_own() -> None:
    town = Town()
    await town.world.cycle("buy")
    sent, logs = town.sent(), dict(town.world.ledger.store.logs)
    assert (len(sent), town.voice.asked) == (1, [])
    await town.room().answer(T)
    assert len(town.voice.asked) == 1
    [key] = town.shadow_keys()
    [(one, end)] = town.book.turns.values()
    assert end == ShadowEnd(await town.book.call_id(key), usd=None)  # no price is known of the model
    keys = list(town.world.ledger.store.cycles)
    assert keys[one.beside_id - 1] == next(known for known in keys if known != key)
    assert (town.sent(), town.world.ledger.store.logs) == (sent, logs)
    assert town.world.position().qty > 0  # it said sell


async def test_the_document_is_the_trading_versions_to_the_byte_however_late_it_is_read() -> None:
    town = Town(inputs=("bars_15m", "indicators_1m", "indicators_5m", "position", "calendar"))
    account = await town.world.trader_account(1)
    town.book.kept = []
    town.add(replace(strategy_of(account.settings), instructions="크게"))
    for view, late_s in (("buy", 0), ("hold", 100), ("hold", 170)):
        await town.world.cycle(view)  # type: ignore[arg-type]
        traded = town.world.analyst.asked[-1]
        town.world.wait(late_s)
        await town.room().answer(town.world.t_ms)
        asked = town.voice.asked[-1]
        assert asked.system == traded.system
        assert asked.user.partition("\n<user_preference>")[0] == traded.user
    assert not any(town.whys())


async def test_where_an_account_stood_at_t_is_told_or_the_turn_is_dropped() -> None:
    blocks = (*DESIGN.blocks, BY_NAME["position"])
    town = Town(content=replace(WILD, blocks=blocks))
    await town.cycle("buy")  # flat at T
    assert '"flat"' in town.voice.asked[-1].user
    await town.cycle("sell")  # long at T, turned since: the entry of before is not known any more
    assert town.whys()[-1] == codes.SHADOW_POSITION_UNKNOWN()
    await town.cycle("hold")
    assert '"short' in town.voice.asked[-1].user


VIEWS = st.lists(st.sampled_from(["buy", "sell", "hold"]), min_size=1, max_size=4)
MOODS = st.sampled_from(["sell", "buy", "hold", "rubbish", "fails", "raises", "retry", "slow"])


@given(VIEWS, st.lists(MOODS, min_size=4, max_size=4), st.integers(1, 2))
def test_cycles_with_shadows_place_byte_for_byte_the_orders_of_cycles_without(
    views: list[str], moods: list[str], accounts: int
) -> None:
    async def lived(*, with_shadows: bool) -> tuple[list[bytes], list[int], list[object]]:
        town = Town(accounts)
        times = list[int]()
        for view, mood in zip(views, moods, strict=False):
            give(town, mood)
            await town.world.cycle(view)  # type: ignore[arg-type]
            times.append(town.world.clock.now_ms())
            if with_shadows:
                await town.room().answer(town.world.t_ms)
        rows = [row for number in town.accounts for row in town.world.orders(number)]
        assert with_shadows == bool(town.voice.asked)
        assert town.world.violations == []
        return town.sent(), times, [replace(row, created_ms=0, updated_ms=0) for row in rows]

    assert asyncio.run(lived(with_shadows=True)) == asyncio.run(lived(with_shadows=False))


def give(town: Town, mood: str) -> None:
    """How the shadows' model behaves at the next T."""
    voice = town.voice
    voice.failed, voice.before = mood == "fails", lambda: None
    voice.view = Abstained(text("?")) if mood in ("rubbish", "fails") else decision("sell")
    if mood in ("buy", "hold"):
        voice.view = decision(mood)  # type: ignore[arg-type]

    def fail(what: Exception) -> Callable[[], object]:
        def act() -> object:
            raise what

        return act

    if mood in ("raises", "retry"):
        voice.before = fail(RuntimeError("away") if mood == "raises" else Retry(codes.DATABASE_CONNECTIONS()))
    if mood == "slow":
        voice.before = lambda: asyncio.sleep(0)


@pytest.mark.parametrize(
    ("mood", "why"),
    [
        ("fails", text("?")),
        ("raises", codes.INTERNAL_ERROR(type="RuntimeError")),
        ("retry", codes.DATABASE_CONNECTIONS()),
    ],
)
async def test_a_provider_in_trouble_is_a_drop_with_its_reason(mood: str, why: Reason) -> None:
    town = Town()
    give(town, mood)
    await town.cycle()
    assert town.whys() == [why]


async def test_what_cannot_be_read_is_an_opinion_like_a_hold() -> None:
    town = Town()
    give(town, "rubbish")
    await town.cycle()
    [end] = town.ends()
    assert (end is not None and end.state, len(town.shadow_keys())) == ("answered", 1)


async def test_a_provider_that_hangs_is_left_when_the_next_t_comes_near(monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town()
    hanging = asyncio.Event()
    town.voice.before = hanging.wait
    await town.world.cycle("buy")
    monkeypatch.setattr("lib.trading.shadow_room.END_MS", LATE_MS)  # what is left of the time is real here
    monkeypatch.setattr("lib.trading.shadow_room.LEAST_S", 0.0)
    town.world.wait(LATE_MS / 1000 - 2.02)
    await town.room().answer(T)
    assert town.whys() == [codes.SHADOW_LATE()]
    assert town.world.context.turns.waiting == 0


async def test_late_is_dropped_and_nothing_is_asked() -> None:
    town = Town()
    await town.world.cycle("buy")
    town.world.to(T + LATE_MS + 1_000)
    await town.room().answer(T)
    assert (town.whys(), town.voice.asked) == ([codes.SHADOW_LATE()], [])


async def test_what_the_trading_version_was_not_asked_and_what_it_asks_itself_is_not_asked() -> None:
    town = Town()
    town.add(replace(DESIGN, cadence_min=60))
    await town.cycle()
    assert town.whys() == [codes.SHADOW_SAME(), NOTHING]
    other = Town()
    await other.world.cycle("buy")
    other.world.ledger.store.cycles.clear()
    await other.room().answer(T)
    assert (other.whys(), other.voice.asked) == ([codes.SHADOW_BESIDE_NOTHING()], [])


async def test_a_person_with_many_shadows_leaves_others_their_share() -> None:
    town = Town(2)
    town.book.kept = []
    for number in range(3):
        town.add(replace(WILD, system=f"other {number}"), 0)
    town.add(WILD, 1)
    town.limits = replace(town.limits, shadow_calls=2)
    await town.cycle()
    share = codes.SHADOW_SHARE_USED_UP(people=2)
    whys = {one.shadow_id: end.why for one, end in town.book.turns.values() if end}
    assert whys == {1: NOTHING, 2: share, 3: share, 4: NOTHING}


async def test_budgets_are_its_own_and_everybodys_and_none_of_tradings() -> None:
    town = Town()
    town.book.kept = []
    calls, usd = town.add(WILD, budget=ShadowBudget(288, D(5))), town.add(replace(WILD, system="a"), budget=ALL_DAY)
    town.book.kept = [replace(calls, budget=ShadowBudget(288, D(0))), usd]
    town.limits = replace(town.limits, shadow_calls=1)
    await town.cycle()
    whys = {one.shadow_id: end.why for one, end in town.book.turns.values() if end}
    assert whys == {1: codes.SHADOW_USD_USED_UP(limit=D(0)), 2: NOTHING}
    await town.cycle("hold")
    later = [end.why for one, end in town.book.turns.values() if end and one.t_ms > T]
    assert later == [codes.SHADOW_USD_USED_UP(limit=D(0)), codes.SHADOW_PLATFORM_USED_UP()]
    headroom = await town.world.ledger.platform_facts(town.world.feed, T, "paper")
    assert headroom.tokens == 2 * 960  # the two calls of trading


async def test_no_more_of_a_person_are_asked_than_the_operator_allows_now() -> None:
    town = Town()
    town.add(replace(WILD, system="a"))
    town.limits = replace(town.limits, shadows=1)
    await town.cycle()
    assert [one.shadow_id for one, _ in town.book.turns.values()] == [1]


async def test_equal_shadows_of_two_people_are_one_call_whose_cost_they_share() -> None:
    town = Town(2)
    town.world.context = replace(town.world.context, prices=priced())
    await town.cycle()
    assert len(town.voice.asked) == len(town.shadow_keys()) == 1
    first, second = town.ends()
    assert first == second
    assert first is not None
    assert first.usd == D("0.75")  # of 1.5


def priced() -> AnalystPrices:
    return AnalystPrices(D(1_000), D(10_000))


async def test_where_somebody_trades_by_the_same_question_its_answer_is_taken_for_nothing() -> None:
    town = Town()
    other = town.world.add_account(settings=settings(custom_prompt="크게"))
    await town.cycle()
    assert len(town.voice.asked) == 1  # for the account that trades by it
    assert town.shadow_keys() == []
    [end] = town.ends()
    assert end is not None
    assert (end.is_shared, end.usd, end.state) == (True, None, "answered")
    assert town.world.log(other).answer is not None


async def test_a_shadows_answer_is_never_found_by_who_trades() -> None:
    town = Town()
    asking = town.world.add_account()
    await town.cycle()
    [key] = town.shadow_keys()
    town.world.ledger.people.change_settings(town.world.user_of(asking), settings(custom_prompt="크게"))
    await town.world.again()  # the same T, now with an account that asks exactly what the shadow asked
    assert len(town.voice.asked) == 2
    assert key.prompt_group in {shadow_of(one.prompt_group) for one in town.world.ledger.store.cycles}
    assert town.world.log(asking).answer is not None


async def test_of_two_processes_one_asks() -> None:
    town = Town()
    await town.world.cycle("buy")
    asked = town.world.context.state.asked
    kept = dict(asked.symbols)
    await town.room().answer(T)
    asked.symbols = kept
    await town.room("trader-2").answer(T)
    assert len(town.voice.asked) == 1
    asked.symbols = kept
    town.book.turns.clear()  # the first one's row is lost: its answer stands
    await town.room("trader-2").answer(T)
    assert (len(town.voice.asked), [end.is_shared for end in town.ends() if end]) == (1, [True])


async def test_a_turn_that_does_not_come_is_a_drop() -> None:
    town = Town()
    await town.world.cycle("buy")
    await town.room(turns=Turns(1)).answer(T)
    [why] = town.whys()
    assert codes.ANALYST_NOT_ASKED.is_of(why)
    assert town.voice.asked == []


async def test_a_look_on_demand_brings_no_shadow_and_nothing_grows_where_nobody_takes_it() -> None:
    town = Town()
    asked = town.world.context.state.asked
    await town.world.cycle("buy")
    await town.world.cycle("hold")
    assert (asked.t_ms, list(asked.symbols), len(asked.symbols[SYMBOL].accounts)) == (T + CYCLE_MS, [SYMBOL], 1)
    assert asked.take(T) == {}
    asked.note(T + CYCLE_MS + 60_000, {}, (), {})
    asked.note(T, {}, (), {})
    assert asked.t_ms == T + CYCLE_MS
    assert set(asked.take(T + CYCLE_MS)) == {SYMBOL}
    assert asked.take(T + CYCLE_MS) == {}


async def test_the_trader_asks_shadows_when_its_cycle_has_ended_and_ends_without_waiting_for_them() -> None:
    town = Town()
    hanging = asyncio.Event()
    town.voice.before = hanging.wait
    context = town.world.context
    trader = Trader(context, Guardian(context), shadows=town.room())
    trader.ready = True
    town.world.to(T + 2_000)
    town.world.analyst.view = decision("buy")
    trader.cycle()
    for _ in range(400):
        await asyncio.sleep(0)
        if town.voice.asked:
            break
    assert town.world.position().qty > 0
    assert len(town.voice.asked) == 1
    trader.leads = False
    trader._ask_shadows(T)  # a worker asks none
    await asyncio.wait_for(trader.drain(), 5.0)
    assert town.ends() == [None]


async def test_where_accounts_are_divided_the_leader_asks_once_its_own_have_traded() -> None:
    town = Town()
    context = town.world.context
    trader = Trader(context, Guardian(context), shadows=town.room())
    trader.ready = True
    town.world.to(T + 2_000)
    trader.serving.add(T)
    leading = asyncio.create_task(trader._ask_everybody(T))
    for _ in range(200):
        await asyncio.sleep(0)
    assert (len(town.world.analyst.asked), town.voice.asked) == (1, [])
    trader.serving.discard(T)
    await leading
    await asyncio.gather(*trader._tasks)
    assert len(town.voice.asked) == 1
