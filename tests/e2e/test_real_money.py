"""
The way to real money in real processes: a deployed trader, MariaDB, Redis, and a simulator in the place of Bybit.

With all gates open exactly one entry is sent; with any of them closed none, and the log says which, while exits,
stops and the kill switch work as ever. The rows behind the gates are written by a test's own door (`tests.worlds`).
"""

import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.forms.real_caps import SqlRealCaps
from lib.adapters.sql.forms.real_consents import SqlRealConsents
from lib.adapters.sql.tables.people import outbox, system_flags
from lib.adapters.sql.tables.real_money import preflight_runs, real_caps, real_consents
from lib.adapters.sql.tables.safety import authenticators
from lib.adapters.sql.tables.trading import equity_points, orders, trade_logs
from lib.adapters.vault import VaultSealer
from lib.analyst_settings import MODEL
from lib.domain import reason_codes as codes
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.account_records import NewAccount
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.preflight import READ_CARDS
from lib.domain.real_money import DAY_MS, RealCap
from lib.domain.reason import Reason
from lib.domain.switches import Flags
from lib.domain.trail import Note, TrailEvent
from tests.e2e import real_trader
from tests.simulator.running import Key
from tests.torture import stores
from tests.torture.failpoints import Trap
from tests.torture.forks import fork
from tests.torture.ground import eventually, opened
from tests.worlds.killed import SYMBOL, Person, World, built
from tests.worlds.real_rows import REHEARSED_UID, examined, rehearsed

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

EQUITY = Decimal(1_000)
CAP = RealCap(1, Decimal(1_500), 1, Decimal(100_000), "cli:test")
WAIT_S = 120.0
"""A deadline, not a rhythm: the machine may be loaded."""


@dataclass
class RealWorld(World):
    """One person on mainnet, who rehearsed in demo trading."""

    user_id: int = 0
    demo: int = 0

    @property
    def person(self) -> Person:
        return self.people[0]

    @property
    def now(self) -> int:
        return self.ground.warp.now_ms()

    def start(self, trap: Trap | None = None) -> None:
        self.starts += 1
        self._said_before = len(self._written())
        self.trader = fork(real_trader.run, self.plan(trap))

    def do(self, *statements: sa.Executable) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(statement)

    async def cycle(self, action: str) -> Reason:
        """One cycle in which the analyst says *action*; what the log says why."""
        await self.come(action)
        self.start()
        await self.settled()
        await self.stop()
        return self.why()

    async def cycle_beside(self, action: str) -> Reason:
        """As `cycle`, by the trader that runs already."""
        await self.come(action)
        await self.settled()
        return self.why()

    async def settled(self) -> None:
        """The cycle is logged and no row is open."""
        await eventually(f"the cycle is decided: {self.said()[-300:]}", self._is_settled, WAIT_S)

    def _is_settled(self) -> bool:
        return self.logged(self.t_ms) and self.is_terminal()

    def why(self) -> Reason:
        [row] = self.rows(sa.select(trade_logs).where(trade_logs.c.t_ms == self.t_ms))
        found: Reason = row["reason"]
        return found

    def outcome(self) -> str:
        [row] = self.rows(sa.select(trade_logs).where(trade_logs.c.t_ms == self.t_ms))
        return str(row["outcome"])

    async def position(self) -> dict[str, Any]:
        answer = await self.person.key.get("/v5/position/list", f"category=linear&symbol={SYMBOL}")
        [row] = answer["result"]["list"]
        return dict(row)

    async def is_flat(self) -> bool:
        return not Decimal((await self.position())["size"])

    async def entries(self) -> int:
        """Orders of ours at the exchange that open a position."""
        answer = await self.person.key.get("/v5/order/history", f"category=linear&symbol={SYMBOL}&limit=50")
        ours = [row for row in answer["result"]["list"] if row["orderLinkId"].startswith("mm")]
        return sum(not row["reduceOnly"] for row in ours)

    def note(self, event: TrailEvent) -> Note:
        return Note(self.user_id, self.now, event)

    def consent(self) -> None:
        consents = SqlRealConsents(self.engine)
        assert consents.give(self.person.account_id, self.note(TrailEvent.REAL_CONSENTED))

    def examine(self) -> None:
        examined(self.engine, "mainnet", self.now - 1_000, self.person.uid)


@pytest.fixture(autouse=True)
def _installed() -> None:
    try:
        stores.program("mariadbd", "mysqld")
    except stores.Missing as missing:
        pytest.skip(f"NO MARIADB: {missing}; real money did not run")


@pytest_asyncio.fixture
async def world() -> AsyncIterator[RealWorld]:
    """Everything open."""
    async with opened() as ground:
        plain = await built(ground, people=0)
        careful = {
            "FEED": "bybit",
            "VENUES": "mainnet",
            real_trader.STANDS_FOR_BYBIT: plain.env["PAPER_API_URL"],
        }
        made = RealWorld(ground, plain.name, plain.engine, plain.env | careful)
        await _go_the_whole_way(made)
        yield made
        await made.end()


async def _go_the_whole_way(world: RealWorld) -> None:
    ground, accounts, now = world.ground, SqlAccounts(world.engine), world.now
    status, born = await ground.exchange.post("/sim/accounts", {"balance": str(EQUITY), "label": world.name})
    assert status == 200, born
    uid, key = str(born["uid"]), ApiKey(born["apiKey"], born["apiSecret"])
    world.user_id = user_id = accounts.add_user("kim@example.com", "!")
    seal = VaultSealer(world.env["ENCRYPTION_PUBLIC_KEY"]).seal
    sealed = seal(key, SealContext(user_id, "demo", REHEARSED_UID, 1))
    world.demo = accounts.add_account(
        NewAccount(user_id, "demo", "bybit", REHEARSED_UID, SYMBOL, sealed, "demo", 1, EQUITY, now)
    )
    sealed = seal(key, SealContext(user_id, "mainnet", uid, 1))
    number = accounts.add_account(
        NewAccount(user_id, "mainnet", "bybit", uid, SYMBOL, sealed, key.api_key[-4:], 1, EQUITY, now)
    )
    world.people.append(Person(number, uid, Key(ground.exchange, key.api_key, key.api_secret)))
    accounts.change_settings(user_id, AccountSettings(risk_level=RiskLevel.LOW, max_leverage=3))
    accounts.set_auto_trade(user_id, True, now)
    rehearsed(world.engine, user_id, world.demo, now, MODEL)
    examined(world.engine, "demo", now - 2 * DAY_MS)
    world.examine()
    SqlRealCaps(world.engine).write(CAP)
    world.consent()


Closing = Callable[[RealWorld], list[sa.Executable]]


def _only(table: sa.Table, venue: str) -> sa.ColumnElement[bool]:
    return table.c.venue == venue


GATES: dict[str, tuple[Closing, Closing, Callable[[Reason], bool]]] = {
    "cards": (
        lambda w: [sa.update(preflight_runs).where(_only(preflight_runs, "demo")).values(version="0.0.1")],
        lambda w: [sa.update(preflight_runs).where(_only(preflight_runs, "demo")).values(version=_version(w))],
        codes.REAL_CARDS_LACKING.is_of,
    ),
    "clean days": (
        lambda w: [sa.update(equity_points).where(equity_points.c.account_id == w.demo).values(difference=Decimal(1))],
        lambda w: [sa.update(equity_points).where(equity_points.c.account_id == w.demo).values(difference=Decimal(0))],
        codes.REAL_DAYS_LACKING.is_of,
    ),
    "second factor": (
        lambda w: [sa.update(authenticators).values(confirmed=False)],
        lambda w: [sa.update(authenticators).values(confirmed=True)],
        codes.REAL_NO_FACTOR.is_of,
    ),
    "preflight": (
        lambda w: [sa.update(preflight_runs).where(_only(preflight_runs, "mainnet")).values(uid="another")],
        lambda w: [sa.update(preflight_runs).where(_only(preflight_runs, "mainnet")).values(uid=w.person.uid)],
        codes.REAL_PREFLIGHT_LACKING.is_of,
    ),
    "canary": (
        lambda w: [sa.update(preflight_runs).where(_only(preflight_runs, "mainnet")).values(cards=_read_alone())],
        lambda w: [sa.delete(preflight_runs).where(_only(preflight_runs, "mainnet"))],
        codes.REAL_CANARY_LACKING.is_of,
    ),
    "consent": (
        lambda w: [sa.update(real_consents).values(withdrawn_ms=w.now)],
        lambda w: [sa.update(real_consents).values(withdrawn_ms=0)],
        codes.REAL_NO_CONSENT.is_of,
    ),
    "cap": (
        lambda w: [sa.update(real_caps).values(written_ms=real_caps.c.written_ms - 8 * DAY_MS)],
        lambda w: [sa.update(real_caps).values(written_ms=real_caps.c.written_ms + 8 * DAY_MS)],
        codes.REAL_CAP_OVER.is_of,
    ),
}
"""How each gate is closed, opened again, and what the log says meanwhile."""


def _version(world: RealWorld) -> str:
    [row] = world.rows(sa.select(preflight_runs.c.version).where(_only(preflight_runs, "mainnet")).limit(1))
    return str(row["version"])


def _read_alone() -> dict[str, bool]:
    return {card.value: True for card in READ_CARDS}


async def test_each_gate_alone_stops_every_entry_and_nothing_stops_an_exit(world: RealWorld) -> None:
    await world.cycle("buy")
    assert world.outcome() == "bought", (world.why(), world.said()[-2_000:])
    stands = await world.position()
    assert Decimal(stands["size"]) > 0
    assert Decimal(stands["stopLoss"]) > 0
    assert await world.entries() == 1

    # a stop that is gone comes back whatever the gates say, and is an incident that halves the cap
    world.do(sa.update(authenticators).values(confirmed=False))
    answer = await world.person.key.post("/v5/position/trading-stop", stopLoss="0", tpslMode="Full", positionIdx=0)
    assert answer["retCode"] == 0, answer
    world.start()

    async def is_protected() -> bool:
        return Decimal((await world.position())["stopLoss"] or 0) > 0

    await eventually("the guardian puts the stop back", is_protected, WAIT_S)
    told = sa.select(outbox).where(outbox.c.kind == "repaired")
    await eventually("it is told", lambda: world.rows(told), WAIT_S)
    await world.stop()
    world.do(sa.update(authenticators).values(confirmed=True))
    why = await world.cycle("sell")
    assert world.outcome() == "closed", why
    assert codes.CLOSED_NOT_TURNED.is_of(why), why
    assert "750" in str(why), why
    assert await world.is_flat()
    SqlRealCaps(world.engine).write(CAP)

    for name, (close, reopen, is_why) in GATES.items():
        world.do(*close(world))
        why = await world.cycle("buy")
        assert (world.outcome(), is_why(why)) == ("refused", True), (name, why)
        assert await world.entries() == 1, name
        world.do(*reopen(world))
        world.examine()

    await world.cycle("buy")
    assert world.outcome() == "bought", "each gate was the only one that was closed"
    assert await world.entries() == 2

    # everything closed: the kill switch closes the position all the same, and proves it
    for close, _, _ in GATES.values():
        world.do(*close(world))
    SqlAccounts(world.engine).set_flags(Flags(trading_enabled=False, flatten=True), "test")
    world.start()
    await eventually("the position is closed", world.is_flat, WAIT_S)
    world.ground.warp.jump(20_000)
    await eventually("that is proved", lambda: world.rows(system_flags)[0]["proven_ms"], WAIT_S)
    assert await world.stop() == 0
    assert await world.entries() == 2


async def test_a_gate_that_closes_while_the_trader_runs_stops_the_very_next_entry(world: RealWorld) -> None:
    # a consent taken back between plan and claim
    await world.come("buy")
    world.start(Trap("claim.before", "freeze"))
    await eventually("the trader is about to claim", world.was_hit, WAIT_S)
    [planned] = world.rows(sa.select(orders).where(orders.c.venue == "mainnet"))
    assert planned["state"] == "PLANNED"
    assert SqlRealConsents(world.engine).withdraw(world.note(TrailEvent.REAL_WITHDRAWN))
    assert world.trader is not None
    assert world.trader.pid is not None
    os.kill(world.trader.pid, signal.SIGCONT)
    await world.settled()
    [stopped] = world.rows(sa.select(orders).where(orders.c.venue == "mainnet"))
    assert (stopped["state"], stopped["attempts"], stopped["why"]) == ("BLOCKED", 0, codes.REAL_NO_CONSENT())
    assert await world.entries() == 0
    await world.stop()

    # a preflight that grows old while the trader runs
    world.consent()
    world.start()
    await eventually("the trader is up", world.is_ready, WAIT_S)
    world.ground.warp.jump(DAY_MS + 60_000)
    why = await world.cycle_beside("buy")
    assert codes.REAL_PREFLIGHT_OLD.is_of(why), why
    assert await world.entries() == 0
    await world.stop()
