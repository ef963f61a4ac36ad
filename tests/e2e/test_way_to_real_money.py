"""
The whole way to real money in real processes: each gate is seen closed, and opened by its own door.

Collector, trader and web run as they are deployed, on MariaDB (the web by the rights of db/web_grants.sql alone) and
Redis; a simulator stands for Bybit's demo and main sites. A person acts by REST, an operator by `services.preflight`
and `services.control`. Before each gate opens the web names it, the trader is asked to buy and enters nothing, and its
log says why.

**Two gates are not walked**: the clean days and the stretch of evidence. The rehearsal's entries are traded here; that
books and wallet agreed for a week, and a stretch that was judged, are written by the test, because they take weeks.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import aiohttp
import pyotp
import pytest
import pytest_asyncio
import sqlalchemy as sa

from lib.accounts.demo_step import WITHOUT
from lib.accounts.real_money import SENTENCES
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.trading import orders, trade_logs
from lib.adapters.web_lock import new_secret
from lib.analyst_settings import MODEL
from lib.domain.order import TERMINAL
from lib.domain.real_money import DAY_MS, RealGate
from lib.simulator.feeds import INSTRUMENTS
from tests.browser.deployment import free_port
from tests.e2e.real_process import RealPlan, run
from tests.simulator.running import Key
from tests.torture import stores
from tests.torture.forks import fork
from tests.torture.ground import Ground, ended, opened
from tests.worlds.killed import CYCLE_LAG_MS, SYMBOL, World, built
from tests.worlds.real_rows import clean_days, evidenced

pytestmark = [pytest.mark.e2e, pytest.mark.server, pytest.mark.enable_socket]

GRANTS = Path(__file__).resolve().parents[2] / "db" / "web_grants.sql"
HOST = "trade.example.com"
EMAIL, PASSWORD = "kim@example.com", "correct horse battery"
WAIT_S = 240.0
"""A deadline, not a rhythm: the machine may be loaded."""
LOOK_S = 0.25
TRIES = 3
"""A loaded machine may skip a cycle, which enters nothing; the next one is asked."""
LASTS_MS = 7_200_000
"""The way takes no longer by the deployment's clock, and must not cross midnight: the rehearsal's day is today."""
ENDED = [state.value for state in TERMINAL]


async def until(what: str, holds: Callable[[], Awaitable[Any] | Any]) -> Any:
    """Ask until *holds* gives something true."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + WAIT_S
    while loop.time() < give_up:
        answer = holds()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return answer
        await asyncio.sleep(LOOK_S)
    raise AssertionError(f"never happened: {what}")


ANEW = {"Connection": "close"}
"""A connection that was kept may be closed by the web at the moment it is used again."""


@dataclass
class Browser:
    """A person's browser behind the proxy that ends TLS."""

    ground: Ground
    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer."""
        headers = {
            "Host": HOST,
            **ANEW,
            "X-Forwarded-For": "203.0.113.7",
            "X-Forwarded-Proto": "https",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        told = {"json": body, "headers": headers | {"Origin": f"https://{HOST}"}}
        given = {"headers": headers} if method == "GET" else told
        async with self.ground.session.request(method, self.url + path, **given) as answer:
            self.cookies |= {name: cookie.value for name, cookie in answer.cookies.items()}
            return answer.status, await answer.json()

    async def does(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """The body of an answer that refuses nothing."""
        status, told = await self.ask(method, path, **body)
        assert status == 200, (method, path, status, told)
        return told

    async def is_ready(self) -> bool:
        """What the web says of itself and of the others."""
        with suppress(OSError, aiohttp.ClientError):
            async with self.ground.session.get(f"{self.url}/readyz", headers=ANEW) as answer:
                return bool(answer.status == 200)
        return False


@dataclass
class Way:
    """The deployment, the person's browser, and both accounts at the exchange."""

    world: World
    env: dict[str, str]
    browser: Browser
    demo: Key
    real: Key
    secret: str = ""
    running: dict[str, BaseProcess] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)

    @property
    def ground(self) -> Ground:
        return self.world.ground

    @property
    def now(self) -> int:
        return self.ground.warp.now_ms()

    # --- processes ----------------------------------------------------------------------------------------------------

    def plan(self, service: str, log: str, *words: str, typed: str = os.devnull, **env: str) -> RealPlan:
        port = self.ground.net_cable.target
        assert isinstance(port, int)
        self.written.append(self.ground.folder / log)
        there = str(self.ground.folder / "warp"), str(self.written[-1]), port
        return RealPlan(service, self.env | env, *there, words, typed)

    def said_by(self, plan: RealPlan) -> str:
        """What that process wrote."""
        return Path(plan.log).read_text(errors="replace")

    def start(self, service: str, **env: str) -> None:
        self.running[service] = fork(run, self.plan(service, f"way.{service}", **env))

    def said(self, service: str) -> str:
        path = self.ground.folder / f"way.{service}"
        return path.read_text(errors="replace") if path.exists() else ""

    async def operates(self, command: str, *words: str, types: tuple[str, ...] = ()) -> str:
        """What an operator's *command* said, which ended well; the operator *types* these lines."""
        number = len(self.written)
        typed = self.ground.folder / f"typed.{number}"
        typed.write_text("".join(f"{line}\n" for line in types))
        plan = self.plan(command, f"command.{number}", *words, typed=str(typed))
        process = fork(run, plan)
        await until(f"{command} {words} ends", lambda: not process.is_alive())
        process.join()
        said = self.said_by(plan)
        assert process.exitcode == 0, (command, words, process.exitcode, said)
        process.close()
        return said

    async def is_ready(self) -> bool:
        """Whether pages answer, candles are fresh and a trader is at work; nothing has ended meanwhile."""
        for name, process in self.running.items():
            assert process.is_alive(), (name, self.said(name)[-2_000:])
        return await self.browser.is_ready()

    async def end(self) -> None:
        for process in self.running.values():
            await ended(process, signal.SIGKILL)
        await self.world.end()

    # --- what people do -----------------------------------------------------------------------------------------------

    async def prove(self) -> None:
        """The person proves who they are, as every guarded act wants it."""
        known = {"code": self.code()} if self.secret else {"password": PASSWORD}
        await self.browser.does("POST", "/api/account/prove", **known)

    def code(self) -> str:
        """What the authenticator shows."""
        return pyotp.TOTP(self.secret).at(self.now // 1000)

    async def enter_key(self, venue: str, key: Key, *, waits: bool = False) -> int:
        """
        The person's account by *key* is the one in use, and auto-trading is on; its number. Where it *waits* for paper,
        which is not traded here, the person does without.
        """
        await self.prove()
        kept = await self.browser.does(
            "PUT", "/api/apikey", venue=venue, api_key=key.api_key, api_secret=key.api_secret
        )
        if waits:
            refused = (await self.browser.ask("POST", "/api/auto-trade", on=True))[1]["error"]
            assert refused == "refuse.demo.evidence"
            await self.browser.does("POST", "/api/demo-trading/override", sentence=WITHOUT["en"])
        await self.browser.does("POST", "/api/auto-trade", on=True)
        return int(kept["account_id"])

    # --- what came of it ----------------------------------------------------------------------------------------------

    def decided(self, t_ms: int) -> sa.RowMapping | None:
        """The log row of *t_ms* once it has ended, with every order."""
        still = self.world.rows(sa.select(orders.c.id).where(orders.c.state.not_in(ENDED)))
        found = self.world.rows(
            sa.select(trade_logs).where(trade_logs.c.t_ms == t_ms, trade_logs.c.status != "pending")
        )
        return found[0] if found and not still else None

    async def cycle(self, action: str) -> sa.RowMapping:
        """The log row of the next cycle, in which the analyst says *action*."""
        for _ in range(TRIES):
            self.ground.views.action = action
            t_ms = self.ground.next_t()
            self.ground.warp.jump_to(t_ms + CYCLE_LAG_MS)
            row: sa.RowMapping = await until("the cycle is decided", partial(self.decided, t_ms))
            if row["outcome"] != "skipped":
                break
        return row

    async def trades(self, action: str, outcome: str) -> None:
        """A cycle in which the analyst says *action* ends so."""
        row = await self.cycle(action)
        assert row["outcome"] == outcome, (row["reason"], self.said("trader")[-2_000:])

    async def is_closed(self, gate: RealGate) -> None:
        """The web names *gate* as the first that is closed, the trader enters nothing and says the same."""
        shown = await self.browser.does("GET", "/api/real-money")
        first: dict[str, Any] = next((one for one in shown["gates"] if not one["is_open"]), {"gate": "none"})
        assert first["gate"] == gate.value, shown
        row = await self.cycle("buy")
        assert (row["outcome"], row["reason"].code) == ("refused", first["why"]["code"]), (gate, row["reason"])
        assert await self.entered(self.real) == []

    async def entered(self, key: Key, prefix: str = "mm") -> list[dict[str, Any]]:
        """Orders whose ids begin with *prefix* that opened a position on that account, as the exchange has them."""
        return [row for row in await self._filled(key, prefix) if not row["reduceOnly"]]

    async def left(self, key: Key, prefix: str = "mm") -> list[dict[str, Any]]:
        """As `entered`, those that closed one."""
        return [row for row in await self._filled(key, prefix) if row["reduceOnly"]]

    async def _filled(self, key: Key, prefix: str) -> list[dict[str, Any]]:
        answer = await key.get("/v5/order/history", f"category=linear&symbol={SYMBOL}&limit=50")
        rows = [row for row in answer["result"]["list"] if row["orderLinkId"].startswith(prefix)]
        return [row for row in rows if Decimal(row["cumExecQty"])]

    async def position(self, key: Key) -> dict[str, Any]:
        answer = await key.get("/v5/position/list", f"category=linear&symbol={SYMBOL}")
        [row] = answer["result"]["list"]
        return dict(row)

    async def is_at_rest(self) -> bool:
        """Whether the web says that nothing of the account in use is open."""
        stand = await self.browser.does("GET", "/api/standing")
        return not Decimal(stand["position_qty"]) and not stand["open_orders"]


@pytest.fixture(autouse=True)
def _installed() -> None:
    try:
        stores.program("mariadbd", "mysqld")
    except stores.Missing as missing:
        pytest.skip(f"NO MARIADB: {missing}; the way to real money was not gone")


@pytest_asyncio.fixture
async def way() -> AsyncIterator[Way]:
    """Everything running, nobody there."""
    async with opened() as ground:
        tomorrow = (ground.warp.now_ms() // DAY_MS + 1) * DAY_MS
        if tomorrow - ground.warp.now_ms() < LASTS_MS:
            ground.warp.jump_to(tomorrow + 1_000)
        world = await built(ground, people=0)
        demo, real = await _account(ground, is_demo=True), await _account(ground, is_demo=False)
        env = _environment(world)
        made = Way(world, env, Browser(ground, f"http://127.0.0.1:{env['PORT']}"), demo, real)
        try:
            made.start("web", DATABASE_URL=_of_the_web(world))
            made.start("collector")
            made.start("trader")
            await until("the system is ready", made.is_ready)
            yield made
        finally:
            await made.end()


def _environment(world: World) -> dict[str, str]:
    return world.env | {
        "FEED": "bybit",
        "VENUES": "demo,mainnet",
        "PAPER_API_URL": "http://127.0.0.1:9",
        "DATABASE_URL": stores.address(world.ground.database.socket, world.name),
        "WEB_SECRET": new_secret(),
        "PORT": str(free_port()),
        "PUBLIC_URL": f"https://{HOST}",
        "WEB_HOSTS": HOST,
        "TRUSTED_PROXIES": "1",
        "MOST_GUESTS": "0",
    }


def _of_the_web(world: World) -> str:
    """DATABASE_URL of a user with the rights of db/web_grants.sql and no others."""
    with world.engine.begin() as connection:
        connection.exec_driver_sql("CREATE USER web@localhost IDENTIFIED BY 's3cret'")
        for line in GRANTS.read_text("utf-8").splitlines():
            if line.startswith("GRANT"):
                connection.exec_driver_sql(line.replace(" TO web;", " TO web@localhost"))
    return stores.address(world.ground.database.socket, world.name, "web:s3cret")


async def _account(ground: Ground, *, is_demo: bool) -> Key:
    """An account at the exchange; its key is bound to the addresses it is called from."""
    bound = [] if is_demo else ["127.0.0.1", "127.0.0.2"]
    wished = {"balance": "1000", "demo": is_demo, "ips": bound, "permissions": {"ContractTrade": ["Order", "Position"]}}
    status, born = await ground.exchange.post("/sim/accounts", wished)
    assert status == 200, born
    return Key(ground.exchange, born["apiKey"], born["apiSecret"])


async def test_every_gate_is_seen_closed_and_opened_by_its_own_door_until_one_entry_with_real_money(way: Way) -> None:
    browser, smallest = way.browser, INSTRUMENTS[SYMBOL].min_qty
    await browser.does("POST", "/api/auth/register", email=EMAIL, password=PASSWORD, accepted_risk=True, locale="en")
    number = await way.enter_key("mainnet", way.real)
    await browser.does("POST", "/api/settings", risk_level="low", max_leverage=3)
    await way.is_closed(RealGate.CARDS)

    # the operator: every card in demo trading, by a key that is typed
    said = await way.operates("preflight", "--venue", "demo", types=(way.demo.api_key, way.demo.api_secret))
    assert "16 of 16 cards passed" in said
    await way.is_closed(RealGate.CLEAN_DAYS)

    # the rehearsal: three entries in demo trading, and the week that the test writes
    demo = await way.enter_key("demo", way.demo, waits=True)
    for action, outcome in (("buy", "bought"), ("sell", "sold"), ("buy", "bought")):
        await way.trades(action, outcome)
    await browser.does("POST", "/api/close", side="long")
    await until("the rehearsal's position is closed", way.is_at_rest)
    assert len(await way.entered(way.demo)) == 3
    assert await way.enter_key("mainnet", way.real) == number
    clean_days(way.world.engine, demo, way.now)
    await way.is_closed(RealGate.EVIDENCE)
    [kim] = way.world.rows(sa.select(users.c.id))
    evidenced(way.world.engine, kim["id"], demo, way.now, MODEL)
    await way.is_closed(RealGate.SECOND_FACTOR)

    # the person: two-step sign-in
    await way.prove()
    way.secret = (await browser.does("POST", "/api/account/factor/begin"))["secret"]
    await browser.does("POST", "/api/account/factor/confirm", code=way.code())
    await way.is_closed(RealGate.PREFLIGHT)

    # the operator: the reading cards by the sealed key, then the canary
    said = await way.operates("preflight", "--account", str(number))
    assert "8 of 8 cards passed" in said
    await way.is_closed(RealGate.CANARY)
    said = await way.operates("preflight", "--account", str(number), "--orders", types=(f"REAL MONEY {number}",))
    assert "16 of 16 cards passed" in said
    [canary], [back] = await way.entered(way.real, "pf"), await way.left(way.real, "pf")
    assert Decimal(canary["cumExecQty"]) == Decimal(back["cumExecQty"]) == smallest
    assert Decimal(canary["stopLoss"]) > 0
    assert not Decimal((await way.position(way.real))["size"])
    await way.is_closed(RealGate.CONSENT)

    # the person: the sentence, typed by who proved themselves with the second factor
    sentence = {"sentence": SENTENCES["en"]}
    assert (await browser.ask("POST", "/api/real-money/consent", **sentence))[1]["error"] == "refuse.step_up"
    await way.prove()
    assert (await browser.ask("POST", "/api/real-money/consent", sentence="yes"))[1]["error"] == "refuse.real.words"
    await browser.does("POST", "/api/real-money/consent", **sentence)
    await way.is_closed(RealGate.CAP)

    # the operator: the first week's cap
    said = await way.operates("control", "real-cap", "1", "1500", "1", "300", "--why", "first week")
    assert "real money for a week" in said
    shown = await browser.does("GET", "/api/real-money")
    assert all(one["is_open"] for one in shown["gates"]), shown
    assert await way.entered(way.real) == []

    await way.trades("buy", "bought")
    [entry], stands = await way.entered(way.real), await way.position(way.real)
    assert Decimal(entry["cumExecQty"]) == Decimal(stands["size"]) > 0
    assert Decimal(stands["stopLoss"]) > 0

    # the person: everything closed, and that is proved
    await browser.does("POST", "/api/flatten")
    await until("the position is closed", way.is_at_rest)
    way.ground.warp.jump(20_000)

    async def is_proved() -> bool:
        stand = await browser.does("GET", "/api/standing")
        return bool(stand["state"] == "stopped" and stand["proven_ms"] > 0)

    await until("that is proved", is_proved)
    assert not Decimal((await way.position(way.real))["size"])
    assert len(await way.entered(way.real)) == len(await way.left(way.real)) == 1

    assert {name: await ended(way.running.pop(name), signal.SIGTERM) for name in ("trader", "collector")} == {
        "trader": 0,
        "collector": 0,
    }
    told = "".join(path.read_text(errors="replace") for path in way.written)
    assert not any(secret in told for secret in (way.real.api_secret, way.demo.api_secret, PASSWORD, way.secret))
    assert way.env["ENCRYPTION_KEY"] not in told
