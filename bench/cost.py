"""
What one account's cycle costs: CPU, transactions and statements, as ratios to their aims.

`run_cycle` over the real client, a SQL ledger and the simulator in a process of its own, for accounts that all buy and
were swept when they last ended a cycle, as in a trader that runs. Everything the trader's process does is divided by
the accounts, what they share included. The second row is the part from the analyst's answers to the last order's send;
what is already asked about the first orders counts there too. CPU is this process's own time, so that a busy machine
changes little; transactions and statements are counted at the database driver, BEGIN and COMMIT being no statements.
The first cycle is not counted: its connections and statements are new. Start: `python -m bench.cost`.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from bench.claims import Bench, simulator
from lib.adapters.bybit.rest.transport import open_session


@dataclass(frozen=True, slots=True)
class Cost:
    """What was used: CPU in ms, transactions, statements."""

    cpu_ms: float
    transactions: float
    statements: float

    def since(self, before: "Cost", accounts: int) -> "Cost":
        """An account's share of what came after *before*."""
        return Cost(
            (self.cpu_ms - before.cpu_ms) / accounts,
            (self.transactions - before.transactions) / accounts,
            (self.statements - before.statements) / accounts,
        )


AIM = Cost(25, 12, 0)
AIM_TO_SEND = Cost(10, 3, 0)
"""Of an account's cycle, and of its part from the answers to the last send; statements have no aim."""


class Meter:
    """Counts what goes through *engine*; `read` says how much until now."""

    def __init__(self, engine: sa.Engine) -> None:
        self._transactions = self._statements = 0
        event.listen(engine, "begin", self._begun)
        event.listen(engine, "before_cursor_execute", self._executed)

    def _begun(self, connection: sa.Connection) -> None:
        self._transactions += 1

    def _executed(self, *given: Any) -> None:
        self._statements += not str(given[2]).startswith("BEGIN")

    def read(self) -> Cost:
        """Until now."""
        return Cost(time.process_time() * 1000, self._transactions, self._statements)


async def swept(bench: Bench) -> None:
    """Every account was looked through when it last ended a cycle; these are new."""
    context = bench.context
    epoch = await context.switches.hold_lease(context.holder, context.lease_ms)
    assert epoch is not None
    for account in await context.switches.accounts():
        context.state.swept(account.slot, epoch)


async def one_cycle(bench: Bench, meter: Meter, accounts: int) -> tuple[Cost, Cost]:
    """An account's share of a whole cycle, and of its part from the answers to the last send."""
    users = await bench.enlisted(accounts)
    await swept(bench)
    at_answer: list[Cost] = []
    at_send: list[Cost] = []
    bench.analyst.on_answer = lambda: at_answer.append(meter.read())
    bench.transport.on_create = lambda: at_send.append(meter.read())
    t_ms = await bench.next_t()
    before = meter.read()
    await bench.cycle(t_ms, users)
    after = meter.read()
    return after.since(before, accounts), at_send[-1].since(at_answer[0], accounts)


async def measure(accounts: int, rounds: int, database: str) -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory() as name:
        async with simulator(Path(name)) as url, open_session() as session:
            bench = Bench(Path(name), url, session, database)
            meter = Meter(bench.engine)
            await one_cycle(bench, meter, 1)
            costs = [await one_cycle(bench, meter, accounts) for _ in range(rounds)]
            bench.ledger.close()
            print(f"{accounts} accounts, {rounds} rounds, {bench.engine.dialect.name}; of one account:")
    _print("cycle", [whole for whole, _ in costs], AIM)
    _print("answers to send", [part for _, part in costs], AIM_TO_SEND)


def _print(name: str, costs: Sequence[Cost], aim: Cost) -> None:
    cpu = statistics.median(cost.cpu_ms for cost in costs)
    transactions = statistics.median(cost.transactions for cost in costs)
    statements = statistics.median(cost.statements for cost in costs)
    print(
        f"{name:<16} CPU {cpu:6.1f} ms ({cpu / aim.cpu_ms:.2f} of the {aim.cpu_ms:g} ms aimed at)   "
        f"{transactions:5.1f} transactions ({transactions / aim.transactions:.2f} of {aim.transactions:g})   "
        f"{statements:5.1f} statements"
    )


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", default="", help="an empty MariaDB or MySQL; SQLite when not given")
    options = parser.parse_args()
    asyncio.run(measure(options.accounts, options.rounds, options.database))


if __name__ == "__main__":
    main()
