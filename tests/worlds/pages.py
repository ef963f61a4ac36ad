"""
A web system of plain values for the pages: two people with an account, a demo visitor, and what they may read.

What a person does is kept in *acts*, so a test can say who did what. Nothing is read from any store.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, TypeVar

from lib.accounts.backtests import Asked
from lib.accounts.models import ModelChoice
from lib.accounts.quarantine import PastOffer, PastWish
from lib.accounts.refusal import Refusal
from lib.accounts.shadows import MadeShadow
from lib.accounts.strategies import Kept, MadeShare
from lib.accounts.web import SessionUser
from lib.accounts.won import WonDesk
from lib.bootstrap.preview import Offer, Preview
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account import AccountSettings, Colours, Numbers, PlatformLimits, Theme
from lib.domain.api_token import ApiToken
from lib.domain.backtests import Wish
from lib.domain.bybit_sites import SITES
from lib.domain.errors import Retry
from lib.domain.input_blocks import OFFERED, Shown, ShownNote, note_of
from lib.domain.instrument import Instrument
from lib.domain.model_profile import ModelProfile
from lib.domain.order import Order, OrderState
from lib.domain.platform_settings import Admission, Banner
from lib.domain.pricing import AnalystPrices
from lib.domain.quarantine import estimated_cost
from lib.domain.reason import NOTHING, text
from lib.domain.scores import Beside, Score
from lib.domain.shadow import Shadow, ShadowBudget, with_model
from lib.domain.strategy import SharedStrategy, Strategy, StrategyVersion, strategy_of
from lib.domain.won_rates import WonRate, WonRates, read_lines
from lib.market.status import ClosedMarket
from lib.queries import (
    AnalystProfile,
    ArenaView,
    BacktestFound,
    BacktestLine,
    BookedFill,
    CallRow,
    Choices,
    ClampRow,
    CommandRow,
    Compared,
    Cursor,
    EquityRow,
    EventRow,
    FactorState,
    FillRow,
    Health,
    Holding,
    InstructionRow,
    KeyStatus,
    LogDetail,
    LogFilter,
    LogRow,
    Mark,
    Marker,
    MemoryResult,
    OpinionWorth,
    OwnAccount,
    Page,
    PasskeyLine,
    RecordLine,
    RecordLinkLine,
    Results,
    SessionLine,
    ShadowDay,
    ShadowLine,
    ShareLine,
    Sheet,
    Standing,
    StrategyLine,
    Switches,
    Tiles,
    TrailLine,
    TransferRow,
    VersionScores,
)
from lib.queries.demo_step import DemoStanding
from lib.queries.logs import EVERYTHING, TRADED
from lib.queries.models import ModelDay, ModelLine
from lib.queries.real import RealStanding
from tests.fakes.people import MemoryWonBook
from tests.worlds import backtests as past_worlds
from tests.worlds import results as samples
from tests.worlds.arena import arena_view
from tests.worlds.compares import CALLS, compares
from tests.worlds.operators import staged_door

SEEN = Shown(OFFERED[0], {"rows": [[1, "64000", "</b>"]]}, seen_ms=1)
T = TypeVar("T")
NOW_MS = 1_790_000_100_000
OWNER = SessionUser(1, "owner@example.com", "ko", proved_ms=NOW_MS)
NEWCOMER = SessionUser(2, "new@example.com", "en", proved_ms=NOW_MS)
VISITOR = SessionUser(3, "demo@maemae.local", "ko", is_demo=True, read_only=True)
GUEST = SessionUser(4, "guest-12@maemae.local", "ko", is_guest=True)
OPERATOR = SessionUser(5, "operator@example.com", "ko", network="203.0.113.7", proved_ms=NOW_MS)
TOKENS = {"t-owner": OWNER, "t-new": NEWCOMER, "t-demo": VISITOR, "t-guest": GUEST, "t-operator": OPERATOR}
HOSTILE = "**bold** <script>alert(1)</script> [x](javascript:alert(1))"
"""What an analyst may send; pages show it letter by letter."""

OUTCOMES = ("bought", "held", "refused", "closed", "kept", "sold", "skipped", "held")
ACTIONS = ("buy", "hold", "buy", "sell", "buy", "sell", "sell", "hold")
REASONS = (
    text("RSI 과매도 구간에서 반등, 지지선 확인"),
    text("no clear trend: range between 64,100 and 64,380"),
    codes.CONFIDENCE_LOW(confidence=Decimal("0.60"), least=Decimal("0.65")),
    text("momentum turned, the long is closed"),
)


def log_row(number: int) -> LogRow:
    """Row *number*, newest = 60; every field a function of it."""
    turn = number % len(OUTCOMES)
    return LogRow(
        id=number,
        t_ms=NOW_MS - NOW_MS % 300_000 - (60 - number) * 300_000,
        symbol="BTCUSDT",
        status="success",
        outcome=OUTCOMES[turn],
        action=ACTIONS[turn],
        confidence=Decimal("0.78"),
        leverage=Decimal(8),
        reason=text(HOSTILE) if number == 60 else REASONS[turn % 4],
        message=NOTHING,
        executed_at=datetime.fromtimestamp(NOW_MS / 1000, UTC),
    )


def curve() -> list[EquityRow]:
    """An equity curve with a dip."""
    points = []
    for number in range(200):
        equity = Decimal(10_000 + number * 3 - (number % 37) * 4 + (number % 11) * 5)
        points.append(EquityRow(NOW_MS - (200 - number) * 300_000, equity - 20, equity, Decimal(0)))
    return points


def order(row: LogRow) -> Order:
    """The filled entry behind *row*."""
    return Order(
        id=1, account_id=1, user_id=1, uid="100001", venue="paper", symbol="BTCUSDT", t_ms=row.t_ms, leg="e", seq=0,
        order_link_id="mmlocal-1-e-0", state=OrderState.FILLED, side="buy", qty=Decimal("0.031"),
        limit_price=Decimal("64312.8"), ref_price=Decimal(64120), stop_loss=Decimal(63820),
        take_profit=Decimal(64710), leverage=8, reduce_only=False, key_version=1, settings_version=1,
        filled_qty=Decimal("0.031"), avg_price=Decimal("64120.5"), fee=Decimal("1.0933"),
    )  # fmt: skip


ON = Switches(trading_enabled=True, flatten=False, switched_ms=0, proven_ms=0, why=NOTHING)
STANDING = Standing(
    account_id=1, venue="paper", feed="synthetic", uid="100001", symbol="BTCUSDT", auto_trade=True,
    position_qty=Decimal("0.031"), switches=ON, platform=ON, open_rows=(), locks=(), platform_locks=(),
)  # fmt: skip


INSTRUMENT = Instrument(
    "BTCUSDT", Decimal("0.1"), Decimal("0.001"), Decimal("0.001"), Decimal(500), Decimal(5), Decimal(100)
)


def _let_through(row: LogRow, only: LogFilter) -> bool:
    if only.traded and row.outcome not in TRADED:
        return False
    if only.words is not None and only.words.text not in str(row.reason):
        return False
    if only.symbol not in ("", row.symbol):
        return False
    within = (only.since_ms or 0) <= row.t_ms < (only.until_ms or 10**15)
    return within and only.outcome in (None, row.outcome)


SCORE = Score(
    60, "target", NOW_MS - 7_200_000, NOW_MS - 3_900_000, Decimal("64120.5"), Decimal("64710.0"), Decimal("0.009194"),
    Decimal("0.001105"), Decimal(0), Decimal("0.000171"), Decimal("0.008088829"), Decimal("1.73"), NOW_MS,
)  # fmt: skip
HELD = replace(SCORE, ended="nothing", entry=Decimal(0), exit=Decimal(0), net=Decimal("-0.000000171"), cost=None)
WORTHS = {
    1: OpinionWorth(False, None, None),
    2: OpinionWorth(True, None, None),
    3: OpinionWorth(False, HELD, None),
    4: OpinionWorth(False, SCORE, Beside(SCORE.before_call, ())),
}
"""What opinions were worth, by their decision's number modulo five."""
SCORED = (
    VersionScores(HOSTILE, 3, 40, 10, 5, 25, Decimal("-0.02"), Decimal("0.31"), 4),
    VersionScores(None, 0, 1_288, 402, 371, 515, Decimal("0.45"), Decimal(0), 1_288),
)


class Shelf:
    """Readings of the owner and the demo person; the newcomer has no account yet, and a stranger asks for nothing."""

    def __init__(self) -> None:
        self.choices = Choices(AccountSettings(max_leverage=8), True, 0, True, 1)
        self.asked: list[int] = []
        self.later = 2
        self.compares = compares(NOW_MS, HOSTILE)
        self.board = arena_view(NOW_MS, HOSTILE[:24])
        self.remembered: list[MemoryResult] = []
        self.tested, self.past = [past_worlds.line()], past_worlds.found()
        self.beside: tuple[dict[str, Any], ...] = ()
        """What is other than the first of each symbol the account trades beside it."""
        self.krw: tuple[WonRate, ...] = ()
        self.commanded: CommandRow | None = None
        self.stands = STANDING
        self.closed: tuple[ClosedMarket, ...] = ()
        self.known_rules: Instrument | None = INSTRUMENT
        self.liquidation: Decimal | None = None
        self.model = "local-model"
        self.cap: Decimal | None = None
        self.reason = HOSTILE
        self.says: Banner | None = None
        self.doors = Admission()
        self.away = False
        self.has_factor = False
        self.has_passkey = False
        self.usd_day: Decimal | None = None
        self.real: RealStanding | None = None
        self.lowest: DemoStanding | None = None

    def demo_step(self, user_id: int, now_ms: int) -> DemoStanding | None:
        return self._there(self.lowest)

    def real_money(self, user_id: int, now_ms: int) -> RealStanding | None:
        return self._there(self.real)

    def banner(self) -> Banner | None:
        return self._there(self.says)

    def admission(self) -> Admission:
        return self._there(self.doors)

    def _there(self, value: T) -> T:
        if self.away:
            raise Retry("the database is busy or away")
        return value

    def _has(self, user_id: int) -> bool:
        self.asked.append(user_id)
        return user_id in (OWNER.user_id, VISITOR.user_id, GUEST.user_id, OPERATOR.user_id)

    def health(self, now_ms: int) -> Health:
        cycle_ms = now_ms - 130_000
        return Health(
            "synthetic", True, 12.0, 1.0, 4.0, "", cycle_ms, "1 held", "decided", self.model, 1_840, cycle_ms,
            self.closed,
        )  # fmt: skip

    def status(self) -> dict[str, str]:
        turns = {"groups": "6", "calls": "6", "unreached": "0", "longest_wait_ms": "1250", "waiting": "0"}
        counts = {"gaps_filled": "1", "reconnects": "0", "quarantined": "0", "candles:BTCUSDT:1m": "5000"}
        return counts | {f"analyst_{name}": text for name, text in turns.items()}

    def analyst_profile(self, answered: str = "") -> AnalystProfile | None:
        return AnalystProfile("api.provider.test", self.model, self.model, "json_object · max_tokens 1024")

    def holding(self, user_id: int) -> Holding | None:
        if not self._has(user_id):
            return None
        return Holding(
            1, "paper", "synthetic", "BTCUSDT", Decimal(10_000), Decimal("456.38"), Decimal(12), Decimal(0),
            Decimal("0.031"), Decimal("64120.5"), NOTHING, True, Decimal(10_600), Decimal(63_820), Decimal(64_710), 8,
            liquidation=self.liquidation,
        )  # fmt: skip

    def tiles(self, user_id: int) -> Tiles | None:
        if not self._has(user_id):
            return None
        return Tiles(
            Decimal("10432.17"), Decimal("10444.38"), Decimal(10_000), Decimal("10301.41"), Decimal("130.76"),
            Decimal("-12.21"),
            Decimal("0.0412"), Decimal("0.612"), 49, Decimal(12), Decimal(0), Decimal("64001.2"), tuple(curve()),
            checked_ms=NOW_MS - 130_000,
        )  # fmt: skip

    def holdings(self, user_id: int) -> list[Holding]:
        first = self.holding(user_id)
        return [] if first is None else [first, *(replace(first, **one) for one in self.beside)]

    def markers(self, user_id: int, since_ms: int, symbol: str = "") -> list[Marker]:
        rows = [log_row(number) for number in range(1, 61)] if self._has(user_id) else []
        done = [row for row in rows if row.outcome in ("bought", "sold", "closed")]
        return [
            Marker(row.t_ms, row.outcome, "buy", Decimal(64_000), Decimal(1), Decimal(0), False, row.id) for row in done
        ]

    def command(self, user_id: int) -> CommandRow | None:
        return self.commanded if self._has(user_id) else None

    def standing(self, user_id: int) -> Standing | None:
        return self.stands if self._has(user_id) else None

    def settings(self, user_id: int) -> Choices | None:
        return self.choices if self._has(user_id) else None

    def won_rates(self, user_id: int) -> WonRates:
        return WonRates(self.krw, (WonRate(None, Decimal(1390)),))

    def instructions(self, user_id: int, limit: int = 50) -> list[InstructionRow]:
        texts = ("추세만", "추세만\n횡보장은 쉬기", self.choices.settings.custom_prompt)
        rows = [InstructionRow(n, one, "ab" * 32, NOW_MS - 60_000 * (4 - n)) for n, one in enumerate(texts, 1)]
        return rows[::-1] if self._has(user_id) else []

    def running_strategy(self, user_id: int) -> StrategyVersion | None:
        return self._versions()[0] if self._has(user_id) else None

    def strategy_at(self, user_id: int, at_ms: int) -> StrategyVersion | None:
        return self.running_strategy(user_id)

    def strategies(self, user_id: int) -> list[StrategyLine]:
        return [StrategyLine(1, "", 2, runs=True), StrategyLine(2, HOSTILE, 1, runs=False)]

    def strategy_versions(self, user_id: int, strategy_id: int, limit: int = 100) -> list[StrategyVersion]:
        return [one for one in self._versions() if one.strategy_id == strategy_id]

    def person_cap(self, environment: PlatformLimits) -> Decimal | None:
        return self.cap

    def model_days(self, user_id: int, since_ms: int) -> list[ModelDay]:
        return [ModelDay(NOW_MS // 86_400_000 * 86_400_000, "fast", False, 12, 6, 1, 12_000, 12, Decimal("0.0345"))]

    def model_lines(self, user_id: int, log_id: int) -> list[ModelLine]:
        failed = ModelLine("fast", "", "failed", codes.ANALYST_TIMEOUT(), 900, 22_000, Decimal("0.001"), 3)
        return [failed, ModelLine("default", "gpt-x", "decided", NOTHING, 960, 300, None, 3)]

    def strategy_shares(self, user_id: int) -> list[ShareLine]:
        return [ShareLine(7, HOSTILE, 1, "kim", NOW_MS)] if self._has(user_id) else []

    def records(self, user_id: int) -> list[RecordLine]:
        line = RecordLine(
            5, HOSTILE, 3, "ab" * 32, "2026-01-01", "2026-03-01", 60, 34_560, 17_280, "cd" * 32, "1.0412", 0
        )
        return [line] if self._has(user_id) else []

    def shadows(self, user_id: int) -> list[ShadowLine]:
        if not self._has(user_id):
            return []
        content = strategy_of(self.choices.settings)
        own = Shadow(5, user_id, 3, "", replace(content, system=HOSTILE), ShadowBudget(96, Decimal("0.25")))
        fast = Shadow(6, user_id, 0, "fast", with_model(content, "fast"), ShadowBudget(12, Decimal(1)))
        whys = ((codes.ANALYST_TIMEOUT(), 2), (codes.SHADOW_LATE(), 1))
        day = ShadowDay(40, 3, whys, Decimal("0.1234"), 0)
        return [
            ShadowLine(own, HOSTILE, 1, True, NOW_MS, NOW_MS, day, 340, 312),
            ShadowLine(fast, None, 0, False, NOW_MS, NOW_MS, ShadowDay(2, unpriced=2), 2, 0),
        ]

    def record_links(self, user_id: int) -> list[RecordLinkLine]:
        return [RecordLinkLine(7, 5, True, False, NOW_MS)] if self._has(user_id) else []

    def _versions(self) -> list[StrategyVersion]:
        now = strategy_of(self.choices.settings)
        old, other = replace(now, instructions="옛 지시", cadence_min=60), replace(now, system=HOSTILE, long_only=True)
        kept = ((2, 1, "", self.later, now), (1, 1, "", 1, old), (3, 2, HOSTILE, 1, other))
        return [
            StrategyVersion(version_id, strategy_id, name, number, content, content.sha256, NOW_MS - 60_000)
            for version_id, strategy_id, name, number, content in kept
        ]

    def preview(self, user_id: int, content: Strategy | None = None, symbol: str = "") -> Preview | None:
        said = self.choices.settings.custom_prompt if content is None else content.instructions
        last = CallRow(NOW_MS, 1_900, 120, Decimal("0.0021"))
        prices = AnalystPrices() if self.usd_day is None else AnalystPrices(Decimal("0.25"), Decimal(2))
        asked = ModelProfile("default", "gpt-x", "https://api.example.com/v1", "gpt-x", prices)
        each = prices.cost(2_100, 150)
        return Preview(
            f"system of {symbol}",
            f"candles {said}",
            30,
            NOW_MS,
            2_100,
            150,
            648_000,
            self.usd_day,
            last,
            asked,
            288,
            each,
        )

    def offered(self, user_id: int, symbol: str = "") -> Offer:
        notes = [ShownNote(block.name, "", 100 + at, NOW_MS) for at, block in enumerate(OFFERED[:-1])]
        notes[0] = replace(notes[0], left_out=codes.INPUT_TOO_FEW(found=3, wanted=12))
        return Offer(tuple(notes), 288, None if self.usd_day is None else Decimal("0.00000025"))

    def logs(self, user_id: int, *, newer_than: int = 0, limit: int = 20, symbol: str = "") -> list[LogRow]:
        rows = [log_row(number) for number in range(60, 60 - limit, -1)] if self._has(user_id) else []
        return [row for row in rows if symbol in ("", row.symbol)]

    def logs_page(
        self,
        user_id: int,
        *,
        limit: int,
        cursor: Cursor | None = None,
        only: LogFilter = EVERYTHING,
    ) -> Page:
        rows = [log_row(number) for number in range(60, 0, -1)] if self._has(user_id) else []
        found = [row for row in rows if _let_through(row, only)]
        first = sum(row.id >= cursor.row_id for row in found) if cursor else 0
        first = first if cursor is None or cursor.older else max(0, first - 1 - limit)
        shown, rest = found[first : first + limit], found[first + limit :]
        older = Cursor(True, shown[-1].t_ms, shown[-1].id) if shown and rest else None
        newer = Cursor(False, shown[0].t_ms, shown[0].id) if shown and first else None
        return Page(tuple(shown), len(found), True, older, newer)

    def own_accounts(self, user_id: int) -> list[OwnAccount]:
        return [samples.account(user_id)] if self._has(user_id) else []

    def results(self, user_id: int, **asked: Any) -> Results | None:
        return samples.results(user_id, **asked) if self._has(user_id) else None

    def orders_sheet(self, user_id: int, **asked: Any) -> Sheet[Order]:
        return Sheet((order(log_row(60)),)) if self._has(user_id) else Sheet()

    def fills_sheet(self, user_id: int, **asked: Any) -> Sheet[BookedFill]:
        return self._booked(user_id, funding=False)

    def funding_sheet(self, user_id: int, **asked: Any) -> Sheet[BookedFill]:
        return self._booked(user_id, funding=True)

    def _booked(self, user_id: int, *, funding: bool) -> Sheet[BookedFill]:
        rows = tuple(samples.booked(number, funding=funding) for number in range(1, 9))
        return Sheet(rows, Cursor(True, 1, 1)) if self._has(user_id) else Sheet()

    def transfers_sheet(self, user_id: int, **asked: Any) -> Sheet[TransferRow]:
        return Sheet()

    def worth(self, user_id: int, log_id: int) -> OpinionWorth | None:
        if not self._has(user_id) or not 1 <= log_id <= 60:
            return None
        return WORTHS.get(log_id % 5, OpinionWorth(False, SCORE, Beside(Decimal("0.00712"), ("entry", "exit"))))

    def version_scores(self, user_id: int, **asked: Any) -> list[VersionScores]:
        return list(SCORED) if self._has(user_id) else []

    def backtests(self, user_id: int, limit: int = 50) -> list[BacktestLine]:
        return self.tested if self._has(user_id) else []

    def backtest(self, user_id: int, job_id: int) -> BacktestFound | None:
        line = next((one for one in self.backtests(user_id) if one.job_id == job_id and one.state == "done"), None)
        return None if line is None else replace(self.past, line=line)

    def memory_tests(self, user_id: int) -> list[MemoryResult]:
        return self.remembered if self._has(user_id) else []

    def arena(self) -> ArenaView:
        return self.board

    def compared_mark(self, user_id: int, until_ms: int, account_id: int | None = None) -> Mark | None:
        waiting = {key: 288 for key in list(self.compares)[:1]}
        return Mark((1, len(self.compares)), waiting, frozenset(waiting)) if self._has(user_id) else None

    def compared(self, user_id: int, until_ms: int, account_id: int | None = None) -> Compared | None:
        calls, traded = {key: CALLS for key in self.compares}, frozenset(list(self.compares)[:2])
        return Compared(self.compares, calls, traded, 40) if self._has(user_id) else None

    def log_detail(self, user_id: int, log_id: int) -> LogDetail | None:
        if not self._has(user_id) or not 1 <= log_id <= 60:
            return None
        row = log_row(log_id)
        view = {"action": "buy", "confidence": "0.78", "leverage": 12, "reason": self.reason}
        steps = (("", "PLANNED"), ("PLANNED", "SUBMITTING"), ("SUBMITTING", "ACCEPTED"), ("ACCEPTED", "FILLED"))
        events = tuple(
            EventRow("mmlocal-1-e-0", row.t_ms + 2_000 + number * 400, before, after, text("as planned"), 0)
            for number, (before, after) in enumerate(steps)
        )
        price, qty, fee = Decimal("64120.5"), Decimal("0.031"), Decimal("1.0933")
        return LogDetail(
            row,
            {**view, "stop_loss": "0.005", "take_profit": "0.009"},
            (ClampRow("leverage: max_leverage", "12", "8"),),
            (order(row),),
            events,
            (FillRow(row.t_ms + 3_000, "buy", qty, price, fee, Decimal(0), "trade", False),),
            prompt=f'{{"symbol": "BTCUSDT", "candles": [[1, "64000"], [2, "64010"]], "blocks": {{{SEEN.text}}}}}',
            inputs=(note_of(SEEN), ShownNote("bars_1d", "", 9, 0, codes.INPUT_TOO_FEW(found=3, wanted=14))),
            raw_answer=f'{{"action": "buy", "reason": "{HOSTILE}"}}',
            model=self.model,
            latency_ms=1_840,
            prompt_tokens=900,
            completion_tokens=60,
            cost_usd=Decimal("0.000171"),
            candles=f'[{{"timestamp":{NOW_MS},"open":"64000.1","high":"64020","low":"63990","close":"64010.25","volume":"1.5"}}]',
        )

    def sessions(self, user_id: int) -> list[SessionLine]:
        ago = (3_000, 3_600_000, 5_400_000)
        places = (("Chrome · Windows", "203.0.113.7"), ("Safari · iPhone", "2001:db8:1:2::/64"), ("", "198.51.100.20"))
        if not self._has(user_id):
            return []
        return [
            SessionLine(
                number, *places[number], NOW_MS - 7_200_000, NOW_MS - ago[number], NOW_MS + 60_000, NOW_MS + 9**8
            )
            for number in range(3)
        ]

    def passkeys(self, user_id: int) -> list[PasskeyLine]:
        return [PasskeyLine(9, "Chrome · Windows", NOW_MS - 9**8, 0)] if self.has_passkey and self._has(user_id) else []

    def api_tokens(self, user_id: int) -> list[ApiToken]:
        return [ApiToken(1, "my *script*", "control", 0, 86_400_000)]

    def factor(self, user_id: int) -> FactorState:
        return FactorState(self._has(user_id) and self.has_factor, 2)

    def trail(self, user_id: int, limit: int, before: int = 0) -> list[TrailLine]:
        if not self._has(user_id):
            return []
        place = ("203.0.113.7", "Chrome · Windows")
        return [
            TrailLine(5, NOW_MS, "sign_in_failed", "", "stranger", *place),
            TrailLine(
                4, NOW_MS - 60_000, "settings_loosened", "risk_level:medium>high max_leverage:5>25", "owner", *place
            ),
            TrailLine(3, NOW_MS - 120_000, "key_saved", "demo ••••7Qk2", "owner", *place),
            TrailLine(2, NOW_MS - 180_000, "lock_ended", "drawdown", "owner", *place),
            TrailLine(1, NOW_MS - 240_000, "signed_in", "", "owner", "198.51.100.20", ""),
        ]

    def rules(self, symbol: str) -> Instrument | None:
        return self.known_rules

    def last_price(self, symbol: str) -> Decimal | None:
        return Decimal("64001.2")

    def key_status(self, user_id: int) -> KeyStatus | None:
        return KeyStatus(1, "demo", "7Qk2", NOW_MS - 86_400_000, NOTHING, True) if self._has(user_id) else None


@dataclass
class Acts:
    """The trading desk and the people desk as pages call them: everything asked is remembered, and allowed."""

    done: list[tuple[Any, ...]] = field(default_factory=list)
    answer: Refusal | None = None
    tokens: dict[str, SessionUser] = field(default_factory=lambda: dict(TOKENS))

    def user_of(self, token: str | None) -> SessionUser | None:
        return self.tokens.get(token or "")

    def change_looks(self, user: SessionUser, language: str, colours: Colours) -> Refusal | None:
        refusal = self._do("looks", user, language, colours)
        if refusal is None:
            token = next(token for token, known in self.tokens.items() if known.user_id == user.user_id)
            self.tokens[token] = replace(user, locale=language, colours=colours)
        return refusal

    def change_zone(self, user: SessionUser, name: str) -> Refusal | None:
        refusal = self._do("zone", user, name)
        if refusal is None:
            token = next(token for token, known in self.tokens.items() if known.user_id == user.user_id)
            self.tokens[token] = replace(user, time_zone=name)
        return refusal

    def change_theme(self, user: SessionUser, theme: Theme) -> Refusal | None:
        refusal = self._do("theme", user, theme)
        if refusal is None:
            token = next(token for token, known in self.tokens.items() if known.user_id == user.user_id)
            self.tokens[token] = replace(user, theme=theme)
        return refusal

    def change_numbers(self, user: SessionUser, numbers: Numbers) -> Refusal | None:
        refusal = self._do("numbers", user, numbers)
        if refusal is None:
            token = next(token for token, known in self.tokens.items() if known.user_id == user.user_id)
            self.tokens[token] = replace(user, numbers=numbers)
        return refusal

    def sign_out_everywhere(self, user: SessionUser) -> Refusal | None:
        return self._do("everywhere", user)

    def end_session(self, user: SessionUser, session_id: int) -> Refusal | None:
        return self._do("end_session", user, session_id)

    def remove(self, user: SessionUser, passkey_id: int) -> Refusal | None:
        return self._do("remove_passkey", user, passkey_id)

    def end_other_sessions(self, user: SessionUser) -> Refusal | None:
        return self._do("end_others", user)

    def _do(self, name: str, user: SessionUser, *what: object) -> Refusal | None:
        self.done.append((name, user.user_id, *what))
        return Refusal("refuse.read_only") if user.read_only else self.answer

    def open_paper(self, user: SessionUser) -> Refusal | None:
        return self._do("open_paper", user)

    def change_settings(self, user: SessionUser, settings: AccountSettings, version: int) -> Refusal | None:
        return self._do("settings", user, settings, version)

    def set_auto_trade(self, user: SessionUser, on: bool) -> Refusal | None:
        return self._do("auto_trade", user, on)

    def ask_now(self, user: SessionUser) -> Refusal | None:
        return self._do("ask_now", user)

    def recheck_key(self, user: SessionUser) -> Refusal | None:
        return self._do("recheck_key", user)

    def resume(self, user: SessionUser) -> Refusal | None:
        return self._do("resume", user)

    def choose_symbols(self, user: SessionUser, symbols: list[str]) -> Refusal | None:
        return self._do("symbols", user, tuple(symbols))

    def pause(self, user: SessionUser) -> Refusal | None:
        return self._do("pause", user)

    def flatten(self, user: SessionUser) -> Refusal | None:
        return self._do("flatten", user)

    def end_lock(self, user: SessionUser, kind: str) -> Refusal | None:
        return self._do("end_lock", user, kind)

    def create(self, user: SessionUser, name: str, content: Strategy) -> Kept | Refusal:
        return self._do("strategy", user, name, content) or Kept(9)

    def save(self, user: SessionUser, strategy_id: int, content: Strategy, newest: int) -> Kept | Refusal:
        return self._do("version", user, strategy_id, content, newest) or Kept(3)

    def rename(self, user: SessionUser, strategy_id: int, name: str) -> Refusal | None:
        return self._do("rename", user, strategy_id, name)

    def delete(self, user: SessionUser, strategy_id: int) -> Refusal | None:
        return self._do("delete", user, strategy_id)

    def run(self, user: SessionUser, version_id: int, version: int) -> Refusal | None:
        return self._do("run", user, version_id, version)

    def share(self, user: SessionUser, version_id: int, shown_as: str) -> MadeShare | Refusal:
        return self._do("share", user, version_id, shown_as) or MadeShare("c0de")

    def unshare(self, user: SessionUser, share_id: int) -> Refusal | None:
        return self._do("unshare", user, share_id)

    def shared(self, code: str) -> SharedStrategy | None:
        content = Strategy(system=HOSTILE, instructions="천천히")
        return SharedStrategy("", "lee", content, HOSTILE, NOW_MS) if code == "c0de" else None

    def show_record(self, user: SessionUser, record_id: int, *, named: bool, amounts: bool) -> MadeShare | Refusal:
        return self._do("show_record", user, record_id, named, amounts) or MadeShare("c0de")

    def hide_record(self, user: SessionUser, link_id: int) -> Refusal | None:
        return self._do("hide_record", user, link_id)

    def ask_backtest(self, user: SessionUser, wish: Wish) -> Asked | Refusal:
        return self._do("ask_backtest", user, wish) or Asked(9)

    def offer_past(self, user: SessionUser, wish: PastWish) -> PastOffer | Refusal:
        model = next(
            one.profile for one in self.choices(1, is_guest=False) if one.profile.name == (wish.model or "fast")
        )
        cost = estimated_cost(model.prices, 900, 2_345)
        return self._do("offer_past", user, wish) or PastOffer(model, cost, "unknown")

    def ask_past(self, user: SessionUser, wish: PastWish) -> Asked | Refusal:
        return self._do("ask_past", user, wish) or Asked(9)

    def ask_past_again(self, user: SessionUser, wish: Wish) -> Asked | Refusal:
        return self._do("ask_past_again", user, wish) or Asked(9)

    def cancel_backtest(self, user: SessionUser, job_id: int) -> Refusal | None:
        return self._do("cancel_backtest", user, job_id)

    def delete_backtest(self, user: SessionUser, job_id: int) -> Refusal | None:
        return self._do("delete_backtest", user, job_id)

    def share_backtest(self, user: SessionUser, job_id: int) -> MadeShare | Refusal:
        return self._do("share_backtest", user, job_id) or MadeShare("c0de")

    def unshare_backtest(self, user: SessionUser, job_id: int) -> Refusal | None:
        return self._do("unshare_backtest", user, job_id)

    def change_rates(self, shelf: Shelf, user: SessionUser, before: str, after: str) -> Refusal | None:
        if refusal := WonDesk(MemoryWonBook()).change(user, "", after):
            return refusal
        shelf.krw = read_lines(after)
        return self._do("krw", user, before, after)

    def choices(self, user_id: int, *, is_guest: bool) -> list[ModelChoice]:
        house = ModelProfile("default", "gpt-x", "https://api.example.com/v1", "gpt-x")
        fast = replace(house, name="fast", shown="Fast", prices=AnalystPrices(Decimal(1), Decimal(2)))
        own = replace(house, name="own/mine", shown=HOSTILE[:60])
        return [ModelChoice(house), ModelChoice(fast), ModelChoice(own, "9876", has_key=True)]

    def save_model(self, user: SessionUser, profile: ModelProfile, key: str | None) -> Refusal | None:
        return self._do("save_model", user, profile, key)

    def delete_model(self, user: SessionUser, name: str) -> Refusal | None:
        return self._do("delete_model", user, name)

    def clear_model_key(self, user: SessionUser, name: str) -> Refusal | None:
        return self._do("clear_model_key", user, name)

    def add_shadow(self, user: SessionUser, version_id: int, model: str, budget: ShadowBudget) -> MadeShadow | Refusal:
        return self._do("add_shadow", user, version_id, model, budget) or MadeShadow(9)

    def set_shadow_budget(self, user: SessionUser, shadow_id: int, budget: ShadowBudget) -> Refusal | None:
        return self._do("shadow_budget", user, shadow_id, budget)

    def delete_key(self, user: SessionUser) -> Refusal | None:
        return self._do("delete_key", user)

    def save_key(self, user: SessionUser, venue: str, api_key: str, api_secret: str) -> Refusal | None:
        return self._do("save_key", user, venue, api_key, api_secret)


def stage() -> SimpleNamespace:
    """What `app.system.system()` answers, with *shelf* and *acts* under their own names too."""
    acts, shelf = Acts(), Shelf()
    clock = SteppedClock(NOW_MS)
    operators = staged_door(clock, OPERATOR.user_id)
    return SimpleNamespace(
        people=acts,
        safety=acts,
        passkeys=acts,
        won=SimpleNamespace(change=lambda user, before, after: acts.change_rates(shelf, user, before, after)),
        real_money=acts,
        demo_step=SimpleNamespace(
            begin=lambda user, account_id, criteria: acts._do("begin_on_paper", user, account_id, criteria),
            override=lambda user, typed: acts._do("demo_without", user, typed),
        ),
        arena=SimpleNamespace(
            enter=lambda user, name, house=False: acts._do("enter_arena", user, name, house),
            rename=lambda user, number, name: acts._do("rename_in_arena", user, number, name),
            leave=lambda user, number: acts._do("leave_arena", user, number),
        ),
        resets=SimpleNamespace(can_mail=False),
        emails=SimpleNamespace(can_mail=False),
        trading=acts,
        strategies=acts,
        shadows=SimpleNamespace(
            add=acts.add_shadow,
            start=lambda user, number: acts._do("start_shadow", user, number),
            stop=lambda user, number: acts._do("stop_shadow", user, number),
            remove=lambda user, number: acts._do("remove_shadow", user, number),
            set_budget=acts.set_shadow_budget,
            most=lambda: 3,
        ),
        records=SimpleNamespace(share=acts.show_record, unshare=acts.hide_record),
        backtests=SimpleNamespace(
            ask=acts.ask_backtest,
            cancel=acts.cancel_backtest,
            delete=acts.delete_backtest,
            share=acts.share_backtest,
            unshare=acts.unshare_backtest,
        ),
        quarantine=SimpleNamespace(offer=acts.offer_past, ask=acts.ask_past, again=acts.ask_past_again),
        models=SimpleNamespace(
            choices=acts.choices, save=acts.save_model, delete=acts.delete_model, clear_key=acts.clear_model_key
        ),
        readings=shelf,
        acts=acts,
        shelf=shelf,
        operators=operators.door,
        previews=SimpleNamespace(of=shelf.preview, offered=shelf.offered),
        operating=operators,
        clock=SimpleNamespace(now_ms=lambda: NOW_MS),
        feed="synthetic",
        symbols=("BTCUSDT",),
        intervals=("1m",),
        venues=("paper", "demo", "testnet"),
        addresses=("203.0.113.7",),
        key_pages=SITES["com"].key_pages,
    )
