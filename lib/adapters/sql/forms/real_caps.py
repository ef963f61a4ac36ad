"""
What a terminal writes on the way to real money: runs of the acceptance cards, and an operator's caps.

Only a terminal has this adapter; `make check` proves it of the web, of its routes and of everything it reaches.
"""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.ledger.rows import ledger_clock
from lib.adapters.sql.tables.real_money import preflight_runs, real_caps
from lib.clock import Clock
from lib.domain.preflight import ORDER_CARDS, PreflightRun
from lib.domain.real_money import RealCap
from lib.ports.preflight import PreflightBook
from lib.ports.real_money import RealCaps


class SqlPreflightBook(PreflightBook):
    """`lib.ports.preflight.PreflightBook`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def keep(self, run: PreflightRun, evidence: str) -> None:
        values = {
            "venue": run.venue,
            "uid": run.uid[:64],
            "host": run.host[:100],
            "version": run.version,
            "symbol": run.symbol,
            "started_ms": run.started_ms,
            "cards": {result.card.value: result.passed for result in run.results},
            "evidence": evidence[:100],
            "orders_passed": run.passed(ORDER_CARDS),
        }
        transact(self._engine, lambda c: c.execute(sa.insert(preflight_runs).values(values)) and None)


class SqlRealCaps(RealCaps):
    """`lib.ports.real_money.RealCaps`; without *clock* the database's own dates a cap."""

    def __init__(self, engine: sa.Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._now = ledger_clock(engine, clock)

    def write(self, cap: RealCap) -> None:
        transact(self._engine, lambda c: self._write(c, cap))

    def _write(self, connection: sa.Connection, cap: RealCap) -> None:
        values = {
            "accounts": cap.accounts,
            "equity": cap.equity,
            "positions": cap.positions,
            "a_day": cap.a_day,
            "who": cap.who[:255],
            "written_ms": self._now(connection),
        }
        connection.execute(sa.insert(real_caps).values(values))
