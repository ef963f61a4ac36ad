"""
Read models for pages, API and the terminal: plain SQL and Redis reads, no rules.

The first argument is the user's id unless the data is the market's, so one person's rows cannot be asked for another's.
Nothing here writes. Money is summed in Python, never in SQL.
"""

from lib.queries.analyst import AnalystReadings
from lib.queries.analyst_costs import AnalystCost as AnalystCost
from lib.queries.arena import ArenaReadings
from lib.queries.arena import ArenaView as ArenaView
from lib.queries.audit import Audited as Audited
from lib.queries.audit import Broken as Broken
from lib.queries.backtests import BacktestFound as BacktestFound
from lib.queries.backtests import BacktestLine as BacktestLine
from lib.queries.backtests import BacktestReadings
from lib.queries.compared import Calls as Calls
from lib.queries.compared import Compared as Compared
from lib.queries.compared import ComparedReadings
from lib.queries.compared import Mark as Mark
from lib.queries.compared import VersionKey as VersionKey
from lib.queries.demo_step import DemoStepReadings
from lib.queries.exports import EXPORTS as EXPORTS
from lib.queries.exports import Column as Column
from lib.queries.exports import ExportReadings
from lib.queries.log_search import Words as Words
from lib.queries.logs import LogFilter as LogFilter
from lib.queries.logs import LogReadings
from lib.queries.memory_tests import MemoryResult as MemoryResult
from lib.queries.memory_tests import MemoryTestReadings
from lib.queries.models import ModelDay as ModelDay
from lib.queries.models import ModelLine as ModelLine
from lib.queries.models import ModelReadings
from lib.queries.money import MoneyReadings
from lib.queries.notices import MOST_UNSEEN as MOST_UNSEEN
from lib.queries.notices import ChannelRow as ChannelRow
from lib.queries.notices import NoticePage as NoticePage
from lib.queries.notices import NoticeReadings
from lib.queries.notices import NoticeRow as NoticeRow
from lib.queries.operating import AuditReport as AuditReport
from lib.queries.operating import Differing as Differing
from lib.queries.operating import External as External
from lib.queries.operating import HeldLock as HeldLock
from lib.queries.operating import ModelSpend as ModelSpend
from lib.queries.operating import OperatingReadings as OperatingReadings
from lib.queries.operating import Overview as Overview
from lib.queries.own import OwnAccount as OwnAccount
from lib.queries.paging import Cursor as Cursor
from lib.queries.paging import read_cursor as read_cursor
from lib.queries.person import PersonReadings
from lib.queries.platform import PlatformReadings
from lib.queries.pulse import Pulse as Pulse
from lib.queries.pulse import PulseReadings
from lib.queries.real import RealMoneyReadings
from lib.queries.records import OpenedRecord as OpenedRecord
from lib.queries.records import RecordLine as RecordLine
from lib.queries.records import RecordLinkLine as RecordLinkLine
from lib.queries.records import RecordReadings
from lib.queries.results import CurvePoint as CurvePoint
from lib.queries.results import ResultReadings
from lib.queries.results import Results as Results
from lib.queries.results import TransferRow as TransferRow
from lib.queries.roster import PeoplePage as PeoplePage
from lib.queries.roster import PersonLine as PersonLine
from lib.queries.roster import Spend as Spend
from lib.queries.roster import Spender as Spender
from lib.queries.safety import FactorState as FactorState
from lib.queries.safety import PasskeyLine as PasskeyLine
from lib.queries.safety import SafetyReadings
from lib.queries.safety import SessionLine as SessionLine
from lib.queries.safety import TrailLine as TrailLine
from lib.queries.scores import OpinionWorth as OpinionWorth
from lib.queries.scores import ScoreReadings
from lib.queries.scores import VersionScores as VersionScores
from lib.queries.shadows import ShadowDay as ShadowDay
from lib.queries.shadows import ShadowLine as ShadowLine
from lib.queries.shadows import ShadowReadings
from lib.queries.shadows import ShadowScore as ShadowScore
from lib.queries.sheets import BookedFill as BookedFill
from lib.queries.sheets import Sheet as Sheet
from lib.queries.sheets import SheetReadings
from lib.queries.standing import OperatorReadings as OperatorReadings
from lib.queries.standing import PlatformStanding as PlatformStanding
from lib.queries.standing import Standing as Standing
from lib.queries.standing import StandingReadings
from lib.queries.standing import Switches as Switches
from lib.queries.strategies import RunLine as RunLine
from lib.queries.strategies import ShareLine as ShareLine
from lib.queries.strategies import StrategyLine as StrategyLine
from lib.queries.strategies import StrategyReadings
from lib.queries.values import AnalystProfile as AnalystProfile
from lib.queries.values import CallRow as CallRow
from lib.queries.values import Choices as Choices
from lib.queries.values import ClampRow as ClampRow
from lib.queries.values import CommandRow as CommandRow
from lib.queries.values import EquityRow as EquityRow
from lib.queries.values import EventRow as EventRow
from lib.queries.values import FillRow as FillRow
from lib.queries.values import Health as Health
from lib.queries.values import Holding as Holding
from lib.queries.values import InstructionRow as InstructionRow
from lib.queries.values import KeyStatus as KeyStatus
from lib.queries.values import LogDetail as LogDetail
from lib.queries.values import LogRow as LogRow
from lib.queries.values import Marker as Marker
from lib.queries.values import Page as Page
from lib.queries.values import Stand as Stand
from lib.queries.values import Tiles as Tiles
from lib.queries.won import WonReadings


class Readings(
    ArenaReadings,
    ExportReadings,
    SheetReadings,
    ResultReadings,
    ScoreReadings,
    ShadowReadings,
    ComparedReadings,
    MoneyReadings,
    LogReadings,
    PersonReadings,
    StandingReadings,
    AnalystReadings,
    PlatformReadings,
    SafetyReadings,
    PulseReadings,
    WonReadings,
    NoticeReadings,
    RealMoneyReadings,
    DemoStepReadings,
    StrategyReadings,
    ModelReadings,
    RecordReadings,
    BacktestReadings,
    MemoryTestReadings,
):
    """Everything anybody may look at. *Retry* when a store is away."""
