"""
The operators' door of a staged system: the real room over memory, and readings of plain values.

Operator 1 of the pages, or whoever a test puts into *roster*; two people, one order that needs a person, one lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from threading import Event

from lib.bootstrap.operators import OperatorsDoor
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.gates import FOREVER_MS
from lib.domain.health import PARTS, HealthPoint
from lib.domain.locks import RiskLock
from lib.domain.model_profile import KeptModel, ModelProfile
from lib.domain.operator_act import ActRow, OperatorRow
from lib.domain.order import Order, OrderState
from lib.domain.platform_settings import Invites, SettingChange
from lib.domain.pricing import AnalystPrices
from lib.domain.reason import NOTHING, text
from lib.domain.shadow import ShadowUse
from lib.ports.upkeep import BudgetReading, BudgetUse, HealthRing, LogFiles
from lib.queries import (
    AuditReport,
    Differing,
    External,
    HeldLock,
    ModelSpend,
    OperatingReadings,
    Overview,
    PeoplePage,
    PersonLine,
    Spend,
    Spender,
    Standing,
    Switches,
)
from lib.queries.real import CapStanding
from lib.trading.operators_room import OperatorsRoom, RoomPorts
from tests.fakes.operators import MemoryActs, MemoryBoard, MemoryInvitations, MemoryRoster

NOW_MS = 1_790_000_100_000
ON = Switches(trading_enabled=True, flatten=False, switched_ms=0, proven_ms=0, why=NOTHING)
STANDING = Standing(
    1, "paper", "synthetic", "100001", "BTCUSDT", True, Decimal("0.031"), ON, ON, (), (), ()
)  # fmt: skip
STUCK = Order(
    id=9, account_id=1, user_id=1, uid="100001", venue="paper", symbol="BTCUSDT", t_ms=NOW_MS - 90_000_000, leg="e",
    seq=0, order_link_id="mmlocal-stuck-e0", state=OrderState.NEEDS_HUMAN, side="buy", qty=Decimal("0.02"),
    limit_price=Decimal(64_000), ref_price=Decimal(64_000), stop_loss=Decimal(63_000), take_profit=Decimal(65_000),
    leverage=5, reduce_only=False, key_version=1, settings_version=1, why=codes.NO_PROOF_WITHIN_A_DAY(),
)  # fmt: skip
LOCK = RiskLock(1, "drawdown", FOREVER_MS, codes.DRAWDOWN(fell=Decimal("0.21"), limit=Decimal("0.2")), NOW_MS)
EXTERNAL = RiskLock(1, "external", NOW_MS + 3_600_000, codes.EXTERNAL_POSITION_CHANGE(), NOW_MS - 7_200_000)


PRICES = AnalystPrices(Decimal(1), Decimal(2))
PROFILE = ModelProfile("fast", "Fast", "https://api.example.com/v1", "gpt-x", PRICES, Decimal(5))
LISTED = KeptModel(PROFILE, 0, "v1.sealed", 1, "9876")


class StagedOperating(OperatingReadings):
    """Readings without a database."""

    def __init__(self) -> None:
        self.stands = Overview(ON, (), True, 2, 1, 0, 1, 1, (STUCK,))
        self.one = STANDING
        self.rows: dict[str, str] = {}
        self.cap: CapStanding | None = None
        self.listed = [LISTED]
        self.acted: list[ActRow] = []
        self.asked: list[str] = []
        self.report = AuditReport(12, 60, (), is_complete=True)

    def _line(self, number: int) -> PersonLine:
        stands = self.one if number == 1 else None
        return PersonLine(
            user_id=number,
            email="owner@example.com" if number == 1 else f"person-{number}@example.com",
            is_guest=False,
            is_demo=False,
            joined_ms=NOW_MS - 86_400_000 * number,
            last_seen_ms=NOW_MS - 60_000 * number if number < 3 else 0,
            standing=stands,
            equity=Decimal("10432.17") if stands else None,
            pnl=Decimal("432.17") if stands else None,
            spend=Spend(Decimal("41.5"), Decimal(61_000), Decimal("0.42")) if stands else Spend(),
        )

    def overview(self) -> Overview:
        return self.stands

    def account_standing(self, account_id: int) -> Standing | None:
        return self.one if account_id == 1 else None

    def people(self, search: str = "", *, guests: bool = False, before: int = 0, limit: int = 25) -> PeoplePage:
        self.asked.append(search)
        found = [line for line in map(self._line, (3, 2, 1)) if search in line.email]
        return PeoplePage(tuple(found), len(found), 0)

    def person(self, user_id: int) -> PersonLine | None:
        return self._line(user_id) if 1 <= user_id <= 3 else None

    def held_locks(self) -> list[HeldLock]:
        return [HeldLock(LOCK, 1, "owner@example.com")]

    def needs_human(self) -> list[tuple[Order, str]]:
        return [(STUCK, "owner@example.com")]

    def externals(self) -> list[External]:
        return [External(1, 1, "owner@example.com", EXTERNAL, "")]

    def differing(self) -> list[Differing]:
        return [Differing(1, 1, "owner@example.com", Decimal("-1.25"), NOW_MS - 130_000)]

    def models(self, feed: str) -> list[ModelSpend]:
        return [ModelSpend("gpt-5-mini", 132, 1, 210_000, 12_400, Decimal("0.84"), 1_840)]

    def shadow_use(self) -> ShadowUse:
        return ShadowUse(64, Decimal("0.12"))

    def spenders(self, feed: str, most: int = 50) -> list[Spender]:
        return [Spender(1, "owner@example.com", "gpt-5-mini", Spend(Decimal("41.5"), Decimal(61_000), Decimal("0.42")))]

    def setting_rows(self) -> dict[str, str]:
        return self.rows

    def real_cap(self) -> CapStanding | None:
        return self.cap

    def invites(self) -> Invites:
        return Invites(3, 1, 2)

    def setting_changes(self, newest: int = 20) -> list[SettingChange]:
        return [SettingChange("platform:registration", None, "invite", "operator:1", "full", NOW_MS - 60_000)]

    def acts(self, limit: int = 50, before: int = 0) -> list[ActRow]:
        return [act for act in self.acted if not before or act.id < before][:limit]

    def operators(self) -> list[OperatorRow]:
        return [OperatorRow(5, "operator@example.com", "cli:kim@desk", NOW_MS - 86_400_000, "", 0)]

    def audited(self, within_ms: int) -> AuditReport:
        return self.report


class StagedRing(HealthRing):
    """An hour of health with a hole and a fault in it."""

    def __init__(self) -> None:
        self.kept = [
            HealthPoint(NOW_MS - number * 30_000, ("ok", "ok", "late" if number == 40 else "ok", "ok", "ok"))
            for number in range(120, -1, -1)
            if not 60 < number < 80
        ]

    def add(self, point: HealthPoint) -> None:
        assert len(point.states) == len(PARTS)
        self.kept.append(point)

    def points(self) -> list[HealthPoint]:
        return self.kept


class StagedBudget(BudgetReading):
    """One family, a quarter used."""

    def uses(self) -> list[BudgetUse]:
        return [BudgetUse("bybit", 116, 462, 5_000, 0)]


class StagedLogs(LogFiles):
    """Two processes."""

    def names(self) -> list[str]:
        return ["collector", "trader"]

    def newest(self, name: str, lines: int) -> Sequence[str]:
        said = {"trader": ["09:30:13 info    cycle.done held=1", "09:30:14 error   trader.job_failed job=cycle"]}
        return said.get(name, [])[-lines:]


@dataclass
class Staged:
    """The door and what stands behind it."""

    door: OperatorsDoor
    roster: MemoryRoster
    acts: MemoryActs
    board: MemoryBoard
    invitations: MemoryInvitations
    readings: StagedOperating
    noted: Event
    """Set once the system's health was noted."""


def staged_door(clock: Clock, *operators: int) -> Staged:
    """A door whose *operators* have the role."""
    roster, board, invitations, readings = (
        MemoryRoster(set(operators)),
        MemoryBoard(),
        MemoryInvitations(),
        StagedOperating(),
    )
    acts, noted = MemoryActs(roster), Event()

    limits = PlatformLimits()
    ports = RoomPorts(roster, acts, board, invitations, clock, limits)
    door = OperatorsDoor(
        room=OperatorsRoom(ports),
        readings=readings,
        ring=StagedRing(),
        budget=StagedBudget(),
        logs=StagedLogs(),
        limits=limits,
        models=lambda: readings.listed,
        note=noted.set,
    )
    return Staged(door, roster, acts, board, invitations, readings, noted)


def act_row(number: int, kind: str = "stop", **changes: object) -> ActRow:
    """A stored act of operator 1."""
    values: dict[str, object] = {
        "id": number, "user_id": 1, "email": "owner@example.com", "kind": kind, "account_id": 0, "args": {},
        "origin": "203.0.113.7", "asked_ms": NOW_MS - 5_000, "done_ms": NOW_MS - 4_000, "result": text("done"),
    }  # fmt: skip
    return ActRow(**{**values, **changes})  # type: ignore[arg-type]
