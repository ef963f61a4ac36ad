"""
Private streams as hints, between the simulated exchange and each process: late, lost, doubled, silent, or made up.

`PrivateStreams` is the exchange's end: every change of an account goes to whoever follows it. `SeededHints` is one
process's port, `lib.ports.exchange.AccountHints`. What is kept of the real one: signing in takes a moment and a good
key, coming up is a hint, pushes while a connection is down are lost, a refused key ends its stream until it changes. A
fault here excuses nobody: the guardian must hold by its timetable alone. Frames are not here; they have tests on real
sockets.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.domain.account_records import TraderAccount
from lib.ports.exchange import AccountHints
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import OrderRecord
from tests.sim.market import PRINT_MS
from tests.sim.ports import Border

KINDS = ("lost", "late", "doubled", "silent", "dropped")
"""What may become of a push, or of the connection it was to come by."""
FALSE = "hint false"
HINT_FAULTS = (*(f"hint {kind}" for kind in KINDS), FALSE)
"""By the name they are counted under."""
MADE_UP = 0.1
"""How much rarer a push about nothing is than one that goes wrong; asked whenever streams are followed."""
Later = Callable[[float, Callable[[], object]], None]


class PrivateStreams:
    """What *engine* tells, at the moment it happens: *advance* brings the exchange to now."""

    def __init__(self, engine: Engine, later: Later, advance: Callable[[], None]) -> None:
        self._engine, self._later, self._advance = engine, later, advance
        self._ports: list[SeededHints] = []

    def open(self, border: Border) -> "SeededHints":
        """The port of a new process."""
        port = SeededHints(border, self._engine)
        self._ports = [known for known in self._ports if not known.is_dead] + [port]
        return port

    def changed(self, uid: int) -> None:
        """Something of *uid* is not as it was."""
        for port in self._ports:
            port.pushed(uid)

    def accepted(self, order: OrderRecord) -> None:
        """*order* will be looked at soon; the exchange does not wait with that until somebody asks."""
        self._later((order.match_at - order.created_ms + 1) / 1000, self._advance)

    def watch_prices(self, now_ms: int) -> None:
        """See every print as it comes, for what it sets off."""
        self._advance()
        wait_ms = PRINT_MS - now_ms % PRINT_MS + 1
        self._later(wait_ms / 1000, lambda: self.watch_prices(now_ms + wait_ms))


@dataclass(slots=True)
class _Line:
    """The connection of one account."""

    account: TraderAccount
    is_up: bool = False
    is_over: bool = False
    told_ms: int = 0
    """When the last push was; others of that moment share its fate."""
    silent_until: int = 0


class SeededHints(AccountHints):
    """The hints of one process; dead and frozen with it."""

    def __init__(self, border: Border, engine: Engine) -> None:
        self._border, self._process, self._trouble = border, border.process, border.trouble
        self._engine = engine
        self._lines: dict[int, _Line] = {}
        """By account id."""
        self._refused: dict[int, object] = {}
        self._hinted: dict[int, None] = {}
        self._any: asyncio.Future[None] | None = None

    @property
    def is_dead(self) -> bool:
        return self._process.is_dead

    # --- the port -----------------------------------------------------------------------------------------------------

    async def follow(self, accounts: Sequence[TraderAccount]) -> None:
        if self._process.stopped:
            await self._process.halt()
        wanted = {account.account_id: account for account in accounts}
        for account_id, line in list(self._lines.items()):
            account = wanted.get(account_id)
            if account is None or _identity(account) != _identity(line.account):
                self._hang_up(line)
        for account_id, account in wanted.items():
            if account_id not in self._lines and self._refused.get(account_id) != _identity(account):
                self._lines[account_id] = _Line(account)
                self._dial(self._lines[account_id], self._some(0.05, 0.6))
        self._imagine()

    async def next(self) -> int:
        while not self._hinted:
            self._any = asyncio.get_running_loop().create_future()
            await self._any
        if self._process.stopped:
            await self._process.halt()
        account_id = next(iter(self._hinted))
        del self._hinted[account_id]
        return account_id

    async def close(self) -> None:
        for line in list(self._lines.values()):
            self._hang_up(line)

    # --- connections --------------------------------------------------------------------------------------------------

    def _hang_up(self, line: _Line) -> None:
        line.is_over, line.is_up = True, False
        self._lines.pop(line.account.account_id, None)

    def _dial(self, line: _Line, wait_s: float) -> None:
        line.is_up = False
        asyncio.get_running_loop().call_later(wait_s, self._dialled, line)

    def _dialled(self, line: _Line) -> None:
        if line.is_over or line.is_up or self.is_dead:
            return
        if self._process.stopped or self._is_cut_off():
            self._dial(line, self._some(1, 8))
        elif self._refuses(line.account):
            self._refused[line.account.account_id] = _identity(line.account)
            self._hang_up(line)
        else:
            line.is_up = True
            self._hint(line)

    def _is_cut_off(self) -> bool:
        return self._border.time.now_ms() < self._trouble.network_down_until and not self._trouble.healing

    def _refuses(self, account: TraderAccount) -> bool:
        found = self._engine.find_key(json.loads(account.sealed_key)[0])
        return found is None or bool(found[1].refusal)

    # --- pushes -------------------------------------------------------------------------------------------------------

    def pushed(self, uid: int) -> None:
        """The exchange says that something happened to *uid*."""
        if self.is_dead:
            return
        for line in self._lines.values():
            if line.is_up and line.account.uid == str(uid):
                self._push(line)
                return

    def _push(self, line: _Line) -> None:
        now = self._border.time.now_ms()
        if now == line.told_ms or now < line.silent_until:
            return
        line.told_ms = now
        if self._is_cut_off():
            self._dial(line, self._some(1, 8))
        elif self._trouble.chance("hints"):
            self._spoil(line, self._border.rng.choice(KINDS), now)
        else:
            self._bring(line, self._some(0.01, 0.3))

    def _spoil(self, line: _Line, kind: str, now: int) -> None:
        self._trouble.note(f"hint {kind}")
        match kind:
            case "late":
                self._bring(line, self._some(2, 40))
            case "doubled":
                self._bring(line, self._some(0.01, 0.3))
                self._bring(line, self._some(0.01, 4))
            case "silent":
                line.silent_until = min(now + round(self._some(3_000, 90_000)), self._trouble.heals_at)
            case "dropped":
                self._dial(line, self._some(0.5, 30))

    def _imagine(self) -> None:
        """Now and then a push about nothing."""
        if self._lines and self._trouble.chance("hints") and self._border.rng.random() < MADE_UP:
            self._trouble.note(FALSE)
            self._bring(self._border.rng.choice(list(self._lines.values())), self._some(0, 5))

    def _bring(self, line: _Line, wait_s: float) -> None:
        asyncio.get_running_loop().call_later(wait_s, self._arrive, line)

    def _arrive(self, line: _Line) -> None:
        if line.is_up and not self.is_dead:
            self._hint(line)

    def _hint(self, line: _Line) -> None:
        self._hinted[line.account.account_id] = None
        if self._any is not None and not self._any.done():
            self._any.set_result(None)

    def _some(self, least: float, most: float) -> float:
        return self._border.rng.uniform(least, most)


def _identity(account: TraderAccount) -> object:
    """What a stream belongs to: another key is another stream."""
    return account.venue, account.uid, account.key_version, account.sealed_key
