"""
The only place that knows which adapter stands behind which port.

Processes ask for a whole (a collector, a trader, a simulator, a rehearsal) and get it wired; they never see an adapter.
There is no mode here either: paper, demo and replay differ by the URLs in the settings and the objects handed over.

A name is imported when it is first asked for: a process loads what it runs on, not what the others do. While it loads
nothing is garbage, so nobody looks for any. No name here is a submodule's, which would stand in its place.
"""

import gc
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib.adapters.redis.embedded import EmbeddedRedis as EmbeddedRedis
    from lib.adapters.sql.recovery.resealing import Rotation as Rotation
    from lib.bootstrap.analyst import Trial as Trial
    from lib.bootstrap.analyst import try_analyst as try_analyst
    from lib.bootstrap.analyst import try_at_start as try_at_start
    from lib.bootstrap.archiving import Archivist as Archivist
    from lib.bootstrap.archiving import archivist as archivist
    from lib.bootstrap.backtester import work_backtest as work_backtest
    from lib.bootstrap.backtesting import BacktestPlan as BacktestPlan
    from lib.bootstrap.backtesting import Judgement as Judgement
    from lib.bootstrap.backtesting import backtest as backtest
    from lib.bootstrap.chatting import Chatting as Chatting
    from lib.bootstrap.chatting import chat_bot as chat_bot
    from lib.bootstrap.control import Control as Control
    from lib.bootstrap.control import PeopleControl as PeopleControl
    from lib.bootstrap.control import PlatformControl as PlatformControl
    from lib.bootstrap.control import open_control as open_control
    from lib.bootstrap.demo import ensure_demo as ensure_demo
    from lib.bootstrap.examining import Finding as Finding
    from lib.bootstrap.examining import examine as examine
    from lib.bootstrap.gridding import Gridded as Gridded
    from lib.bootstrap.gridding import GridPlan as GridPlan
    from lib.bootstrap.gridding import grid as grid
    from lib.bootstrap.library import candle_library as candle_library
    from lib.bootstrap.library import taken_file as taken_file
    from lib.bootstrap.local import embedded_redis as embedded_redis
    from lib.bootstrap.local import running_redis as running_redis
    from lib.bootstrap.memory_testing import MemoryOffer as MemoryOffer
    from lib.bootstrap.memory_testing import MemoryPlan as MemoryPlan
    from lib.bootstrap.memory_testing import MemoryTest as MemoryTest
    from lib.bootstrap.metrics import measured as measured
    from lib.bootstrap.migrating import migrate as migrate
    from lib.bootstrap.models import ModelControl as ModelControl
    from lib.bootstrap.operators import OperatorsDoor as OperatorsDoor
    from lib.bootstrap.preflight import PreflightWish as PreflightWish
    from lib.bootstrap.preflight import ask_preflight as ask_preflight
    from lib.bootstrap.preflight import preflight_url as preflight_url
    from lib.bootstrap.preflight import real_accounts as real_accounts
    from lib.bootstrap.preflight import sealed_wish as sealed_wish
    from lib.bootstrap.processes import collector as collector
    from lib.bootstrap.readiness import Readiness as Readiness
    from lib.bootstrap.recovery import RestoreWishes as RestoreWishes
    from lib.bootstrap.recovery import backup as backup
    from lib.bootstrap.recovery import restore as restore
    from lib.bootstrap.recovery import take_secrets as take_secrets
    from lib.bootstrap.rotation import rotate as rotate
    from lib.bootstrap.rotation import standing as standing
    from lib.bootstrap.rotation import trader_lives as trader_lives
    from lib.bootstrap.simulating import simulator as simulator
    from lib.bootstrap.starting import prepare_logs as prepare_logs
    from lib.bootstrap.starting import refuse_busy_port as refuse_busy_port
    from lib.bootstrap.starting import refuse_careless_web as refuse_careless_web
    from lib.bootstrap.starting import refuse_key_that_opens as refuse_key_that_opens
    from lib.bootstrap.starting import run_process as run_process
    from lib.bootstrap.stores import new_sealing_keys as new_sealing_keys
    from lib.bootstrap.stores import new_web_secret as new_web_secret
    from lib.bootstrap.stores import readings as readings
    from lib.bootstrap.supervising import forget_state as forget_state
    from lib.bootstrap.supervising import read_procfile as read_procfile
    from lib.bootstrap.supervising import supervisor as supervisor
    from lib.bootstrap.telling import Notifying as Notifying
    from lib.bootstrap.telling import notifying as notifying
    from lib.bootstrap.trading import trader as trader
    from lib.bootstrap.trading import worker as worker
    from lib.bootstrap.web import WebSystem as WebSystem
    from lib.bootstrap.web import web_system as web_system
    from lib.evidence.backtest import Backtest as Backtest
    from lib.evidence.baselines import Baselines as Baselines
    from lib.evidence.grid import LEAST_DAYS as LEAST_DAYS
    from lib.evidence.grid import Grid as Grid
    from lib.evidence.grid import Searched as Searched
    from lib.evidence.grid import Tried as Tried
    from lib.evidence.memory import badges as badges
    from lib.evidence.questioning import Questioned as Questioned
    from lib.last_line import last_line as last_line
    from lib.market.library import Footage as Footage
    from lib.market.library import Library as Library
    from lib.replay.rehearsal import Rehearsal as Rehearsal
    from lib.replay.replay import Findings as Findings
    from lib.replay.replay import ReplayPlan as ReplayPlan
    from lib.replay.replay import replay as replay
    from lib.replay.replay import synthetic_file as synthetic_file

HOMES = {
    "lib.adapters.redis.embedded": "EmbeddedRedis",
    "lib.adapters.sql.recovery.resealing": "Rotation",
    "lib.bootstrap.analyst": "Trial try_analyst try_at_start",
    "lib.bootstrap.archiving": "Archivist archivist",
    "lib.bootstrap.backtester": "work_backtest",
    "lib.bootstrap.backtesting": "BacktestPlan Judgement backtest",
    "lib.bootstrap.chatting": "Chatting chat_bot",
    "lib.bootstrap.control": "Control PeopleControl PlatformControl open_control",
    "lib.bootstrap.demo": "ensure_demo",
    "lib.bootstrap.examining": "Finding examine",
    "lib.bootstrap.gridding": "GridPlan Gridded grid",
    "lib.bootstrap.library": "candle_library taken_file",
    "lib.bootstrap.local": "embedded_redis running_redis",
    "lib.bootstrap.memory_testing": "MemoryOffer MemoryPlan MemoryTest",
    "lib.bootstrap.metrics": "measured",
    "lib.bootstrap.migrating": "migrate",
    "lib.bootstrap.models": "ModelControl",
    "lib.bootstrap.operators": "OperatorsDoor",
    "lib.bootstrap.preflight": "PreflightWish ask_preflight preflight_url real_accounts sealed_wish",
    "lib.bootstrap.processes": "collector",
    "lib.bootstrap.readiness": "Readiness",
    "lib.bootstrap.recovery": "RestoreWishes backup restore take_secrets",
    "lib.bootstrap.rotation": "rotate standing trader_lives",
    "lib.bootstrap.simulating": "simulator",
    "lib.bootstrap.starting": "prepare_logs refuse_busy_port refuse_careless_web refuse_key_that_opens run_process",
    "lib.bootstrap.stores": "new_sealing_keys new_web_secret readings",
    "lib.bootstrap.supervising": "forget_state read_procfile supervisor",
    "lib.bootstrap.telling": "Notifying notifying",
    "lib.bootstrap.trading": "trader worker",
    "lib.bootstrap.web": "WebSystem web_system",
    "lib.evidence.backtest": "Backtest",
    "lib.evidence.baselines": "Baselines",
    "lib.evidence.grid": "Grid LEAST_DAYS Searched Tried",
    "lib.evidence.memory": "badges",
    "lib.evidence.questioning": "Questioned",
    "lib.last_line": "last_line",
    "lib.market.library": "Footage Library",
    "lib.replay.rehearsal": "Rehearsal",
    "lib.replay.replay": "Findings ReplayPlan replay synthetic_file",
}
"""Where each name is found, the same names as above."""


if not TYPE_CHECKING:  # a checker would take any name then

    def __getattr__(name: str) -> object:
        """The name of another module, imported now."""
        home = next((module for module, names in HOMES.items() if name in names.split()), None)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found = getattr(_loaded(home), name)
        return found


def _loaded(module: str) -> ModuleType:
    """*module*, imported without a look for garbage: a seventh of the time, and there is none."""
    looks = gc.isenabled()
    gc.disable()
    try:
        return import_module(module)
    finally:
        if looks:
            gc.enable()
