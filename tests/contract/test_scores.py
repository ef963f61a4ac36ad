"""The book of scores on every ledger: each answer once, in order; the first writer wins; failed calls are none."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from lib.domain import reason_codes as codes
from lib.domain.analyst_call import CycleRecord, ModelCall
from lib.domain.decision import Abstained
from lib.domain.scores import BOTH_WAYS, BothWays, Opined, Score, call_share, of_nothing
from tests import factories as make
from tests.contract.ledger_worlds import World
from tests.contract.test_ledger import cycle_key
from tests.factories import T

FEED = cycle_key("a").feed
D = Decimal


async def asked(world: World, group: str, t_ms: int = T, *calls: ModelCall, **changes: Any) -> None:
    answer = make.analyst_answer(**changes)
    key = replace(cycle_key(group), t_ms=t_ms)
    await world.ledger.record_cycle(CycleRecord(key, "prompt", "[]", answer, calls=calls, people=4))


def scored(opined: Opined, net: str = "0.0123456789012345678") -> Score:
    numbers = (D("60000.5"), D("60600"), D("0.01"), D("0.0011"), D("-0.0001"), D("0.002"), D(net).quantize(D("1E-18")))
    return Score(opined.cycle_id, "target", T + 2_040, T + 90_000, *numbers, D("1.5"), T + 120_000)


async def test_answers_come_in_their_order_a_few_at_a_time_and_failed_calls_never(world: World) -> None:
    for number, group in enumerate("abcd"):
        await asked(world, group, T + number * 300_000, failed=group == "b")
    first = world.scores.unscored(0, 2)
    assert [one.t_ms for one in first] == [T, T + 600_000]
    assert [one.t_ms for one in world.scores.unscored(first[-1].cycle_id, 2)] == [T + 900_000]
    assert (first[0].feed, first[0].symbol, first[0].view) == (FEED, make.SYMBOL, make.analyst_answer().decision)


async def test_a_score_is_kept_once_and_the_first_stands(world: World) -> None:
    await asked(world, "a")
    await asked(world, "b")
    one, other = world.scores.unscored(0, 9)
    assert world.scores.keep([scored(one)]) == 1
    assert world.scores.keep([scored(one, "0.5"), of_nothing(other, T)]) == 1
    assert world.scores.unscored(0, 9) == []
    assert world.scores.keep([]) == 0


async def test_both_ways_stand_beside_the_score_and_are_kept_once(world: World) -> None:
    await asked(world, "a")
    [one] = world.scores.unscored(0, 9)
    assert world.scores.keep_both([both := BothWays(scored(one), D("0.01"), D("-0.012"))]) == 1
    assert world.scores.keep_both([replace(both, long=D("0.9"))]) == 0
    assert world.scores.unscored(0, 9, BOTH_WAYS) == []
    assert world.scores.unscored(0, 9) == [one], "the other method's is still to come"
    assert world.scores.keep_both([]) == 0


async def test_a_walk_begins_before_the_first_answer_of_a_time(world: World) -> None:
    assert world.scores.before(FEED, T) == 0
    for group, t_ms in (("a", T - 300_000), ("b", T), ("c", T), ("d", T + 300_000)):
        await asked(world, group, t_ms)
    since = [len(world.scores.unscored(world.scores.before(FEED, at_ms), 9)) for at_ms in (0, T, T + 1, T + 900_000)]
    assert since == [4, 3, 1, 0]
    assert world.scores.unscored(world.scores.before("another feed", T), 9) == []


async def test_the_cost_is_one_persons_part_of_all_calls_and_unknown_where_one_of_them_is(world: World) -> None:
    answer = make.analyst_answer()
    failed = replace(answer, decision=Abstained(codes.ANALYST_TIMEOUT()), failed=True, cost=D("0.2"))
    paid, free = (replace(answer, cost=cost) for cost in (D(1), None))
    await asked(world, "a", T, ModelCall("first", 0, failed), ModelCall("second", 0, paid))
    await asked(world, "b", T, ModelCall("first", 0, paid), ModelCall("second", 0, free))
    await asked(world, "c", T, cost=D("0.7"))
    assert [one.cost for one in world.scores.unscored(0, 9)] == [D("0.3"), None, D("0.7")]


def test_what_enters_nothing_is_worth_what_its_call_cost() -> None:
    opined = Opined(1, FEED, make.SYMBOL, T, Abstained(codes.ANALYST_TIMEOUT()), 900, D("0.5"))
    assert of_nothing(opined, T).net == D("-0.0005")
    assert call_share(None) == 0
