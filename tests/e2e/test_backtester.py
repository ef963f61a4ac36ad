"""The child that works a backtest out: asked through a pipe, without a database, gone when whoever asked is."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from lib.adapters import backtest_child
from lib.adapters.backtest_child import BacktestChild, heard_in, told_of
from lib.adapters.candle_shelf import ParquetShelf
from lib.bootstrap.backtester import prepared, worked_out
from lib.domain import reason_codes as codes
from lib.domain.backtests import Wish
from lib.domain.candle import MINUTE_MS
from lib.domain.day import DAY_MS
from lib.domain.decision import Decision
from lib.domain.errors import Retry
from lib.domain.months import month_span
from lib.domain.quarantine import PastQuestion, asked_as
from lib.domain.strategy import DESIGN, written
from lib.evidence.account import Heard as Told
from lib.market.library import Library
from lib.ports.backtests import Answer, Heard, Said
from tests.evidence.walks import wandering
from tests.fakes.market import ScriptedMarket, SetClock

pytestmark = [pytest.mark.e2e]

BEGIN, _ = month_span("2024-02")
WISH = Wish("rules", "BTCUSDT", BEGIN, BEGIN + 2 * DAY_MS)
ROOT = Path(__file__).resolve().parents[2]
D = Decimal


def prices(minutes: int) -> list:  # type: ignore[type-arg]
    return [
        replace(one, open_time=BEGIN - 30 * MINUTE_MS + n * MINUTE_MS) for n, one in enumerate(wandering(3, minutes))
    ]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    market = ScriptedMarket(SetClock(BEGIN + 3 * DAY_MS), prices(3 * 1_440))
    return Library(ParquetShelf(tmp_path / "candles", "bybit"), market, "rest here", market.clock, lambda _: None)


def test_rules_over_days_that_are_fetched_come_to_a_whole_report(library: Library) -> None:
    seen: list[tuple[int, int]] = []

    def tell(done: int, whole: int) -> bool:
        seen.append((done, whole))
        return True

    answer = worked_out(WISH, {}, library, tell)
    assert isinstance(answer, Answer)
    told = answer.result
    assert told["asked"] == 2 * 288
    assert told["missing"] == 0
    assert told["sources"] == ["rest here"]
    assert [month for month, _ in told["months"]] == ["2024-01", "2024-02"]
    assert sum(told["outcomes"].values()) == told["asked"]
    assert len(told["trades"]) == told["trips"] > 0
    earned = sum(D(trade[6]) for trade in told["trades"])
    booked = D(told["realised"]) - D(told["fees"]) + D(told["funding"])
    assert abs(booked - earned) < 20, "what is open has paid a fee"
    assert told["points"][0][1:] == ["10000.00", "10000.00"]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert worked_out(WISH, {}, library, tell) == answer, "the same question, the same answer"


def test_recorded_answers_under_other_limits_cost_no_call(library: Library) -> None:
    view = Decision("buy", D("0.66"), 5, "", D("0.01"), D("0.02"))
    said = {BEGIN + n * 3_600_000: Told(view) for n in range(24)}
    wish = replace(WISH, kind="answers", account_id=1)
    taken = worked_out(wish, said, library, lambda done, whole: True)
    refused = worked_out(replace(wish, confidence=D("0.7")), said, library, lambda done, whole: True)
    assert isinstance(taken, Answer)
    assert isinstance(refused, Answer)
    assert taken.result["asked"] == 24
    assert taken.result["outcomes"].get("bought", 0) > 0
    assert refused.result["trips"] == 0
    assert refused.earned == 0


def test_what_a_model_is_to_be_asked_goes_over_the_pipe_as_it_is(library: Library) -> None:
    content = written(asked_as(DESIGN, "default"))
    one = replace(WISH, kind="model", content=content, language="en", model="default", cadence_min=60)
    told: list[PastQuestion] = []

    def ask(some: list[PastQuestion]) -> bool:
        told.extend(some)
        return True

    end = prepared(one, library, lambda done, whole: True, ask)
    assert end == Answer({"questions": 48})
    assert len(told) == 48
    lines = json.dumps({"ask": [told_of(question) for question in told]})
    assert heard_in(lines) == told
    early = replace(one, since_ms=BEGIN - 400 * DAY_MS, until_ms=BEGIN - 399 * DAY_MS)
    assert prepared(early, library, lambda *_: True, lambda _: True) == codes.BACKTEST_NO_CANDLES(symbol="BTCUSDT")


def test_what_cannot_be_replayed_says_why(library: Library) -> None:
    early = replace(WISH, since_ms=BEGIN - 400 * DAY_MS, until_ms=BEGIN - 399 * DAY_MS)
    assert worked_out(early, {}, library, lambda *_: True) == codes.BACKTEST_NO_CANDLES(symbol="BTCUSDT")
    nothing = replace(WISH, kind="answers", account_id=1)
    assert worked_out(nothing, {}, library, lambda *_: True) == codes.BACKTEST_NO_DECISION()
    library.market.down = True  # type: ignore[attr-defined]
    with pytest.raises(Retry):
        worked_out(replace(early, since_ms=early.since_ms - 90 * DAY_MS), {}, library, lambda *_: True)


async def heard(child: BacktestChild, wish: Wish = WISH, said: tuple[Said, ...] = ()) -> list[Heard]:
    return [one async for one in child.work(wish, said)]


def scripted(text: str) -> BacktestChild:
    return BacktestChild({"PATH": os.environ["PATH"]}, (sys.executable, "-c", text))


async def test_the_child_reads_question_and_answers_and_tells_until_its_end() -> None:
    text = (
        "import sys\nlines=[sys.stdin.readline()]\n"
        "while lines[-1].strip()!='.': lines.append(sys.stdin.readline())\n"
        'print(\'{"at":[1,\'+str(len(lines))+\']}\')\nprint(\'{"result":{"earned":"0.5"}}\')\n'
    )
    said = tuple(Said(n, Decision("hold", D(0), 1, "", D(0), D(0)), 3, False) for n in range(500))
    assert await heard(scripted(text), said=said) == [(1, 502), Answer({"earned": "0.5"})]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "import sys; sys.exit(3)",
        "print('hello')",
        "print('[1]')",
        "print('{\"at\":1}')",
    ],
)
async def test_an_odd_child_is_a_broken_backtest_and_nothing_more(text: str) -> None:
    [end] = await heard(scripted(text))
    assert not isinstance(end, Answer | tuple | list)
    assert end.code == "backtest_broke"


async def test_a_child_that_was_killed_is_begun_anew() -> None:
    with pytest.raises(Retry):
        await heard(scripted("import os; os.kill(os.getpid(), 9)"))


async def test_a_line_too_long_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest_child, "LONGEST", 1_000)
    [end] = await heard(scripted("print('x'*100000)"))
    assert not isinstance(end, Answer | tuple)


async def test_who_goes_on_no_longer_ends_the_child(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    text = (
        f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid()))\n"
        "print('{\"at\":[0,1]}', flush=True)\ntime.sleep(60)"
    )
    listening: AsyncIterator[Heard] = scripted(text).work(WISH, ())
    assert await anext(listening) == (0, 1)
    await listening.aclose()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


@pytest.mark.parametrize("line", ["", "null", "1", '{"at":[1]}', '{"result":1}', "{", '{"at":["a","b"]}'])
def test_lines_of_somebody_else_are_refused(line: str) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        heard_in(line)


@pytest.fixture
def environment(tmp_path: Path, library: Library) -> dict[str, str]:
    library.fill("BTCUSDT", (BEGIN - DAY_MS, BEGIN + 3 * DAY_MS))
    # the clock of the child is today's: what is missing of the month is asked for, and nobody is there to be asked
    return {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "FEED": "bybit", "DATA_DIR": str(tmp_path),
        "BYBIT_API_URL": "http://127.0.0.1:9", "DATABASE_URL": "sqlite:////nowhere/x.db", "ENCRYPTION_KEY": "secret",
    }  # fmt: skip


async def test_the_real_child_says_that_the_feed_is_away_and_is_killed_with_its_parent(
    environment: dict[str, str],
) -> None:
    child = BacktestChild(environment)
    assert "DATABASE_URL" not in child._env
    assert "ENCRYPTION_KEY" not in child._env
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.backtester", env=child._env, cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 60) != -signal.SIGKILL, "it ends by itself when nobody asks any more"
