"""Operators and their acts in memory, and switches that remember who threw them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lib.adapters.sql.forms.switchboard import AccountSwitches
from lib.domain.errors import Retry
from lib.domain.events import Event
from lib.domain.operator_act import FOR_THE_TRADER, NewAct, OperatorAct
from lib.domain.reason import NOTHING, Reason
from lib.domain.switches import AccountStop, Flags, after_throw, keeps_flatten, why_thrown
from lib.ports.operators import (
    Invitations,
    NoOperator,
    NoSuchSubject,
    OperatorActs,
    OperatorRoster,
    RequestedActs,
    SwitchBoard,
    Switched,
)


@dataclass
class MemoryRoster(OperatorRoster):
    """Whoever is among *ids*."""

    ids: set[int] = field(default_factory=set)

    def is_operator(self, user_id: int) -> bool:
        return user_id in self.ids


@dataclass
class MemoryActs(OperatorActs, RequestedActs):
    """Both halves; accounts 1 to 9 exist."""

    roster: MemoryRoster
    rows: list[NewAct] = field(default_factory=list)
    results: dict[int, Reason] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    away: bool = False

    def begin(self, act: NewAct) -> int:
        if self.away:
            raise Retry(NOTHING)
        if not self.roster.is_operator(act.user_id):
            raise NoOperator
        if act.account_id > 9:
            raise NoSuchSubject
        self.rows.append(act)
        return len(self.rows)

    def end(self, act_id: int, result: Reason) -> None:
        self.results[act_id] = result

    async def waiting(self) -> bool:
        return bool(self._open())

    async def take(self, now_ms: int) -> list[OperatorAct]:
        found = self._open()
        self.taken |= {act.id for act in found}
        return found

    async def done(self, act_id: int, result: Reason) -> None:
        self.results[act_id] = result

    def _open(self) -> list[OperatorAct]:
        numbered = enumerate(self.rows, 1)
        return [
            OperatorAct(number, row.user_id, row.kind, row.account_id, row.args, row.asked_ms)
            for number, row in numbered
            if row.kind in FOR_THE_TRADER and number not in self.taken | self.results.keys()
        ]


@dataclass
class MemoryBoard(SwitchBoard):
    """The platform's switches and those of account 1."""

    platform: Flags = field(default_factory=lambda: Flags(trading_enabled=True, flatten=False))
    one: AccountSwitches = field(default_factory=lambda: AccountSwitches(1, True, False, 0, 0, ""))
    thrown: list[tuple[int, bool, bool, str]] = field(default_factory=list)
    locks: set[tuple[int, str]] = field(default_factory=set)
    away: bool = False
    owner_stop: str = ""

    async def flags(self) -> Flags:
        if self.away:
            raise Retry(NOTHING)
        return self.platform

    async def accounts(self) -> Sequence[Switched]:
        return [self.one]

    async def set_flags(self, flags: Flags, who: str) -> None:
        flatten = self.platform.flatten if keeps_flatten(flags) else flags.flatten
        self.platform = replace(flags, flatten=flatten, why=why_thrown(self.platform, flags))
        self.thrown.append((0, flags.trading_enabled, flags.flatten, who))

    async def set_account_flags(self, account_id: int, flags: Flags, who: str) -> None:
        now = AccountStop(self.one.trading_enabled, self.one.flatten, self.one.paused_by, self.owner_stop)
        left = after_throw(now, flags, who)
        self.owner_stop = left.owner_stop
        self.one = replace(
            self.one, trading_enabled=left.trading_enabled, flatten=left.flatten, paused_by=left.paused_by
        )
        self.thrown.append((account_id, flags.trading_enabled, flags.flatten, who))

    async def notice(self, account_id: int, event: Event) -> None:
        pass

    async def unlock(self, account_id: int, kind: str, who: str) -> bool:
        held = (account_id, kind) in self.locks
        self.locks.discard((account_id, kind))
        return held


@dataclass
class MemoryInvitations(Invitations):
    """What was added."""

    added: list[tuple[tuple[str, ...], int, str]] = field(default_factory=list)

    def add(self, codes_sha256: Sequence[str], expires_ms: int, who: str) -> None:
        self.added.append((tuple(codes_sha256), expires_ms, who))
