"""
Backtests over SQL: `lib.ports.backtests.BacktestForms` for people, `BacktestBook` for whoever works them out.

Each method is one short transaction. A question is claimed by an update that names the state it was in, so two workers
never have the same; one whose worker is silent is anybody's again. What is over changes no more, whoever is late.
"""

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user
from lib.adapters.sql.forms.sessions import counted
from lib.adapters.sql.forms.trail import record
from lib.adapters.sql.ledger.analysis import read_decision
from lib.adapters.sql.ledger.pasting import packed as packed_prompt
from lib.adapters.sql.tables.backtests import backtests
from lib.adapters.sql.tables.past import memory_tests, past_answers, past_questions
from lib.adapters.sql.tables.trading import cycles, trade_logs
from lib.domain import reason_codes as codes
from lib.domain.backtests import FREE, State, Wish, read_wish, wish_text
from lib.domain.decision import Abstained, Decision
from lib.domain.errors import Retry
from lib.domain.quarantine import PastQuestion
from lib.domain.reason import Reason
from lib.domain.stored_reason import stored
from lib.domain.trail import Note
from lib.ports.backtests import Answer, BacktestBook, BacktestForms, Job, Said

SILENT_MS = 60_000
"""How long nothing is heard of a worker until its question is another's."""
MOST_RESULT = 4 * 1024 * 1024
"""Bytes of an unpacked result at most."""
MOST_WAITING = 100
"""Questions of everybody that are not over: who comes then is told to come again."""
MOST_ATTEMPTS = 10
"""How often a question is begun: what takes its worker along every time is given up."""
A_PIECE = 500
_B, _L, _Q = backtests.c, trade_logs.c, past_questions.c
_TAKEN = (
    _B.id, _B.user_id, _B.content_key, _B.wish, _B.state, _B.beat_ms, _B.attempts, _B.stage, _B.stamp, _B.calls, _B.usd,
)  # fmt: skip
_OPEN = _B.state.in_(("queued", "running"))


def packed(result: dict[str, Any]) -> str:
    """*result* as its column keeps it; ValueError when it is too large."""
    data = json.dumps(result, separators=(",", ":"), allow_nan=False).encode()
    if len(data) > MOST_RESULT:
        raise ValueError("a result too large to be kept")
    return base64.b64encode(zlib.compress(data, 9)).decode()


def unpacked(text: str) -> dict[str, Any]:
    """The inverse of `packed`."""
    found: dict[str, Any] = json.loads(zlib.decompressobj().decompress(base64.b64decode(text), MOST_RESULT))
    return found


@dataclass(frozen=True, slots=True)
class SqlBacktestForms(BacktestForms):
    """Over *engine*."""

    engine: sa.Engine

    def ask(self, user_id: int, feed: str, wish: Wish, now_ms: int, note: Note | None = None) -> int | None:
        key, stage = wish.key(feed), "" if wish.kind in FREE else "prepare"
        values = {
            "user_id": user_id,
            "feed": feed,
            "symbol": wish.symbol,
            "since_ms": wish.since_ms,
            "until_ms": wish.until_ms,
            "content_key": key,
            "wish": wish_text(wish),
            "state": "queued",
            "stage": stage,
            "asked_ms": now_ms,
        }
        same_lane = _B.stage == "" if wish.kind in FREE else _B.stage != ""

        def work(connection: sa.Connection) -> int | None:
            living_user(connection, user_id)
            mine = sa.select(_B.id, _B.content_key).where(_B.user_id == user_id)
            again = mine.where(_B.content_key == key, _B.hidden_ms == 0, sa.or_(_OPEN, _B.state == "done"))
            if (known := connection.execute(again.order_by(_B.id.desc()).limit(1)).one_or_none()) is not None:
                return int(known.id)
            if connection.execute(mine.where(_OPEN, same_lane).limit(1)).one_or_none() is not None:
                return None
            if (connection.scalar(sa.select(sa.func.count()).where(_OPEN)) or 0) >= MOST_WAITING:
                raise Retry(codes.BACKTESTS_MANY())
            record(connection, note)
            made = connection.execute(sa.insert(backtests).values(values)).inserted_primary_key
            return int(made[0]) if made else None

        return transact(self.engine, work)

    def cancel(self, user_id: int, job_id: int, now_ms: int) -> bool:
        def work(connection: sa.Connection) -> bool:
            mine = sa.update(backtests).where(_B.id == job_id, _B.user_id == user_id)
            waits = mine.where(_B.state == "queued").values(state="cancelled", cancel_ms=now_ms, ended_ms=now_ms)
            runs = mine.where(_B.state == "running", _B.cancel_ms == 0).values(cancel_ms=now_ms)
            if counted(waits)(connection):
                connection.execute(sa.delete(past_questions).where(past_questions.c.job_id == job_id))
                return True
            return bool(counted(runs)(connection))

        return transact(self.engine, work)

    def hide(self, user_id: int, job_id: int, now_ms: int) -> bool:
        mine = sa.update(backtests).where(_B.id == job_id, _B.user_id == user_id, _B.hidden_ms == 0, ~_OPEN)
        return transact(self.engine, counted(mine.values(hidden_ms=now_ms, result=None, code_sha256=None))) == 1

    def share(self, user_id: int, job_id: int, code_sha256: str, most: int) -> bool:
        def work(connection: sa.Connection) -> bool:
            living_user(connection, user_id)
            shown = sa.select(sa.func.count()).where(
                _B.user_id == user_id, _B.code_sha256.is_not(None), _B.id != job_id
            )
            if (connection.scalar(shown) or 0) >= most:
                return False
            mine = sa.update(backtests).where(
                _B.id == job_id,
                _B.user_id == user_id,
                _B.state == "done",
                _B.hidden_ms == 0,
                _B.earned.is_not(None),  # a memory test is its owner's alone
            )
            return counted(mine.values(code_sha256=code_sha256))(connection) == 1

        return transact(self.engine, work)

    def unshare(self, user_id: int, job_id: int) -> bool:
        mine = sa.update(backtests).where(_B.id == job_id, _B.user_id == user_id, _B.code_sha256.is_not(None))
        return transact(self.engine, counted(mine.values(code_sha256=None))) == 1


@dataclass(frozen=True, slots=True)
class SqlBacktestBook(BacktestBook):
    """Over *engine*."""

    engine: sa.Engine

    def take(self, feed: str, now_ms: int) -> Job | None:
        silent = sa.and_(_B.state == "running", _B.beat_ms < now_ms - SILENT_MS)
        free = sa.select(*_TAKEN).where(_B.feed == feed, _B.stage != "asking", sa.or_(_B.state == "queued", silent))

        def work(connection: sa.Connection) -> Job | None:
            row = connection.execute(free.order_by(_B.id).limit(1)).one_or_none()
            if row is None:
                return None
            claimed = sa.update(backtests).where(_B.id == row.id, _B.state == row.state, _B.beat_ms == row.beat_ms)
            taken = counted(
                claimed.values(
                    state="running", started_ms=now_ms, beat_ms=now_ms, done=0, whole=0, attempts=_B.attempts + 1
                )
            )
            if taken(connection) != 1:
                return None
            if row.attempts >= MOST_ATTEMPTS:
                counted(
                    _over(row.id, {"state": "failed", "ended_ms": now_ms, "why": codes.BACKTEST_BROKE(how="again")})
                )(connection)
                return None
            told = (row.stage, row.stamp or "", row.calls, row.usd)
            return Job(row.id, row.user_id, feed, row.content_key, read_wish(row.wish), *told)

        return transact(self.engine, work)

    def beat(self, job_id: int, done: int, whole: int, now_ms: int) -> bool:
        wanted = sa.update(backtests).where(_B.id == job_id, _B.state == "running", _B.cancel_ms == 0)
        return transact(self.engine, counted(wanted.values(done=done, whole=whole, beat_ms=now_ms))) == 1

    def end(
        self, job_id: int, state: State, now_ms: int, answer: Answer | None = None, why: Reason | None = None
    ) -> None:
        values: dict[str, Any] = {"state": state, "ended_ms": now_ms, "why": why}
        if answer is not None:
            values |= {"result": packed(answer.result), "done": _B.whole}
            values |= {"earned": answer.earned} if "earned" in answer.result else {}

        def work(connection: sa.Connection) -> None:
            if counted(_over(job_id, values))(connection):
                connection.execute(sa.delete(past_questions).where(past_questions.c.job_id == job_id))

        transact(self.engine, work)

    def answered(self, key: str) -> Answer | None:
        query = sa.select(_B.result).where(_B.content_key == key, _B.result.is_not(None)).limit(1)
        text = transact(self.engine, lambda c: c.scalar(query), readonly=True)
        return None if text is None else Answer(unpacked(text))

    def recorded(self, job: Job) -> Iterator[Said]:
        return self._of_model(job) if job.wish.kind == "model" else self._of_account(job)

    def _of_account(self, job: Job) -> Iterator[Said]:
        wish, columns = (
            job.wish,
            (cycles.c.decision, cycles.c.prompt_tokens, cycles.c.completion_tokens, cycles.c.state),
        )
        query = (
            sa.select(_L.t_ms, *columns)
            .join(cycles, cycles.c.id == _L.cycle_id)
            .where(_L.user_id == job.user_id, _L.account_id == wish.account_id, _L.symbol == wish.symbol)
            .where(cycles.c.feed == job.feed)
            .where(_L.t_ms >= sa.bindparam("after"), _L.t_ms < wish.until_ms)
            .order_by(_L.t_ms)
            .limit(A_PIECE)
        )
        after = wish.since_ms
        while rows := self._read(query, after):
            for row in rows:
                tokens = row.prompt_tokens + row.completion_tokens
                yield Said(row.t_ms, read_decision(row.decision), tokens, row.state == "failed")
                after = row.t_ms + 1

    def _of_model(self, job: Job) -> Iterator[Said]:
        query = _answers(job.job_id, (_Q.t_ms,)).where(_Q.t_ms >= sa.bindparam("after"))
        query, after = query.order_by(_Q.t_ms).limit(A_PIECE), 0
        while rows := self._read(query, after):
            for row in rows:
                yield Said(row.t_ms, _view(row), row.tokens or 0, row.state != "answered")
                after = row.t_ms + 1

    def write_questions(self, job: Job, questions: Sequence[PastQuestion]) -> None:
        rows = [
            {
                "job_id": job.job_id, "seq": one.seq, "user_id": job.user_id, "t_ms": one.t_ms, "again": one.again,
                "version": one.prompt.answer_version, "prompt": packed_prompt(one.prompt),
            }
            for one in questions
        ]  # fmt: skip

        def work(connection: sa.Connection) -> None:
            runs = sa.select(_B.id).where(_B.id == job.job_id, _B.state == "running", _B.cancel_ms == 0)
            if rows and connection.scalar(runs) is not None:
                from_ = min(one.seq for one in questions)
                before = sa.delete(past_questions).where(_Q.job_id == job.job_id, _Q.seq >= from_)
                connection.execute(before)
                connection.execute(sa.insert(past_questions), rows)

        transact(self.engine, work)

    def prepared(self, job: Job, now_ms: int) -> None:
        values = {"stage": "asking", "state": "queued", "beat_ms": now_ms, "done": 0}
        mine = sa.update(backtests).where(_B.id == job.job_id, _B.state == "running", _B.stage == "prepare")
        transact(self.engine, counted(mine.where(_B.cancel_ms == 0).values(values)))

    def tested(self, job: Job, asks: int) -> list[list[Decision | Abstained | None]]:
        query = _answers(job.job_id, (_Q.seq,)).order_by(_Q.seq)
        rows = transact(self.engine, lambda c: list(c.execute(query).all()), readonly=True)
        views = [_view(row) if row.state == "answered" else None for row in rows]
        return [views[at : at + asks] for at in range(0, len(views), asks)]

    def keep_test(self, job: Job, asked: str, windows: int, badges: Sequence[Reason], now_ms: int) -> None:
        wish = job.wish
        place = {"user_id": job.user_id, "version_id": wish.version_id, "model": wish.model}
        told = {"asked": asked[:100], "tested_ms": now_ms, "windows": windows}
        told |= {"badges": json.dumps([stored(one) for one in badges])}

        def work(connection: sa.Connection) -> None:
            mine = [memory_tests.c[name] == value for name, value in place.items()]
            connection.execute(sa.delete(memory_tests).where(*mine))
            connection.execute(sa.insert(memory_tests).values(place | told))

        transact(self.engine, work)

    def _read(self, query: sa.Select[Any], after: int) -> list[Any]:
        return transact(self.engine, lambda c: list(c.execute(query, {"after": after}).all()), readonly=True)


def _answers(job_id: int, columns: "Sequence[sa.Column[int]]") -> sa.Select[Any]:
    """What became of the questions of a job."""
    wanted = (*columns, past_answers.c.decision, past_answers.c.tokens, past_answers.c.state)
    joined = past_questions.outerjoin(past_answers, past_answers.c.id == _Q.answer_id)
    return sa.select(*wanted).select_from(joined).where(_Q.job_id == job_id)


def _view(row: Any) -> Decision | Abstained:
    return Abstained(codes.ANALYST_TIMEOUT()) if row.decision is None else read_decision(row.decision)


def _over(job_id: int, values: dict[str, Any]) -> sa.Update:
    return sa.update(backtests).where(_B.id == job_id, _B.state == "running").values(values)
