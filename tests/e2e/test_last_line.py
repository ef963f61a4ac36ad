"""Nothing ends without a line: every process, given what cannot work, says why in one and ends with a status."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.bootstrap import last_line
from lib.domain.errors import Halt, Retry
from tests.torture.forks import ran

pytestmark = [pytest.mark.e2e]

ROOT = Path(__file__).resolve().parents[2]
STRANGERS = "verify_record.py"
"""No process of ours: a file that strangers take away."""
PROCESSES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    for folder in ("services", "app")
    for path in (ROOT / folder).rglob("*.py")
    if path.name != STRANGERS and '__name__ == "__main__"' in path.read_text(encoding="utf-8")
)
ENDINGS = {"run_process", "last_line"}


INHERITED = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}


def ended(module: str, *words: str, **env: str) -> tuple[int, list[str], str]:
    """(exit status, lines of standard error, standard output) of *module* run with *words*."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=ROOT,
        env=INHERITED | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.splitlines(), done.stdout


@pytest.mark.parametrize("module", PROCESSES)
def test_every_process_ends_through_the_one_place_that_says_why(module: str) -> None:
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    started = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)]
    called = {ast.unparse(call.func).split(".")[-1] for call in ast.walk(started[0]) if isinstance(call, ast.Call)}
    assert called & ENDINGS


AWAY = {"DATABASE_URL": "sqlite:////nowhere/maemae.db", "REDIS_URL": "redis://127.0.0.1:1/0", "INSTALLATION": "ab12"}
BAD = [
    ("services.replay", ["--symbol", "DOGEUSDT"], {}, 78, "DOGEUSDT cannot be simulated"),
    ("services.replay", ["--file", "/nowhere/a.csv"], {}, 78, "candle file /nowhere/a.csv: cannot be read"),
    ("services.replay", ["--users", "99999999999999999999"], {}, 2, "a whole number from 1 to 9999"),
    ("services.replay", ["--days", "0"], {}, 2, "a whole number from 1 to 9999"),
    ("services.replay", ["--symbol", "BTC USDT"], {}, 2, "a symbol such as BTCUSDT"),
    ("services.replay", ["--file", "README.md"], {}, 78, "candle file README.md: line"),
    ("services.replay", [], {"LOG_LEVEL": "LOUD"}, 78, "LOG_LEVEL='LOUD'"),
    ("services.candles", ["--file", "/nowhere/a.csv"], {}, 78, "candle file /nowhere/a.csv: cannot be read"),
    ("services.backtest", ["--from", "2024-01-01"], {}, 78, "the library has no candle of BTCUSDT then"),
    ("services.candles", ["--from", "yesterday"], {}, 2, "invalid fromisoformat value"),
    ("services.replay", ["--picture", "/dev/null/a.png"], {}, 78, "/dev/null cannot be used: File exists"),
    ("services.grid", ["--file", "/nowhere/a.csv"], {}, 78, "candle file /nowhere/a.csv: cannot be read"),
    ("services.grid", ["--time-stop", "1"], {}, 78, "no strategy may have these rules"),
    ("services.grid", ["--confidence", "0:1:0.0001", "--risk", "0:1:0.01"], {}, 78, "1,010,101 combinations are more"),
    ("services.grid", ["--confidence", "0.9:0.1:0.1"], {}, 2, "is no range: from:to:step"),
    ("services.grid", ["--leverage", "1.5"], {}, 2, "whole numbers from 1 to 125"),
    ("services.grid", ["--side", "short"], {}, 2, "both, long, or both,long"),
    ("services.grid", ["--level", "wild"], {}, 2, "invalid _levels value: 'wild'"),
    ("services.grid", [], {}, 78, "there are no candles"),
    ("services.memory", ["--file", "/nowhere/a.csv", "--rules"], {}, 78, "candle file /nowhere/a.csv: cannot be read"),
    ("services.memory", ["--file", "/nowhere/a.csv"], {}, 78, "OPENAI_API_KEY is missing"),
    ("services.memory", ["--windows", "0"], {}, 2, "a whole number from 1 to 100000"),
    ("services.memory", ["--most-usd", "-1"], {}, 2, "USD above 0"),
    ("services.mcp", ["--token-file", "/nowhere/token"], {}, 78, "/nowhere/token cannot be read: FileNotFoundError"),
    ("services.mcp", ["--token-file", "README.md"], {}, 78, "README.md must hold a personal token"),
    ("services.control", ["status"], AWAY, 78, "the folder /nowhere does not exist"),
    ("services.control", ["--local", "status"], {"DATA_DIR": "/dev/null"}, 78, "/dev/null cannot be used: File exists"),
    ("services.control", ["stop", "--account", "0"], AWAY, 2, "an account's number"),
    ("services.local", [], {"DATA_DIR": "/dev/null"}, 78, "/dev/null cannot be used: File exists"),
    ("services.migrate", [], AWAY, 78, "the folder /nowhere does not exist"),
    ("services.collector", [], AWAY, 1, "collector: "),
    ("services.trader", [], AWAY, 78, "ENCRYPTION_KEY is missing"),
    ("services.simulator", [], {"DATA_DIR": "/dev/null"}, 78, "/dev/null/simulator cannot be used: Not a directory"),
    ("services.simulator", [], {"FEED": "replay:/nowhere/a.csv"}, 78, "cannot read the candle file /nowhere/a.csv"),
    ("services.simulator", [], {"SYMBOLS": "DOGEUSD"}, 78, "DOGEUSD cannot be simulated"),
    ("services.watch", [], AWAY, 78, "the folder /nowhere does not exist"),
    ("app.server", [], AWAY, 78, "ENCRYPTION_PUBLIC_KEY is missing"),
]


@pytest.mark.parametrize(("module", "words", "env", "status", "why"), BAD)
def test_what_cannot_work_is_one_line_on_standard_error(
    tmp_path: Path, module: str, words: list[str], env: dict[str, str], status: int, why: str
) -> None:
    code, _, told = ran(tmp_path, module, *words, env=INHERITED | {"DATA_DIR": str(tmp_path), **env})
    lines = told.splitlines()
    assert code == status
    assert why in lines[-1]
    assert status == 2 or len(lines) == 1


def test_a_bug_is_told_even_where_the_log_is_silent(tmp_path: Path) -> None:
    bug = "from lib import log; log.setup('replay', 'text', 'CRITICAL'); raise KeyError('a bug')"
    (tmp_path / "broken.py").write_text(bug)
    code, _, told = ended("broken", PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}")
    assert code == 1
    assert "process.died" in told
    assert "KeyError: 'a bug'" in told


@pytest.mark.parametrize(
    ("trouble", "status", "line"),
    [
        (Halt("the setting\nis wrong"), 78, "x: the setting is wrong"),
        (Retry("the database is away"), 1, "x: the database is away"),
        (KeyboardInterrupt(), 130, "x: interrupted"),
        (OSError(28, "No space left on device", "/a/b"), 1, "x: /a/b cannot be used: No space left on device"),
        (
            FileNotFoundError(2, "No such file or directory", "/a/b"),
            78,
            "x: /a/b cannot be used: No such file or directory",
        ),
    ],
)
def test_each_ending_has_its_line_and_status(
    capsys: pytest.CaptureFixture[str], trouble: BaseException, status: int, line: str
) -> None:
    with pytest.raises(SystemExit) as ending, last_line("x"):
        raise trouble
    assert ending.value.code == status
    assert capsys.readouterr().err == f"{line}\n"


def test_trouble_that_is_no_file_stays_a_bug() -> None:
    with pytest.raises(OSError, match="reset"), last_line("x"):
        raise ConnectionResetError("reset")
