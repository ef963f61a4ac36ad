"""The real web application over people in memory: one `Web` a test, entered through starlette's client."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from anyio.from_thread import BlockingPortal
from starlette.testclient import TestClient
from streamlit.runtime import Runtime

from app.http.traffic import Traffic
from app.server import build
from lib.accounts.arena import ArenaDesk
from lib.accounts.backtests import BacktestDesk
from lib.accounts.chats import ChatDesk
from lib.accounts.demo_step import DemoDesk
from lib.accounts.doors import Doors
from lib.accounts.emails import EmailDesk
from lib.accounts.entrance import PeopleStores
from lib.accounts.models import OwnModelDesk
from lib.accounts.notices import NoticeDesk
from lib.accounts.passkeys import PasskeyDesk
from lib.accounts.people import People
from lib.accounts.quarantine import QuarantineDesk
from lib.accounts.real_money import RealMoneyDesk
from lib.accounts.records import RecordDesk
from lib.accounts.resets import ResetDesk
from lib.accounts.safety import Safety
from lib.accounts.shadows import ShadowDesk
from lib.accounts.strategies import StrategyDesk
from lib.accounts.tokens import TokenDesk
from lib.accounts.trading import TradingDesk
from lib.accounts.web import Refusal, SessionUser
from lib.accounts.won import WonDesk
from lib.bootstrap import WebSystem
from lib.bootstrap.preview import Previews
from lib.bootstrap.readiness import Readiness
from lib.domain.account import AccountSettings, Numbers, PlatformLimits
from lib.domain.candle import MINUTE_MS, Candle, interval_ms
from lib.domain.errors import Retry
from lib.domain.model_profile import ModelProfile
from lib.domain.platform_settings import Admission
from lib.domain.quotes import CandleTick
from lib.domain.reason import NOTHING, text
from lib.domain.strategy import StrategyVersion
from lib.domain.stretch import Criteria, Step
from lib.domain.trail import Note
from lib.domain.won_rates import WonRate, WonRates
from lib.market.scrollback import Scrollback
from lib.ports.market import MarketData
from lib.ports.real_money import RealConsents
from lib.ports.stretches import Stretches
from lib.queries import (
    ArenaView,
    Calls,
    Choices,
    Compared,
    Cursor,
    FactorState,
    Health,
    Holding,
    LogRow,
    Mark,
    OpinionWorth,
    Pulse,
    Readings,
    Results,
    Stand,
    Standing,
    Switches,
    VersionKey,
    VersionScores,
)
from lib.queries.demo_step import DemoStanding
from lib.queries.real import RealStanding
from tests.fakes.chats import MemoryChats
from tests.fakes.notices import MemoryChannels, MemoryNoticeChoices
from tests.fakes.people import (
    MemoryApiTokens,
    MemoryBrowsers,
    MemoryEmailLinks,
    MemoryLeaving,
    MemoryLogins,
    MemoryMailer,
    MemoryPasskeys,
    MemoryResetLinks,
    MemorySessions,
    MemoryThrottles,
    MemoryWonBook,
    QuickHasher,
    StandingClock,
    TrustingCheck,
)
from tests.installed_packages import read_once
from tests.web.town import LOCK, Town
from tests.worlds.answers import A_DAY, answers
from tests.worlds.arena import arena_view
from tests.worlds.operators import staged_door
from tests.worlds.results import results

START = 1_760_000_000_000 // MINUTE_MS * MINUTE_MS
GOOD = "correct horse battery"
SETTINGS_VERSION = 1
LISTED = START - 2_000 * 15 * MINUTE_MS
"""Since when the exchange has candles."""


def candle(n: int) -> Candle:
    price = Decimal(60_000 + n)
    return Candle(START + n * MINUTE_MS, price, price + 2, price - 1, price + 1, Decimal("1.5"))


class EveryCandle:
    """The exchange's REST: candles of every interval since LISTED; *Retry* when *down*."""

    def __init__(self, clock: StandingClock) -> None:
        self.clock = clock
        self.down = False
        self.calls = 0

    def closed_candles(self, symbol: str, interval: str, *, end: int | None = None, limit: int = 1000) -> list[Candle]:
        self.calls += 1
        if self.down:
            raise Retry("away")
        step, now = interval_ms(interval), self.clock.now_ms()
        last = min(now if end is None else end, now - step) // step * step
        opens = range(max(last - (limit - 1) * step, -(-LISTED // step) * step), last + 1, step)
        return [replace(candle(0), open_time=at) for at in opens]


class LiveOnce:
    """`LiveCandles`: what it was given, then silence."""

    def __init__(self, *ticks: CandleTick) -> None:
        self.given = ticks

    async def ticks(self) -> AsyncIterator[CandleTick]:
        for tick in self.given:
            yield tick
        await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Rows:
    rows: tuple[dict[str, int], ...]
    total: int
    all_counted: bool = True
    older: Cursor = field(default_factory=lambda: Cursor(True, 5, 6))
    newer: None = None


HELD = Holding(
    1, "paper", "synthetic", "BTCUSDT", Decimal(10_000), Decimal(0), Decimal(0), Decimal(0), Decimal("0.031"),
    Decimal(59_000), NOTHING, True, Decimal(10_000), Decimal(58_000), Decimal(62_000), 8,
)  # fmt: skip


class FakeReadings:
    """Market data for anybody; a person's rows carry their id, so a leak would show."""

    real: RealStanding | None = None
    lowest: DemoStanding | None = None

    def demo_step(self, user_id: int, now_ms: int) -> DemoStanding | None:
        return self.lowest

    def real_money(self, user_id: int, now_ms: int) -> RealStanding | None:
        return self.real

    def settings(self, user_id: int) -> Choices:
        return Choices(AccountSettings(custom_prompt=f"of {user_id}"), False, 0, True, SETTINGS_VERSION)

    def numbers(self, user_id: int) -> Numbers | None:
        return None

    def key_status(self, user_id: int) -> dict[str, object] | None:
        return {"user_id": user_id, "last4": "••••1234"}

    def sessions(self, user_id: int) -> list[dict[str, int]]:
        return [{"user_id": user_id}]

    def person_cap(self, environment: PlatformLimits) -> Decimal | None:
        return Decimal("0.5")

    def trail(self, user_id: int, limit: int, before: int = 0) -> list[dict[str, int]]:
        return [{"user_id": user_id}]

    def everything(self, user_id: int) -> dict[str, int]:
        return {"user_id": user_id}

    def factor(self, user_id: int) -> FactorState:
        return FactorState(False, 0)

    def unseen(self, user_id: int) -> int:
        return user_id

    def standing(self, user_id: int) -> Standing:
        on = Switches(trading_enabled=True, flatten=False, switched_ms=0, proven_ms=0, why=NOTHING)
        off = replace(on, trading_enabled=False, switched_ms=1, proven_ms=2, why=text(f"of {user_id}"))
        return Standing(1, "paper", "synthetic", "100", "BTCUSDT", True, Decimal(0), off, on, (), (), ())

    def stand(self, user_id: int) -> Stand:
        held = replace(HELD, account_id=user_id, thesis=text(f"of {user_id}"), log_id=user_id)
        return Stand(held, (), Decimal(10_000))

    def holdings(self, user_id: int) -> list[Holding]:
        return [self.stand(user_id).held]

    def pulses(self, user_ids: Collection[int]) -> dict[int, Pulse]:
        return {user_id: (user_id,) for user_id in user_ids}

    def command(self, user_id: int) -> None:
        return None

    def logs(self, user_id: int, *, limit: int, symbol: str = "") -> list[LogRow]:
        return []

    def rules(self, symbol: str) -> None:
        return None

    def last_price(self, symbol: str) -> Decimal:
        return Decimal(60_000)

    def price_day_ago(self, symbol: str) -> Decimal:
        return Decimal(50_000)

    def logs_page(self, user_id: int, **_: object) -> Rows:
        return Rows(({"user_id": user_id},), 1)

    def log_detail(self, user_id: int, log_id: int) -> dict[str, int] | None:
        return {"user_id": user_id, "id": log_id} if log_id == user_id else None

    def worth(self, user_id: int, log_id: int) -> OpinionWorth | None:
        return OpinionWorth(False, None, None) if log_id == user_id else None

    def version_scores(self, user_id: int, **asked: Any) -> list[VersionScores]:
        return [VersionScores(f"of {user_id}", 1, 4, 1, 1, 2, Decimal("0.02"), Decimal(0), 4)]

    def running_strategy(self, user_id: int) -> StrategyVersion | None:
        return None

    def arena(self) -> ArenaView:
        return arena_view(1_790_000_100_000, "mine", 2)

    def compared_mark(self, user_id: int, until_ms: int, account_id: int | None = None) -> Mark:
        return Mark((user_id,), {}, frozenset())

    def compared(self, user_id: int, until_ms: int, account_id: int | None = None) -> Compared:
        key = VersionKey(user_id, f"of {user_id}", 1, "rules")
        return Compared({key: answers(20)}, {key: Calls(20 * A_DAY, Decimal(user_id), 0)}, frozenset({key}), 0)

    def results(self, user_id: int, **asked: Any) -> Results | None:
        return results(user_id, **asked)

    def won_rates(self, user_id: int) -> WonRates:
        return WonRates((WonRate(date(2026, 9, 22), Decimal(1500)),), (WonRate(None, Decimal(1390)),))

    def health(self, now_ms: int) -> Health:
        return Health("synthetic", True, 12.0, 1.0, 4.0, "", now_ms, "1 held", "decided", "m", 1_840, now_ms, ())

    def candles(self, symbol: str, interval: str, count: int, since_ms: int | None = None) -> list[Candle]:
        return [c for c in map(candle, range(600)) if c.open_time >= (since_ms or 0)][-count:]


@dataclass
class FakeTrading:
    """Remembers acts; refuses a read-only person as the real desk does."""

    acts: list[tuple[Any, ...]] = field(default_factory=list)

    def _act(self, name: str, user: SessionUser, *args: object) -> Refusal | None:
        if user.read_only:
            return Refusal("refuse.read_only")
        self.acts.append((name, user.user_id, *args))
        return None

    def change_settings(self, user: SessionUser, settings: AccountSettings, version: int) -> Refusal | None:
        if version != SETTINGS_VERSION:
            return Refusal("refuse.settings.stale")
        return self._act("settings", user, settings)

    def set_auto_trade(self, user: SessionUser, on: bool) -> Refusal | None:
        return self._act("auto", user, on)

    def ask_now(self, user: SessionUser) -> Refusal | None:
        return self._act("ask", user)

    def pause(self, user: SessionUser) -> Refusal | None:
        return self._act("pause", user)

    def flatten(self, user: SessionUser) -> Refusal | None:
        return self._act("flatten", user)

    def close_position(self, user: SessionUser, side: str, symbol: str = "") -> Refusal | None:
        return self._act("close", user, side, *([symbol] if symbol else []))

    def choose_symbols(self, user: SessionUser, symbols: Sequence[str]) -> Refusal | None:
        return self._act("symbols", user, *symbols)

    def resume(self, user: SessionUser) -> Refusal | None:
        return self._act("resume", user)

    def end_lock(self, user: SessionUser, kind: str) -> Refusal | None:
        return self._act("end_lock", user, kind)

    def save_key(self, user: SessionUser, venue: str, api_key: str, api_secret: str) -> Refusal | None:
        return self._act("key", user, venue, api_key, api_secret)

    def delete_key(self, user: SessionUser) -> Refusal | None:
        return self._act("forget", user)

    def paper_for_newcomer(self, user_id: int) -> Refusal | None:
        return None


class NoConsents(RealConsents):
    """Nobody has an account with real money."""

    def give(self, account_id: int, note: Note) -> bool:
        return False

    def withdraw(self, note: Note) -> bool:
        return False


class KeptStretches(Stretches):
    """What was asked for, by account, and overridden; all of it is granted where *grants*."""

    def __init__(self) -> None:
        self.grants = False
        self.asked: list[tuple[int, Criteria]] = []
        self.overridden: list[int] = []
        self.steps: list[Step] = []
        self.notes: list[Note] = []

    def ask(self, account_id: int, criteria: Criteria, note: Note, step: Step = Step.REAL) -> bool:
        self.asked.append((account_id, criteria))
        self.steps.append(step)
        return self.grants

    def demo_without(self, note: Note) -> bool:
        self.notes.append(note)
        return self.grants

    def override(self, stretch_id: int, note: Note) -> bool:
        self.overridden.append(stretch_id)
        return self.grants


class Web:
    """One application, its people, and clients with a cookie jar each."""

    def __init__(self, script: Path, trusted_proxies: int = 0) -> None:
        self.clock = StandingClock(START)
        self.logins = MemoryLogins()
        self.stretches = KeptStretches()
        self.sessions = MemorySessions(self.logins)
        self.trading = FakeTrading()
        self.market = EveryCandle(self.clock)
        self.away = False
        self.readiness = Readiness({"database": True, "candles": True}, {"analyst": False})
        self.mailer = MemoryMailer()
        self.admission = Admission()
        demo = self.logins.add("demo-x@maemae.local", "!", locale="ko", risk_accepted_ms=0, is_demo=True)
        stores = PeopleStores(
            self.logins,
            self.sessions,
            MemoryBrowsers(),
            MemoryThrottles(),
            QuickHasher(),
            self.sessions.trail,
            self.logins.factors,
            LOCK,
        )
        doors = Doors(lambda: self.admission, self.clock)
        self.operators = staged_door(self.clock)
        emails = EmailDesk(
            stores,
            MemoryEmailLinks(self.logins),
            self.clock,
            mailer=self.mailer,
            public_url="https://trade.test",
            later=lambda job: job(),
        )
        self.system = WebSystem(
            people=People(stores, self.clock, self.trading.paper_for_newcomer, lambda: demo, doors=doors),
            safety=Safety(stores, self.clock, MemoryLeaving(self.logins), emails),
            emails=emails,
            passkeys=PasskeyDesk(stores, MemoryPasskeys(self.sessions.trail), TrustingCheck(), self.clock),
            tokens=TokenDesk(MemoryApiTokens(self.logins), self.clock),
            chats=ChatDesk(MemoryChats(), MemoryThrottles(), self.clock),
            notices=NoticeDesk(MemoryNoticeChoices(), MemoryChannels(), MemoryThrottles(), None, self.clock),
            resets=ResetDesk(
                stores,
                MemoryResetLinks(self.logins),
                self.clock,
                mailer=self.mailer,
                public_url="https://trade.test",
                later=lambda job: job(),
            ),
            won=WonDesk(MemoryWonBook()),
            trading=cast(TradingDesk, self.trading),
            strategies=cast(StrategyDesk, None),
            shadows=cast(ShadowDesk, None),
            records=cast(RecordDesk, None),
            backtests=cast(BacktestDesk, None),
            quarantine=cast(QuarantineDesk, None),
            models=cast(OwnModelDesk, None),
            arena=cast(ArenaDesk, None),
            real_money=RealMoneyDesk(
                NoConsents(), self.stretches, self.logins.factors, MemoryPasskeys(self.sessions.trail), self.clock
            ),
            demo_step=DemoDesk(self.stretches, self.clock),
            readings=cast(Readings, FakeReadings()),
            live=LiveOnce(CandleTick("BTCUSDT", "1m", candle(600), closed=False, rebuilt=False)),
            scrollback=Scrollback(cast(MarketData, self.market), self.clock),
            clock=self.clock,
            draw=lambda: 0.0,
            check=self._check,
            ready=lambda: self.readiness,
            feed="synthetic",
            symbols=("BTCUSDT",),
            intervals=("1m", "15m"),
            venues=("paper",),
            addresses=(),
            key_pages={},
            trusted_proxies=trusted_proxies,
            operators=self.operators.door,
            previews=Previews(cast(Readings, FakeReadings()), ModelProfile("default", "test-model", "", "test-model")),
        )
        traffic = Traffic(lambda: self.clock.now_ms() / 1000)
        self.app = build(self.system, script, traffic, packs_ahead=False)
        self.portal: BlockingPortal | None = None

    def _check(self) -> None:
        if self.away:
            raise Retry("away")

    def client(self, scheme: str = "http", address: str = "testclient", **headers: str) -> TestClient:
        """A browser of its own at *address*, on the running application and in its event loop."""
        made = TestClient(
            self.app, f"{scheme}://testserver", headers=headers, follow_redirects=False, client=(address, 50000)
        )
        made.portal = self.portal
        return made

    def owner(self, email: str = "kim@example.com") -> TestClient:
        client = self.client()
        body = {"email": email, "password": GOOD, "accepted_risk": True}
        assert client.post("/api/auth/register", json=body).status_code == 200
        return client

    def visitor(self) -> TestClient:
        client = self.client()
        assert client.post("/api/auth/demo", json={}).status_code == 200
        return client


@pytest.fixture(scope="session", autouse=True)
def packages_read_once() -> Iterator[None]:
    """One look at the installed packages for all tests of this folder."""
    with read_once():
        yield


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "page.py"
    file.write_text("import streamlit as st\nst.write('hello')\n")
    return file


@pytest.fixture
def web(script: Path) -> Iterator[Web]:
    yield from running(script)


@pytest.fixture
def proxied(script: Path) -> Iterator[Web]:
    """As `web`, behind one proxy of ours."""
    yield from running(script, trusted_proxies=1)


def running(script: Path, trusted_proxies: int = 0) -> Iterator[Web]:
    made = Web(script, trusted_proxies)
    with made.client() as inside:
        made.portal = inside.portal
        yield made
    Runtime._instance = None  # Streamlit allows one runtime a process and never forgets it
