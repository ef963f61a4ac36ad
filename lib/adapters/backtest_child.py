"""
One backtest worked out in a process of its own: `python -m services.backtester`, which is handed a question and the
answers it is about through a pipe and tells lines back.

The child has the secrets of its row in `lib.process_table` and no others: no database, no key. When this process ends,
however it ends, the pipe does, and the child with it. A line that is none of ours, one too long, or an end without a
word is a broken backtest and nothing more; one that was killed is *Retry*.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from lib.adapters.sql.ledger.analysis import decision_json
from lib.domain import reason_codes as codes
from lib.domain.analyst_call import Prompt
from lib.domain.backtests import Wish, wish_text
from lib.domain.decision import answer_version
from lib.domain.errors import Retry
from lib.domain.quarantine import PastQuestion, Stage
from lib.domain.stored_reason import parse
from lib.ports.backtests import Answer, BacktestWorker, Heard, Said
from lib.process_table import PROCESSES, narrowed

NAME = "backtester"
LONGEST = 8 * 1024 * 1024
"""Bytes of a line at most: a whole result is one."""
A_PIECE = 200
ENDS_S = 2.0
END_OF_SAID = "."
PREPARE = "?"
"""Before a question whose own questions are wanted."""


class BacktestChild(BacktestWorker):
    """A child with *env*, narrowed; *command* starts it."""

    def __init__(self, env: Mapping[str, str], command: Sequence[str] = ()) -> None:
        self._env = narrowed(NAME, env)
        self._command = tuple(command) or (sys.executable, "-m", PROCESSES[NAME].module)

    async def work(self, wish: Wish, said: Iterable[Said], stage: Stage = "") -> AsyncIterator[Heard]:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, env=self._env, limit=LONGEST
        )
        telling = asyncio.ensure_future(
            _tell(child.stdin, f"{PREPARE if stage == 'prepare' else ''}{wish_text(wish)}", said)
        )
        try:
            async for one in _heard(child.stdout):
                yield one
                if not isinstance(one, tuple | list):
                    return
            status = await child.wait()
            if status < 0:  # killed: nothing was wrong with the question, which is begun anew
                raise Retry(codes.BACKTEST_BROKE(how=f"signal {-status}"))
            yield codes.BACKTEST_BROKE(how=f"status {status}")
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            await _ended(child)


async def _tell(pipe: asyncio.StreamWriter | None, question: str, said: Iterable[Said]) -> None:
    """The question, then every answer, read piece by piece in a thread; the pipe stays open: it is the child's life."""
    if pipe is None:
        return
    with contextlib.suppress(ConnectionError):
        pipe.write(f"{question}\n".encode())
        rows = iter(said)
        while piece := await asyncio.to_thread(lambda: list(islice(rows, A_PIECE))):
            pipe.write("".join(f"{_line(one)}\n" for one in piece).encode())
            await pipe.drain()
        pipe.write(f"{END_OF_SAID}\n".encode())
        await pipe.drain()


def _line(said: Said) -> str:
    return json.dumps([said.t_ms, decision_json(said.decision), said.tokens, said.failed], separators=(",", ":"))


async def _heard(pipe: asyncio.StreamReader | None) -> AsyncIterator[Heard]:
    while pipe is not None:
        try:
            line = await pipe.readline()
            if not line:
                return
            heard = heard_in(line.decode())
        except (ValueError, TypeError, KeyError, ArithmeticError):
            yield codes.BACKTEST_BROKE(how="an odd line")
            return
        yield heard


def heard_in(line: str) -> Heard:
    """What a line of the child says; an error of value, type or key for one of somebody else."""
    told: dict[str, Any] = json.loads(line)
    if "result" in told:
        return Answer(dict(told["result"]))
    if "why" in told:
        return parse(told["why"])
    if "ask" in told:
        return [question_of(one) for one in told["ask"]]
    done, whole = told["at"]
    return int(done), int(whole)


def told_of(one: PastQuestion) -> list[object]:
    """A question as a line holds it."""
    said = one.prompt
    return [one.seq, one.t_ms, one.again, said.answer_version, said.system, said.user]


def question_of(told: Sequence[Any]) -> PastQuestion:
    """The inverse of `told_of`."""
    seq, t_ms, again, version, system, user = told
    return PastQuestion(int(seq), int(t_ms), Prompt(str(system), str(user), "", answer_version(version)), int(again))


async def _ended(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.kill()  # it has nothing to lose
    with contextlib.suppress(TimeoutError):
        # what it still had to say is read, so that the pipe is at its end and closed
        await asyncio.wait_for(asyncio.gather(child.wait(), _drained(child.stdout)), ENDS_S)


async def _drained(pipe: asyncio.StreamReader | None) -> None:
    while pipe is not None and await pipe.read(LONGEST):
        continue
