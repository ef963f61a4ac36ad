"""
The book of models asked about the past over SQL: `lib.ports.past.PastBook`. One short transaction a method, behind the
ledger's own.

A call is written down before it is made, with what it may cost, so that neither a kill nor another process makes the
budget larger; one whose process ended before the answer came stays counted at that, and may be made again. Answers
belong to questions by the hash of everything that was said. What is over changes no more.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.analysis import decision_json
from lib.adapters.sql.ledger.cycles import spent_on
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.ledger.rows import insert_once
from lib.adapters.sql.tables.backtests import backtests
from lib.adapters.sql.tables.past import past_answers, past_questions
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.backtests import read_wish
from lib.domain.day import midnight_before
from lib.domain.decimals import plain
from lib.domain.decision import Decision, answer_version
from lib.domain.model_profile import ModelProfile
from lib.domain.position import ZERO
from lib.domain.quarantine import MOST_TRIES, DayUse, PastQuestion, Use
from lib.domain.reason import Reason
from lib.ports.past import PastBook, PastCall, PastJob

SILENT_MS = 60_000
"""How long nothing is heard of a job's process until the job is another's."""
LOST_MS = 120_000
"""How long a call is waited for before its process counts as ended."""
MOST_PROMPT = 256 * 1024
_B, _Q, _A = backtests.c, past_questions.c, past_answers.c


def packed(prompt: Prompt) -> str:
    """The two messages as their column keeps them."""
    data = json.dumps([prompt.system, prompt.user], ensure_ascii=False).encode()
    return base64.b64encode(zlib.compress(data, 6)).decode()


def unpacked(text: str, version: int) -> Prompt:
    """The inverse of `packed`."""
    system, user = json.loads(zlib.decompressobj().decompress(base64.b64decode(text), MOST_PROMPT))
    return Prompt(system, user, "", answer_version(version))


class SqlPastBook(PastBook):
    """Over *ledger*'s transactions."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger

    async def take(self, feed: str, now_ms: int) -> PastJob | None:
        if not await self._ledger.survey(lambda c: _next(c, feed, now_ms)):
            return None  # nothing is written where nothing waits
        return await self._ledger.note(lambda c: _taken(c, feed, now_ms))

    async def beat(self, job_id: int, now_ms: int) -> bool:
        done, whole = await self._ledger.survey(lambda c: _progress(c, job_id))
        values = {"beat_ms": now_ms, "done": done, "whole": whole}
        return await self._ledger.note(lambda c: _changed(c, job_id, values, _B.cancel_ms == 0))

    async def put_back(self, job_id: int, now_ms: int) -> None:
        values = {"state": "queued", "beat_ms": now_ms}
        await self._ledger.note(lambda c: _changed(c, job_id, values, _B.cancel_ms == 0))

    async def stamp(self, job_id: int, told: Mapping[str, object]) -> None:
        text = json.dumps(told, ensure_ascii=False)
        await self._ledger.note(lambda c: _changed(c, job_id, {"stamp": text}))

    async def open_questions(self, job_id: int, most: int) -> Sequence[PastQuestion]:
        return await self._ledger.survey(lambda c: _open(c, job_id, most))

    async def known(self, job_id: int, keys: Mapping[int, str], now_ms: int) -> set[int]:
        found = await self._ledger.survey(lambda c: _answered(c, keys))
        if found:
            await self._ledger.note(lambda c: _linked(c, job_id, found, now_ms))
        return set(found)

    async def used(self, job: PastJob, profile: ModelProfile, owner_id: int, now_ms: int) -> DayUse:
        return await self._ledger.survey(lambda c: _used(c, job.user_id, profile.name, owner_id, now_ms))

    async def claim(self, call: PastCall, now_ms: int) -> bool:
        return await self._ledger.note(lambda c: _claimed(c, call, now_ms))

    async def conclude(self, call: PastCall, answer: AnalystAnswer, now_ms: int) -> None:
        await self._ledger.note(lambda c: _concluded(c, call, answer, now_ms))

    async def asked(self, job_id: int, now_ms: int) -> None:
        values = {"stage": "replay", "state": "queued", "beat_ms": now_ms, "done": _B.whole}
        await self._ledger.note(lambda c: _changed(c, job_id, values, _B.cancel_ms == 0))

    async def end(self, job_id: int, state: str, now_ms: int, why: Reason | None = None) -> None:
        values = {"state": state, "ended_ms": now_ms, "why": why}
        await self._ledger.note(lambda c: _ended(c, job_id, values))


def _waiting(feed: str, now_ms: int) -> "sa.Select[Any]":
    silent = sa.and_(_B.state == "running", _B.beat_ms < now_ms - SILENT_MS)
    free = sa.select(_B.id, _B.user_id, _B.wish, _B.state, _B.beat_ms, _B.calls, _B.usd)
    free = free.where(_B.feed == feed, _B.stage == "asking", sa.or_(_B.state == "queued", silent))
    return free.order_by(_B.beat_ms, _B.id).limit(1)


def _next(connection: sa.Connection, feed: str, now_ms: int) -> bool:
    return connection.execute(_waiting(feed, now_ms)).one_or_none() is not None


def _taken(connection: sa.Connection, feed: str, now_ms: int) -> PastJob | None:
    row = connection.execute(_waiting(feed, now_ms)).one_or_none()
    if row is None:
        return None
    same = (_B.state == row.state, _B.beat_ms == row.beat_ms, _B.stage == "asking")
    mine = sa.update(backtests).where(_B.id == row.id, *same).values(state="running", beat_ms=now_ms)
    if connection.execute(mine).rowcount != 1:
        return None
    return PastJob(row.id, row.user_id, read_wish(row.wish), row.calls, row.usd)


def _changed(
    connection: sa.Connection, job_id: int, values: Mapping[str, Any], *which: "sa.ColumnElement[bool]"
) -> bool:
    mine = sa.update(backtests).where(_B.id == job_id, _B.state == "running", _B.stage == "asking", *which)
    return connection.execute(mine.values(values)).rowcount == 1


def _ended(connection: sa.Connection, job_id: int, values: Mapping[str, Any]) -> None:
    if _changed(connection, job_id, values):
        connection.execute(sa.delete(past_questions).where(_Q.job_id == job_id))


def _progress(connection: sa.Connection, job_id: int) -> tuple[int, int]:
    open_ = sa.and_(_Q.answer_id.is_(None), _Q.tries < MOST_TRIES)
    count, left = sa.func.count(), sa.func.coalesce(sa.func.sum(sa.case((open_, 1), else_=0)), 0)
    row = connection.execute(sa.select(count, left).where(_Q.job_id == job_id)).one()
    return int(row[0] - row[1]), int(row[0])


def _open(connection: sa.Connection, job_id: int, most: int) -> list[PastQuestion]:
    query = sa.select(_Q.seq, _Q.t_ms, _Q.again, _Q.version, _Q.prompt).where(
        _Q.job_id == job_id, _Q.answer_id.is_(None), _Q.tries < MOST_TRIES
    )
    rows = connection.execute(query.order_by(_Q.seq).limit(most)).all()
    return [PastQuestion(row.seq, row.t_ms, unpacked(row.prompt, row.version), row.again) for row in rows]


def _answered(connection: sa.Connection, keys: Mapping[int, str]) -> dict[int, int]:
    """By place the number of the answer that is there."""
    query = sa.select(_A.key_sha256, _A.id).where(_A.key_sha256.in_(keys.values()), _A.state == "answered")
    there = {row[0]: row[1] for row in connection.execute(query)} if keys else {}
    return {seq: there[key] for seq, key in keys.items() if key in there}


def _linked(connection: sa.Connection, job_id: int, found: Mapping[int, int], now_ms: int) -> None:
    for seq, answer_id in found.items():
        mine = sa.update(past_questions).where(_Q.job_id == job_id, _Q.seq == seq)
        connection.execute(mine.values(answer_id=answer_id))
    connection.execute(sa.update(past_answers).where(_A.id.in_(found.values())).values(used_ms=now_ms))


def _used(connection: sa.Connection, user_id: int, name: str, owner_id: int, now_ms: int) -> DayUse:
    money = (sa.type_coerce(column, sa.Text()) for column in (_A.usd, _A.reserved_usd))
    query = sa.select(_A.user_id, _A.owner_id, _A.name, _A.calls, _A.unpriced, *money)
    rows = connection.execute(query.where(_A.asked_ms >= midnight_before(now_ms))).all()
    spent = [(row, Decimal(row[5]) + Decimal(row[6])) for row in rows]
    whole = sum((usd for row, usd in spent if (row.owner_id, row.name) == (owner_id, name)), ZERO)
    model = whole + spent_on(connection, owner_id, name, now_ms)
    mine = [(row, usd) for row, usd in spent if row.user_id == user_id]
    return DayUse(_summed(mine), _summed(spent), plain(model))


def _summed(rows: Iterable[tuple[Any, Decimal]]) -> Use:
    listed = list(rows)
    usd = sum((usd for row, usd in listed if not row.owner_id), ZERO)
    unpriced = sum(row.unpriced for row, _ in listed if not row.owner_id)
    return Use(sum(row.calls for row, _ in listed), plain(usd), unpriced)


def _claimed(connection: sa.Connection, call: PastCall, now_ms: int) -> bool:
    reserve = {"reserved_usd": call.reserve, "asked_ms": now_ms, "used_ms": now_ms, "state": "asked"}
    unpriced = 0 if call.profile.prices.known else 1
    first = {
        "key_sha256": call.key, "user_id": call.job.user_id, "owner_id": call.owner_id, "name": call.profile.name,
        "calls": 1, "unpriced": unpriced,
    }  # fmt: skip
    if not insert_once(connection, past_answers, first | reserve):
        query = sa.select(past_answers).where(_A.key_sha256 == call.key).with_for_update()
        row = connection.execute(query).mappings().one()
        if row["state"] == "answered" or (row["state"] == "asked" and row["asked_ms"] > now_ms - LOST_MS):
            return False
        again = {
            "usd": row["usd"] + row["reserved_usd"], "calls": row["calls"] + 1, "unpriced": row["unpriced"] + unpriced,
            "user_id": call.job.user_id,
        }  # fmt: skip
        connection.execute(sa.update(past_answers).where(_A.id == row["id"]).values(again | reserve))
    return _charged(connection, call.job.job_id, 1, call.reserve)


def _charged(connection: sa.Connection, job_id: int, calls: int, usd: Decimal) -> bool:
    row = connection.execute(sa.select(_B.calls, _B.usd).where(_B.id == job_id).with_for_update()).one()
    values = {"calls": row.calls + calls, "usd": max(row.usd + usd, ZERO)}
    connection.execute(sa.update(backtests).where(_B.id == job_id).values(values))
    return True


def _concluded(connection: sa.Connection, call: PastCall, answer: AnalystAnswer, now_ms: int) -> None:
    row = connection.execute(sa.select(past_answers).where(_A.key_sha256 == call.key).with_for_update()).mappings()
    found = row.one()
    cost = answer.cost or ZERO
    said = replace(answer.decision, reason="") if isinstance(answer.decision, Decision) else answer.decision
    values = {
        "state": "failed" if answer.failed else "answered", "decision": decision_json(said), "used_ms": now_ms,
        "tokens": answer.prompt_tokens + answer.completion_tokens, "usd": found["usd"] + cost, "reserved_usd": ZERO,
    }  # fmt: skip
    if found["state"] != "answered":
        connection.execute(sa.update(past_answers).where(_A.id == found["id"]).values(values))
    mine = sa.update(past_questions).where(_Q.job_id == call.job.job_id, _Q.seq == call.question.seq)
    if answer.failed:
        connection.execute(mine.values(tries=_Q.tries + 1))
    else:
        connection.execute(mine.values(answer_id=found["id"]))
    _charged(connection, call.job.job_id, 0, cost - call.reserve)
