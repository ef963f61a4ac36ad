"""
The operators' room of the web process, wired: what its pages may do and read, and the system's health noted.

It holds no key that opens anything, and nothing that writes platform settings: those acts wait for the trader.
"""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from lib.adapters.log_files import FolderOfLogs
from lib.adapters.redis.upkeep import RedisHealthRing
from lib.adapters.sql.forms.model_lists import SqlModels
from lib.adapters.sql.forms.operator_acts import SqlOperatorActs
from lib.adapters.sql.forms.operators import SqlOperatorRoster
from lib.adapters.sql.forms.switchboard import SqlInvitations, SqlSwitchBoard
from lib.bootstrap import stores
from lib.clock import SystemClock
from lib.domain.account import PlatformLimits
from lib.domain.health import CANDLES, HEARTBEAT, HealthPoint, State
from lib.domain.model_profile import KeptModel
from lib.ports.upkeep import BudgetReading, HealthRing, LogFiles
from lib.queries import Health, OperatingReadings, Readings
from lib.settings import Settings
from lib.trading.operators_room import OperatorsRoom, RoomPorts


@dataclass(frozen=True, slots=True)
class OperatorsDoor:
    """
    Everything behind the operators' page and routes. *limits* are the platform's as this environment has them; *note*
    takes down how the system is now, *Retry* when a store is away.
    """

    room: OperatorsRoom
    readings: OperatingReadings
    ring: HealthRing
    budget: BudgetReading
    logs: LogFiles
    limits: PlatformLimits
    models: Callable[[], list[KeptModel]]
    """The operator's list, with what is retired."""
    note: Callable[[], None]


def operators_door(settings: Settings, engine: sa.Engine, readings: Readings) -> OperatorsDoor:
    """The room over the web's own stores."""
    clock, redis = SystemClock(), stores.redis_client(settings)
    ring = RedisHealthRing(redis)
    ports = RoomPorts(
        roster=SqlOperatorRoster(engine),
        acts=SqlOperatorActs(engine, clock),
        board=SqlSwitchBoard(engine),
        invitations=SqlInvitations(engine),
        clock=clock,
        limits=settings.platform_limits,
        may_resume=settings.trading_enabled,
    )

    def note() -> None:
        now_ms = clock.now_ms()
        ring.add(point_of(readings.health(now_ms), now_ms))

    return OperatorsDoor(
        room=OperatorsRoom(ports),
        readings=OperatingReadings(engine, stores.candle_store(settings)),
        ring=ring,
        budget=stores.budget(settings),
        logs=FolderOfLogs(settings.log_dir),
        limits=settings.platform_limits,
        models=SqlModels(engine).listed,
        note=note,
    )


def point_of(health: Health, now_ms: int) -> HealthPoint:
    """*health* at *now_ms* as a moment of the ring, in the order of `lib.domain.health.PARTS`."""
    stream: State = "unknown" if health.collector_age_s is None else "ok" if health.websocket else "down"
    analyst: State = "unknown" if not health.analyst else "down" if health.analyst == "failed" else "ok"
    states = (
        HEARTBEAT.state(health.collector_age_s),
        stream,
        CANDLES.state(health.candle_age_s),
        HEARTBEAT.state(health.trader_age_s),
        analyst,
    )
    return HealthPoint(now_ms, states)
