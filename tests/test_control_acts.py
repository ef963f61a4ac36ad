"""What the command line does is among the operators' acts: who, what and how it ended, and nothing secret."""

import argparse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from lib import log
from lib.adapters.sql.forms.arena_book import SqlArenaSeasons
from lib.adapters.sql.forms.terminal_acts import SqlTerminalActs
from lib.adapters.sql.tables.operating import operator_acts
from lib.clock import SteppedClock, SystemClock
from lib.domain import reason_codes as codes
from lib.domain.arena import Rules
from lib.domain.errors import Retry
from lib.domain.gates import FOREVER_MS
from lib.domain.operator_act import ActRow
from lib.domain.reason import NOTHING, text
from lib.queries import OperatingReadings
from services import control
from tests.contract.ledger_worlds import SqlWorld
from tests.contract.test_ledger import trading_account
from tests.factories import T
from tests.fakes.market import MemoryCandleStore
from tests.log_state import logs_put_back

MAIL = "kim@example.test"
ACTS: dict[str, list[str]] = {
    "stop": ["stop", "--account", "1", "--timeout", "0"],
    "flatten": ["flatten", "--all", "--timeout", "0"],
    "resume": ["resume", "--account", "1"],
    "unlock": ["unlock", "drawdown", "--account", "1"],
    "set": ["set", "registration", "closed", "--why", "full"],
    "invite": ["invite", "--count", "2", "--days", "3"],
    "banner": ["banner", "--ko", "점검", "--en", "Maintenance"],
    "limit": ["limit", "max_exposure", "1000", "--why", "quiet"],
    "arena-begin": ["arena-begin", "--why", "spring"],
    "arena-end": ["arena-end", "--why", "a rule was wrong"],
    "real-cap": ["real-cap", "1", "1000", "1", "100", "--why", "first week"],
    "operator": ["operator", "grant", MAIL],
    "reset-link": ["reset-link", MAIL],
    "model": ["model", "fast", "--url", "https://api.example.com/v1", "--model", "gpt-fast"],
}
LOOKS = {"status", "locks", "needs-human", "audit", "settings", "models"}


class Terminal:
    """A migrated database, one account of one person, and the command line on it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.world = SqlWorld(engine, SteppedClock(T + 4_000))

    def run(self, *words: str) -> int:
        with ThreadPoolExecutor(1) as pool:  # as a process would: with an event loop of its own
            return pool.submit(control.main, list(words)).result()

    @property
    def acts(self) -> list[ActRow]:
        return OperatingReadings(self.engine, MemoryCandleStore()).acts()


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Entry points set the logs up for good."""
    with logs_put_back():
        yield


@pytest.fixture
async def terminal(sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{sqlite_engine.url.database}")
    monkeypatch.setenv("INSTALLATION", "t3st")
    monkeypatch.setattr(log, "setup", lambda *words: None)
    made = Terminal(sqlite_engine)
    account = await trading_account(made.world)
    await made.world.ledger.lock(account.account_id, "drawdown", FOREVER_MS, text("fell"))
    made.world.people.add_user(MAIL, "$hash")
    return made


@pytest.fixture(autouse=True)
def closed(terminal: Terminal) -> Iterator[None]:
    yield
    terminal.world.close()


def commands() -> set[str]:
    """Every word of the command line."""
    parser = argparse.ArgumentParser()
    control.add_acts(parser.add_subparsers(dest="act"))
    [acts] = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    return set(acts.choices)


def test_every_command_looks_or_is_written_down() -> None:
    assert commands() == {*ACTS, *LOOKS, "settle"}


@pytest.mark.parametrize("act", ACTS)
def test_an_act_is_written_with_who_did_it_and_how_it_ended(
    terminal: Terminal, act: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if act == "arena-end":
        SqlArenaSeasons(terminal.engine).begin(Rules(30, 50, 2), SystemClock().now_ms())
    terminal.run(*ACTS[act])
    [row] = terminal.acts
    assert (row.user_id, row.email) == (0, "")
    assert row.who.startswith("cli:")
    assert row.done_ms > 0
    assert row.result == codes.OPERATOR_DONE()
    told = [word for line in capsys.readouterr().out.splitlines() for word in line.replace("#", " ").split()]
    secrets = [word for word in told if len(word) >= 12 and word.isascii() and not word.startswith(("http", "--"))]
    kept = repr(row)
    if act in ("invite", "reset-link"):
        assert secrets, "a code or a link was told"
        assert not any(word in kept for word in secrets)


@pytest.mark.parametrize("look", sorted(LOOKS))
def test_who_only_looks_is_not_written_down(terminal: Terminal, look: str) -> None:
    assert terminal.run(look) == 0
    assert terminal.acts == []


def test_what_was_refused_is_written_as_refused(terminal: Terminal) -> None:
    assert terminal.run("unlock", "cooldown", "--account", "1") == 1
    assert terminal.run("operator", "grant", "nobody@example.test") == 1
    assert terminal.run("limit", "max_exposure", "999999999", "--why", "more") == 1
    assert terminal.run("resume", "--account", "99") == 1
    results = [row.result for row in reversed(terminal.acts)]
    assert results[0] == codes.NO_SUCH_LOCK()
    assert all(codes.OPERATOR_REFUSED.is_of(one) or codes.OPERATOR_REFUSED_FOR.is_of(one) for one in results[1:])
    assert len(results) == 3, "and nothing of an account that is not there"


def test_a_stop_is_thrown_though_it_cannot_be_written_down(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(self: SqlTerminalActs, act: object) -> int:
        raise Retry(NOTHING)

    monkeypatch.setattr(SqlTerminalActs, "begin", away)
    terminal.run("stop", "--timeout", "0")
    assert "thrown, but not written among the acts" in capsys.readouterr().err
    assert terminal.run("resume") == 1, "what loosens is not done then"
    with terminal.engine.connect() as connection:
        assert not connection.execute(sa.text("SELECT trading_enabled FROM system_flags")).scalar_one()
        assert connection.execute(sa.select(operator_acts)).all() == []
