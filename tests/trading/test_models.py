"""Which model is asked, in which order, for whom and at whose cost."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.analyst_call import AnalystAnswer, CycleKey, Prompt
from lib.domain.day import midnight_after
from lib.domain.decision import Abstained
from lib.domain.model_profile import ModelProfile, is_own
from lib.domain.pricing import AnalystPrices
from lib.domain.reason import Reason
from lib.ports.models import Candidate, ModelDesk
from lib.trading.cycle.prompt import cycle_key
from lib.trading.cycle.run import CycleReport
from tests.factories import T, decision, settings, trader_account
from tests.worlds.one_process import World
from tests.worlds.props import FakeAnalyst

PRICES = AnalystPrices(Decimal(1_000), Decimal(10_000))
COST = Decimal("1.5")
"""900 tokens asked and 60 answered."""


class Moody(FakeAnalyst):
    """Fails for *why*, if there is one, after *took_ms*."""

    def __init__(self, why: Reason | None = None, took_ms: int = 300) -> None:
        super().__init__(view=decision("buy"))
        self.why, self.took_ms = why, took_ms
        self.budgets: list[float] = []

    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        self.budgets.append(budget_s)
        answer = replace(await super().ask(prompt, budget_s), latency_ms=self.took_ms)
        return answer if self.why is None else replace(answer, decision=Abstained(self.why), failed=True)


@dataclass
class Lists(ModelDesk):
    """Models by (owner, name); own ones are found by their owner alone."""

    kept: dict[tuple[int, str], Candidate] = field(default_factory=dict)

    def put(self, name: str, analyst: FakeAnalyst, owner_id: int = 0, day_usd: Decimal | None = None) -> None:
        profile = ModelProfile(name, name, "https://api.example.com/v1", f"model-{name}", PRICES, day_usd)
        self.kept[owner_id, name] = Candidate(profile, owner_id, analyst)

    async def candidates(self, user_id: int, names: Sequence[str]) -> list[Candidate]:
        found = (self.kept.get((user_id if is_own(name) else 0, name)) for name in names)
        return [one for one in found if one is not None]


class Town:
    """A world whose trader knows lists of models."""

    def __init__(self, *chains: tuple[str, ...]) -> None:
        self.world, self.lists = World(), Lists()
        self.accounts = [self.world.add_account(settings=settings(models=chain)) for chain in chains]
        self.world.context = replace(self.world.context, models=self.lists)

    def user(self, place: int) -> int:
        return self.world.user_of(self.accounts[place])

    def chains(self) -> list[tuple[str, ...]]:
        """Who was asked for what, by cycle."""
        found: dict[CycleKey, list[str]] = {}
        for (key, _, _), (call, _) in self.world.ledger.store.calls.items():
            found.setdefault(key, []).append(call.name)
        return sorted(map(tuple, found.values()))

    async def cycle(self) -> CycleReport:
        self.world.analyst.view = decision("buy")
        return await self.world.cycle()


async def test_each_chain_is_a_group_and_is_asked_of_its_own_model() -> None:
    town = Town((), ("fast",), ("fast",), ("fast", "default"))
    fast = Moody()
    town.lists.put("fast", fast)
    await town.cycle()
    assert [prompt.model for prompt in fast.asked] == ["model-fast", "model-fast"]
    assert [prompt.model for prompt in town.world.analyst.asked] == ["test-model"]
    assert town.chains() == [("default",), ("fast",), ("fast",)]


def test_who_chose_no_model_stays_in_the_group_of_before() -> None:
    plain = cycle_key("synthetic", trader_account(), T, "m")
    chosen = cycle_key("synthetic", trader_account(settings=settings(models=("fast",))), T, "m")
    other = cycle_key("synthetic", trader_account(settings=settings(models=("fast", "slow"))), T, "m")
    assert len({plain.prompt_group, chosen.prompt_group, other.prompt_group}) == 3
    guest = replace(trader_account(settings=settings(models=("fast",))), is_guest=True)
    usual = replace(trader_account(), is_guest=True)
    assert cycle_key("synthetic", guest, T, "m") == cycle_key("synthetic", usual, T, "m")


async def test_a_key_of_one_person_is_never_used_for_another() -> None:
    town = Town(("own/mine",), ("own/mine",), ("own/mine",))
    analysts = [Moody(), Moody()]
    for place, analyst in enumerate(analysts):
        town.lists.put("own/mine", analyst, town.user(place))
    report = await town.cycle()
    assert [len(analyst.asked) for analyst in analysts] == [1, 1]
    owners = {call.owner_id for call, people in town.world.ledger.store.calls.values() if people == 1}
    assert owners == {town.user(0), town.user(1)}
    third = next(result for result in report.results if result.account_id == town.accounts[2])
    assert (third.outcome, third.reason) == ("skipped", codes.ANALYST_NOT_ASKED(why=codes.MODEL_NOT_OFFERED()))


FOLLOWED = [
    codes.ANALYST_TIMEOUT(),
    codes.ANALYST_UNREACHABLE(),
    codes.ANALYST_BUSY(),
    codes.ANALYST_HTTP(status=503),
]


@pytest.mark.parametrize("why", FOLLOWED, ids=lambda why: why.code)
async def test_the_next_of_the_chain_is_asked_within_the_same_budget_and_both_are_on_record(why: Reason) -> None:
    town = Town(("first", "second"))
    first, second = Moody(why, took_ms=20_000), Moody()
    town.lists.put("first", first)
    town.lists.put("second", second)
    [result] = (await town.cycle()).results
    assert result.outcome == "bought"
    assert (first.budgets, second.budgets) == ([22.5], [25.0])
    assert town.chains() == [("first", "second")]
    [answer] = town.world.ledger.store.cycles.values()
    assert (answer.model, answer.cost, answer.prompt_tokens) == ("model-second", 2 * COST, 1_800)


@pytest.mark.parametrize("why", [codes.ANALYST_KEY_REFUSED(), codes.ANALYST_HTTP(status=400)], ids=lambda why: why.code)
async def test_no_other_model_is_asked_after_a_failure_of_another_kind(why: Reason) -> None:
    town = Town(("first", "second"))
    second = Moody()
    town.lists.put("first", Moody(why))
    town.lists.put("second", second)
    [result] = (await town.cycle()).results
    assert (result.outcome, second.asked) == ("held", [])


async def test_an_odd_answer_is_an_answer_and_moves_nothing_on() -> None:
    town = Town(("first", "second"))
    second = Moody()
    odd = Moody()
    odd.view = Abstained(codes.ANSWER_NO_TEXT())
    town.lists.put("first", odd)
    town.lists.put("second", second)
    [result] = (await town.cycle()).results
    assert (result.outcome, second.asked) == ("held", [])


async def test_a_model_past_its_day_is_passed_over_and_with_none_left_nobody_is_asked() -> None:
    town = Town(("first", "second"), ("first",))
    first = Moody()
    town.lists.put("first", first, day_usd=COST * 2)
    town.lists.put("second", Moody())
    await town.cycle()  # two groups: twice its cost
    report = await town.cycle()
    assert len(first.asked) == 2
    alone = next(result for result in report.results if result.account_id == town.accounts[1])
    assert alone.outcome == "skipped"
    assert alone.reason == codes.ANALYST_NOT_ASKED(why=codes.MODEL_DAY_USED_UP(model="first"))
    assert town.chains()[-1] == ("second",)


async def test_a_persons_own_calls_are_on_no_budget_of_the_platform_and_not_stopped_by_it() -> None:
    town = Town(("own/mine",), ())
    mine = Moody()
    town.lists.put("own/mine", mine, town.user(0))
    platform = replace(town.world.context.platform, analyst_tokens=960)
    town.world.context = replace(town.world.context, platform=platform)
    await town.cycle()
    facts = await town.world.ledger.platform_facts("synthetic", town.world.t_ms, "paper")
    assert facts.tokens == 960, "the other's alone"
    await town.cycle()
    assert (len(mine.asked), len(town.world.analyst.asked)) == (2, 1)


async def test_a_shared_call_is_asked_for_all_who_share_it() -> None:
    town = Town(("fast",), ("fast",), ("fast",))
    town.lists.put("fast", Moody())
    await town.cycle()
    [(call, people)] = town.world.ledger.store.calls.values()
    assert (call.answer.cost, people) == (COST, 3)


async def test_what_a_model_cost_today_is_counted_by_who_pays() -> None:
    town = Town(("fast",))
    town.lists.put("fast", Moody())
    await town.cycle()
    assert await town.world.ledger.model_spent(0, "fast", town.world.t_ms) == COST
    assert await town.world.ledger.model_spent(town.user(0), "fast", town.world.t_ms) == 0
    assert await town.world.ledger.model_spent(0, "fast", town.world.t_ms + 86_400_000) == 0


# --- a person's cap on the operator's models --------------------------------------------------------------------------


def capped(town: Town, usd: str) -> None:
    town.world.context = replace(town.world.context, platform=PlatformLimits(person_cost=Decimal(usd)))


async def test_past_a_persons_cap_the_chain_goes_on_to_a_free_model_and_with_none_it_holds_with_the_reason() -> None:
    town = Town(("dear", "free"), ("dear",))
    dear, free = Moody(), Moody()
    town.lists.put("dear", dear)
    town.lists.put("free", free)
    profile = replace(town.lists.kept[0, "free"].profile, prices=AnalystPrices(free=True))
    town.lists.kept[0, "free"] = Candidate(profile, 0, free)
    capped(town, "1.5")
    await town.cycle()
    assert (len(dear.asked), len(free.asked)) == (2, 0)
    [first, second] = (await town.cycle()).results
    assert (len(dear.asked), len(free.asked)) == (2, 1), "one call was each person's cap"
    assert first.outcome != "skipped"
    why = codes.ANALYST_NOT_ASKED(why=codes.PERSON_COST(limit=Decimal("1.5")))
    assert (second.outcome, second.reason) == ("skipped", why)
    town.world.to(midnight_after(town.world.t_ms))
    await town.cycle()
    assert len(dear.asked) == 4, "a day later it begins anew"


async def test_a_cap_counts_a_persons_part_and_stops_no_call_that_somebody_else_asks_for() -> None:
    town = Town(("fast",), ("fast",))
    fast = Moody()
    town.lists.put("fast", fast)
    capped(town, "1.5")
    await town.cycle()  # 0.75 each
    await town.cycle()  # 1.5 each
    assert [await town.world.ledger.person_spent(town.user(place), town.world.t_ms) for place in (0, 1)] == [COST] * 2
    assert len(fast.asked) == 2
    assert {result.outcome for result in (await town.cycle()).results} == {"skipped"}
    newcomer = town.world.add_account(settings=settings(models=("fast",)))
    results = (await town.cycle()).results
    assert len(fast.asked) == 3
    assert all(result.outcome != "skipped" for result in results), "who is not past the cap asks for all"
    assert newcomer in {result.account_id for result in results}


async def test_own_models_and_a_deployment_without_a_cap_are_never_stopped_by_one() -> None:
    town = Town(("own/mine",), ())
    mine = Moody()
    town.lists.put("own/mine", mine, town.user(0))
    capped(town, "0")
    [own, ours] = (await town.cycle()).results
    assert (len(mine.asked), own.outcome) == (1, "bought")
    assert (town.world.analyst.asked, ours.outcome) == ([], "skipped")
    capped(town, "100000")
    await town.cycle()
    assert len(town.world.analyst.asked) == 1
