"""
The event engine beside the real system: what a replay's database holds, and what `lib.evidence` makes of its answers.

*told* reads what one account of a replay did: the answer it had at every T it was served, its orders, executions,
locks and equity. *played* gives the same of the engine with those answers. Both are plain rows, to be compared as they
are, money to the last decimal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.analysis import read_decision
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.trading import cycles, equity_points, fills, orders, risk_locks, trade_logs
from lib.domain.account import AccountSettings
from lib.domain.candle import Candle
from lib.domain.day import utc_day
from lib.evidence.account import Account, Heard, Opened
from lib.evidence.desk import Terms
from lib.evidence.tape import Tape
from lib.replay.replay import BALANCES, people
from lib.simulator.feeds import instrument_of

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Life:
    """What an account did: rows of each kind, oldest first."""

    orders: list[Row]
    fills: list[Row]
    locks: list[Row]
    curve: list[Row]
    """(T, equity, outcome)"""

    def first_difference(self, other: "Life") -> str:
        """The first row that differs, "" for none."""
        for name in ("fills", "orders", "locks", "curve"):
            mine, theirs = getattr(self, name), getattr(other, name)
            for number, (a, b) in enumerate(zip(mine, theirs, strict=False)):
                if a != b:
                    return f"{name} {number}: {a} is not {b}"
            if len(mine) != len(theirs):
                longer = mine if len(mine) > len(theirs) else theirs
                return f"{name}: {len(mine)} is not {len(theirs)}; {longer[min(len(mine), len(theirs))]}"
        return ""


def told(engine: sa.Engine, account_id: int, until_ms: int) -> Life:
    """What the database says of the account before *until_ms*."""
    with engine.connect() as connection:

        def rows(table: sa.Table, *names: str, at: str, **of: Any) -> list[Row]:
            where = [table.c.account_id == account_id, table.c[at] < until_ms]
            order = [table.c[at]] if "id" not in table.c else [table.c[at], table.c.id]
            wanted = [table.c[name] for name in names]
            return [tuple(row) for row in connection.execute(sa.select(*wanted).where(*where).order_by(*order))]

        sent = rows(
            orders,
            *("t_ms", "leg", "side", "qty", "state", "filled_qty", "avg_price", "fee"),
            *("limit_price", "ref_price", "stop_loss", "take_profit", "leverage"),
            at="t_ms",
        )
        done = rows(fills, "at_ms", "kind", "side", "qty", "price", "fee", "closed_qty", "is_stop", at="at_ms")
        held = rows(risk_locks, "utc_day", "kind", "until_ms", "created_ms", at="created_ms")
        logs: dict[int, str] = dict(rows(trade_logs, "t_ms", "outcome", at="t_ms"))
        curve = [(t, equity, logs[t]) for t, equity in rows(equity_points, "t_ms", "equity", at="t_ms")]
    return Life(sent, done, sorted(held), curve)


def heard(engine: sa.Engine, account_id: int) -> dict[int, Heard]:
    """The account's answer at every T it was served."""
    of_account = trade_logs.c.account_id == account_id
    joined = trade_logs.join(cycles, cycles.c.id == trade_logs.c.cycle_id).join(
        equity_points,
        (equity_points.c.account_id == trade_logs.c.account_id) & (equity_points.c.t_ms == trade_logs.c.t_ms),
    )
    query = sa.select(trade_logs.c.t_ms, cycles).select_from(joined).where(of_account).order_by(trade_logs.c.t_ms)
    with engine.connect() as connection:
        return {
            row["t_ms"]: Heard(
                read_decision(row["decision"]),
                row["prompt_tokens"] + row["completion_tokens"],
                row["state"] == "failed",
            )
            for row in connection.execute(query).mappings()
        }


def played(tape: Tape, terms: Terms, opened: Opened, answers: Mapping[int, Heard]) -> tuple[Life, Account]:
    """What the engine makes of *answers*."""
    account = Account(tape, terms, opened)
    record = account.run(answers, answers.get)
    sent = [
        (
            *(t_ms, one.draft.leg, one.draft.side, one.draft.qty, one.state.value, one.filled, one.price, one.fee),
            *(one.draft.limit_price, one.draft.ref_price, one.draft.stop_loss, one.draft.take_profit),
            one.draft.leverage,
        )
        for t_ms, one in record.orders
    ]
    done = [
        (fill.at_ms, fill.kind, fill.side, fill.qty, fill.price, fill.fee, fill.closed_qty, fill.is_stop)
        for fill in account.desk.fills
    ]
    held = {(utc_day(one.created_ms), one.kind): (one.until_ms, one.created_ms) for one in record.locks}
    curve = list(zip(record.times, record.curve, record.outcomes, strict=True))
    return Life(sent, done, sorted((*key, *value) for key, value in held.items()), curve), account


def differences(
    engine: sa.Engine, candles: Sequence[Candle], symbol: str, crowd: Sequence[AccountSettings] = ()
) -> tuple[list[str], int]:
    """One line for each account of the replay that the engine tells otherwise, and how many accounts were compared."""
    terms = Terms(instrument_of(symbol))
    tape = Tape(symbol, candles, terms.instrument.tick_size)
    with engine.connect() as connection:
        ids = list(connection.scalars(sa.select(accounts.c.id).order_by(accounts.c.id)))
        rows = connection.execute(sa.select(accounts.c.id, accounts.c.opened_ms))
        opened = {number: opened_ms for number, opened_ms in rows}
    found = []
    for number, (account_id, settings) in enumerate(zip(ids, crowd or people(len(ids)), strict=True), 1):
        answers = heard(engine, account_id)
        last = max(answers)
        begun = Opened(settings, BALANCES[number % len(BALANCES)], opened[account_id])
        mine, _ = played(tape, terms, begun, answers)
        if difference := told(engine, account_id, last + 300_000).first_difference(mine):
            found.append(f"account {account_id}: {difference}")
    return found, len(ids)


def counts(engine: sa.Engine) -> str:
    """How much was compared."""
    with engine.connect() as connection:
        said = {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (orders, fills, risk_locks, equity_points)
        }
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in said.items())
