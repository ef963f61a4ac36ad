"""What shares a commit and what goes first: nobody's failure is another's, nothing starves, nothing is run twice."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from lib.adapters.sql.ledger.group_commit import IN_A_ROW, MOST, GroupCommit, Kind
from lib.domain.errors import Retry

PATIENCE_S = 20
TABLE = sa.Table("kept", sa.MetaData(), sa.Column("number", sa.Integer, primary_key=True))
Work = Callable[[sa.Connection], int]


class Seen:
    """The works by number in the order they ran, and a mark "|" for each commit."""

    def __init__(self, engine: sa.Engine) -> None:
        self.ran: list[int | str] = []
        event.listen(engine, "commit", lambda _: self.ran.append("|"))

    def work(self, number: int) -> Work:
        def keep(connection: sa.Connection) -> int:
            self.ran.append(number)
            connection.execute(sa.insert(TABLE), {"number": number})
            return number

        return keep

    def groups(self) -> list[list[int]]:
        """The works of each transaction that committed something."""
        told = "".join(f"{part} " for part in self.ran).split("|")
        return [[int(number) for number in group.split()] for group in told if group.strip()]


@pytest.fixture
def seen(sqlite_engine: sa.Engine) -> Seen:
    TABLE.create(sqlite_engine)
    return Seen(sqlite_engine)


@pytest.fixture
def crew(sqlite_engine: sa.Engine) -> Iterator[GroupCommit]:
    together = frozenset({Kind.WRITE, Kind.READ, Kind.BOOK})
    crew = GroupCommit(sqlite_engine, 1, "crew", together)
    yield crew
    crew.close()


@asynccontextmanager
async def held_up(crew: GroupCommit) -> AsyncIterator[None]:
    """The one thread is at work until the block ends: what is asked for in the block waits."""
    begun, go_on = threading.Event(), threading.Event()

    def dawdle(connection: sa.Connection) -> None:
        begun.set()
        assert go_on.wait(PATIENCE_S)

    task = asyncio.ensure_future(crew.run(dawdle, Kind.LONG_READ))
    assert await asyncio.to_thread(begun.wait, PATIENCE_S)
    yield
    go_on.set()
    await task


async def asked(crew: GroupCommit, work: Work, kind: Kind = Kind.WRITE) -> "asyncio.Task[int]":
    """The work's task, which has asked and waits."""
    task = asyncio.ensure_future(crew.run(work, kind))
    await asyncio.sleep(0)
    return task


def kept(engine: sa.Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(TABLE.c.number).order_by(TABLE.c.number)))


async def test_writes_that_wait_at_once_share_one_commit_and_each_gets_its_own_result(
    crew: GroupCommit, seen: Seen
) -> None:
    async with held_up(crew):
        tasks = [await asked(crew, seen.work(number)) for number in range(5)]
    assert await asyncio.gather(*tasks) == list(range(5))
    assert seen.groups() == [[0, 1, 2, 3, 4]]


async def test_a_group_is_never_larger_than_who_goes_first_may_wait_for(crew: GroupCommit, seen: Seen) -> None:
    async with held_up(crew):
        tasks = [await asked(crew, seen.work(number)) for number in range(MOST + 2)]
    await asyncio.gather(*tasks)
    assert [len(group) for group in seen.groups()] == [MOST, 2]


async def test_one_that_fails_takes_no_other_with_it(crew: GroupCommit, seen: Seen, sqlite_engine: sa.Engine) -> None:
    async with held_up(crew):
        works = [seen.work(0), seen.work(1), seen.work(1), seen.work(2)]
        tasks = [await asked(crew, work) for work in works]
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end).__name__ for end in ends] == ["int", "int", "IntegrityError", "int"]
    assert isinstance(ends[2], IntegrityError)
    assert kept(sqlite_engine) == [0, 1, 2]


async def test_what_failed_in_a_group_goes_by_itself_and_a_claim_goes_in_between(crew: GroupCommit, seen: Seen) -> None:
    claims: list[asyncio.Task[int]] = []
    loop = asyncio.get_running_loop()
    is_asked = threading.Event()

    def claim_meanwhile(connection: sa.Connection) -> int:
        if not claims:
            loop.call_soon_threadsafe(lambda: claims.append(loop.create_task(crew.run(seen.work(9), Kind.FIRST))))
            loop.call_soon_threadsafe(loop.call_soon, is_asked.set)
            assert is_asked.wait(PATIENCE_S)
        raise Retry("never")

    async with held_up(crew):
        tasks = [await asked(crew, work) for work in (seen.work(0), claim_meanwhile, seen.work(1))]
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert await claims[0] == 9
    assert [type(end).__name__ for end in ends] == ["int", "Retry", "int"]
    assert seen.groups() == [[0, 9], [0], [1]], "0 was rolled back first; the claim did not wait for the three"


@pytest.mark.parametrize("applied", [True, False])
async def test_a_commit_nobody_confirmed_is_everybodys_and_nothing_is_run_again(
    crew: GroupCommit, seen: Seen, sqlite_engine: sa.Engine, applied: bool
) -> None:
    def fail(connection: sa.Connection) -> None:
        event.remove(sqlite_engine, "commit", fail)
        if applied:
            connection.exec_driver_sql("COMMIT")
        raise sa.exc.OperationalError("COMMIT", {}, ConnectionError("lost"), connection_invalidated=True)

    def lose_the_commit(connection: sa.Connection) -> int:
        event.listen(sqlite_engine, "commit", fail)
        return 0

    async with held_up(crew):
        works = [seen.work(0), lose_the_commit, seen.work(1)]
        tasks = [await asked(crew, work) for work in works]
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ends] == [Retry, Retry, Retry]
    assert [part for part in seen.ran if part != "|"] == [0, 1]
    assert kept(sqlite_engine) == ([0, 1] if applied else [])


async def test_a_database_that_is_away_is_asked_once_for_all_of_them(
    crew: GroupCommit, seen: Seen, sqlite_engine: sa.Engine
) -> None:
    tries: list[int] = []

    def away(*_: object) -> None:
        tries.append(1)
        raise sa.exc.OperationalError("BEGIN", {}, ConnectionError("away"))

    async with held_up(crew):
        tasks = [await asked(crew, seen.work(number)) for number in range(3)]
        event.listen(sqlite_engine, "begin", away)
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    event.remove(sqlite_engine, "begin", away)
    assert ([type(end) for end in ends], len(tries), seen.ran) == ([Retry] * 3, 1, ["|"])


async def test_a_claim_goes_before_what_waited_longer_and_never_with_another(crew: GroupCommit, seen: Seen) -> None:
    async with held_up(crew):
        tasks = [await asked(crew, seen.work(number), Kind.BOOK) for number in (0, 1)]
        tasks += [await asked(crew, seen.work(number)) for number in (2, 3)]
        tasks += [await asked(crew, seen.work(number), Kind.FIRST) for number in (4, 5)]
    await asyncio.gather(*tasks)
    assert seen.groups() == [[4], [5], [2, 3], [0, 1]]


async def test_behind_a_crowd_of_claims_the_oldest_has_its_turn(crew: GroupCommit, seen: Seen) -> None:
    async with held_up(crew):
        tasks = [await asked(crew, seen.work(100), Kind.BOOK), await asked(crew, seen.work(101))]
        tasks += [await asked(crew, seen.work(number), Kind.FIRST) for number in range(2 * IN_A_ROW + 1)]
    await asyncio.gather(*tasks)
    claims = [[number] for number in range(2 * IN_A_ROW + 1)]
    expected = [*claims[:IN_A_ROW], [100], *claims[IN_A_ROW : 2 * IN_A_ROW], [101], *claims[2 * IN_A_ROW :]]
    assert seen.groups() == expected


async def test_where_nothing_may_share_each_has_its_own_commit(sqlite_engine: sa.Engine, seen: Seen) -> None:
    crew = GroupCommit(sqlite_engine, 1, "crew", frozenset())
    async with held_up(crew):
        tasks = [await asked(crew, seen.work(number)) for number in range(3)]
    await asyncio.gather(*tasks)
    crew.close()
    assert seen.groups() == [[0], [1], [2]]


async def test_a_work_given_up_while_it_waits_is_left_out(crew: GroupCommit, seen: Seen) -> None:
    async with held_up(crew):
        tasks = [await asked(crew, seen.work(number)) for number in range(3)]
        alone = await asked(crew, seen.work(7), Kind.FIRST)
        for task in (tasks[1], alone):
            task.cancel()
        await asyncio.sleep(0)
    ends = await asyncio.gather(*tasks, alone, return_exceptions=True)
    assert [type(end).__name__ for end in ends] == ["int", "CancelledError", "int", "CancelledError"]
    assert seen.groups() == [[0, 2]]


async def test_after_it_was_closed_everybody_is_refused_at_once(sqlite_engine: sa.Engine, seen: Seen) -> None:
    crew = GroupCommit(sqlite_engine, 1, "crew", frozenset(Kind))
    crew.close()
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await crew.run(seen.work(0), Kind.WRITE)
    assert seen.ran == []


def test_a_loop_that_ended_is_no_matter_to_the_works_of_the_next(crew: GroupCommit, seen: Seen) -> None:
    async def one(number: int) -> int:
        return await crew.run(seen.work(number), Kind.WRITE)

    assert [asyncio.run(one(number)) for number in range(3)] == [0, 1, 2]
