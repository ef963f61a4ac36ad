"""Calls of models on every ledger: each counted once for who asked, on its day, for who pays."""

from dataclasses import replace
from decimal import Decimal

from lib.domain import reason_codes as codes
from lib.domain.analyst_call import AnalystAnswer, CycleRecord, ModelCall
from lib.domain.decision import Abstained
from lib.domain.reason import text
from lib.domain.risk import AccountPlan
from tests import factories as make
from tests.contract.ledger_worlds import World
from tests.contract.test_ledger import cycle_key, trading_account
from tests.factories import T

DAY = 86_400_000


def answer(cost: str | None) -> AnalystAnswer:
    return make.analyst_answer(cost=None if cost is None else Decimal(cost))


def record(asker: str, *calls: ModelCall, group: str = "a", t_ms: int = T) -> CycleRecord:
    key = replace(cycle_key(group), t_ms=t_ms)
    return CycleRecord(key, "prompt", "[]", calls[-1].answer, calls=calls, people=3, asker=asker)


async def test_each_call_counts_for_its_model_and_for_who_pays(world: World) -> None:
    failed = replace(answer("0.2"), decision=Abstained(codes.ANALYST_TIMEOUT()), failed=True)
    await world.ledger.record_cycle(record("one", ModelCall("first", 0, failed), ModelCall("second", 0, answer("1"))))
    await world.ledger.record_cycle(record("one", ModelCall("own/a", 7, answer("5")), group="b"))
    spent = [await world.ledger.model_spent(owner, name, T) for owner, name in (
        (0, "first"), (0, "second"), (7, "own/a"), (8, "own/a"), (0, "own/a"),
    )]  # fmt: skip
    assert spent == [Decimal("0.2"), 1, 5, 0, 0]


async def test_a_record_that_is_repeated_counts_once_and_a_second_asker_paid_too(world: World) -> None:
    mine, theirs = record("one", ModelCall("fast", 0, answer("1"))), record("two", ModelCall("fast", 0, answer("2")))
    stands = [await world.ledger.record_cycle(one) for one in (mine, mine, theirs)]
    assert [one.cost for one in stands] == [1, 1, 1]
    assert await world.ledger.model_spent(0, "fast", T) == 3


async def test_a_call_without_a_known_price_adds_nothing_and_the_day_is_utc(world: World) -> None:
    midnight = T // DAY * DAY
    await world.ledger.record_cycle(record("one", ModelCall("fast", 0, answer(None))))
    for group, (t_ms, cost) in zip("bcd", ((midnight - 1, "9"), (midnight, "1"), (midnight + DAY, "8")), strict=True):
        await world.ledger.record_cycle(record("one", ModelCall("fast", 0, answer(cost)), group=group, t_ms=t_ms))
    assert await world.ledger.model_spent(0, "fast", T) == 1


async def test_a_persons_part_is_of_the_calls_behind_their_decisions_and_of_the_operators_alone(world: World) -> None:
    accounts = [await trading_account(world, uid=f"uid-{number}") for number in (1, 2)]
    people = [account.user_id for account in accounts]
    shared = record("one", ModelCall("fast", 0, answer("3")), ModelCall("slow", 0, answer(None)))
    own = record("one", ModelCall("own/a", people[0], answer("5")), group="b", t_ms=T + 300_000)
    for one in (shared, own):
        await world.ledger.record_cycle(one)
    held = AccountPlan("held", text("nothing to do"))
    await world.ledger.plan(accounts[0], shared.key, T, held)
    await world.ledger.plan(accounts[0], own.key, T + 300_000, held)
    assert await world.ledger.person_spent(people[0], T) == 1, "three people share it"
    assert await world.ledger.person_spent(people[1], T) == 0
    assert await world.ledger.person_spent(people[0], T + DAY) == 0
