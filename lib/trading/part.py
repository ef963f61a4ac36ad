"""
Which of a deployment's accounts this process serves: all of them, or its share among workers.

Where one trader does everything the part is the `Whole`, and the trader's lease says who leads. A `Share` is what
the leases of accounts gave this process. Its memory of them saves work and guards positions while the ledger is away;
no entry rests on it, because the claim reads the lease itself. What is forgotten of an account when it is taken is
everything this process remembered of it: another one may have traded there since.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from lib import log
from lib.clock import Clock, SteadyClock
from lib.domain.errors import Halt, Retry
from lib.domain.order import MAX_AGE_MS
from lib.domain.worker import Room, RoomAsk, Worker
from lib.ports.workers import WorkerLeases
from lib.trading.state import TraderState

LOG = log.get("trading.part")
TTL_MS = 12_000
"""How long a lease of an account holds; it is renewed every three seconds."""
ALONE_MS = 40_000
"""How long a worker bears a trader that serves everybody by itself: longer than a dead one's lease."""
PAUSE_MS = 3_000
COMMIT_MS = 30_000
"""The longest a claim's COMMIT takes: a loan ends no sooner than what was claimed under it shows in rows."""


class Part(Protocol):
    """The accounts of this process, and what of the platform's limits it may use."""

    @property
    def is_whole(self) -> bool:
        """Whether every account is this process's."""
        ...

    def owns(self, account_id: int) -> bool:
        """Whether the account is this process's to serve."""
        ...

    def epoch_of(self, account_id: int, led: int) -> int:
        """The epoch under which sweeps of the account count, where *led* is the epoch of who leads."""
        ...

    def may_serve(self) -> bool:
        """Whether a lease can be ours by our own clock."""
        ...

    def is_asking(self, t_ms: int) -> bool:
        """Whether another process said that it asks the analyst for everybody at T, and may still be at it."""
        ...

    async def room(self, ask: RoomAsk) -> Room:
        """What of the room that *ask* found this process may use."""
        ...


class Whole(Part):
    """Every account."""

    @property
    def is_whole(self) -> bool:
        return True

    def owns(self, account_id: int) -> bool:
        return True

    def epoch_of(self, account_id: int, led: int) -> int:
        return led

    def may_serve(self) -> bool:
        return True

    def is_asking(self, t_ms: int) -> bool:
        return False

    async def room(self, ask: RoomAsk) -> Room:
        return Room(ask.entries, ask.exposure)


@dataclass(slots=True)
class Share(Part):
    """What *worker* owns by its leases; `hold` keeps it."""

    worker: Worker
    leases: WorkerLeases
    state: TraderState
    clock: Clock
    ttl_ms: int = TTL_MS
    _epochs: dict[int, int] = field(default_factory=dict)
    surplus: int = 0
    """How many accounts too many were owned at the last look."""
    _sure_until_ms: int = 0
    _beside: tuple[str, int] = ("", 0)
    """A trader that serves everybody by itself, and since when it was seen beside us."""
    _asked_until_ms: dict[int, int] = field(default_factory=dict)
    _steady: SteadyClock = field(init=False)

    def __post_init__(self) -> None:
        self._steady = SteadyClock(self.clock)

    @property
    def is_whole(self) -> bool:
        return False

    def owns(self, account_id: int) -> bool:
        return account_id in self._epochs

    def epoch_of(self, account_id: int, led: int) -> int:
        return self._epochs.get(account_id, 0)

    def may_serve(self) -> bool:
        return self._steady.now_ms() < self._sure_until_ms

    def is_asking(self, t_ms: int) -> bool:
        return self._steady.now_ms() < self._asked_until_ms.get(t_ms, 0)

    def expect(self, t_ms: int, for_s: float) -> None:
        """Somebody asks the analyst for everybody at T: wait for it, *for_s* at most."""
        self._asked_until_ms = {t_ms: self._steady.now_ms() + round(for_s * 1000)}

    async def room(self, ask: RoomAsk) -> Room:
        return await self.leases.borrow(ask, self.ttl_ms)

    async def hold(self, is_at_rest: Callable[[int], bool]) -> frozenset[int]:
        """
        Renew what is owned, take what is free and fair, give back what is too much and at rest; what is newly ours.

        *Retry* when the ledger is away: what was owned stays in memory, for the guardian. *Halt* beside a trader that
        serves everybody by itself.
        """
        before = self._steady.now_ms()
        held = await self.leases.hold(self.worker, self.ttl_ms)
        self._sure_until_ms = 0 if held.alone else before + self.ttl_ms
        self._bear(held.alone)
        taken = frozenset(number for number, epoch in held.epochs.items() if self._epochs.get(number) != epoch)
        for account_id in taken:
            self.state.forget(account_id)
        if lost := self._epochs.keys() - held.epochs.keys():
            LOG.warning("accounts.lost", count=len(lost))
        self._epochs = dict(held.epochs)
        if taken:
            LOG.info("accounts.taken", count=len(taken), owned=len(self._epochs), workers=held.workers)
        self.surplus = held.surplus
        if held.surplus:
            await self._give_back([number for number in sorted(held.active) if is_at_rest(number)][: held.surplus])
        return taken & self._epochs.keys()

    def _bear(self, alone: str) -> None:
        """*Halt* when the trader *alone* lives on beside us; until then nothing is begun beside it."""
        now = self._steady.now_ms()
        if alone != self._beside[0]:
            self._beside = alone, now
        if alone and now - self._beside[1] > ALONE_MS:
            raise Halt(beside_trader(alone))

    async def _give_back(self, account_ids: Collection[int]) -> None:
        if not account_ids:
            return
        for account_id in account_ids:  # first here: nothing new begins for them
            del self._epochs[account_id]
        await self.leases.give_back(self.worker.holder, account_ids)
        LOG.info("accounts.given_back", count=len(account_ids), owned=len(self._epochs))

    async def leave(self) -> None:
        """Give everything back at the end."""
        self._epochs, self._sure_until_ms = {}, 0
        await self.leases.leave(self.worker.holder)


def loan_end_ms(t_ms: int) -> int:
    """From when on (ledger's clock, epoch ms) every entry of T that was claimed shows in rows, and no other can be."""
    return t_ms + MAX_AGE_MS + COMMIT_MS


@dataclass(frozen=True, slots=True)
class Beside:
    """
    Keeps apart the two ways to serve accounts: one trader for all of them, or workers (*is_divided*) each with a share.

    Either refuses to begin beside the other, once that one outlived the lease of a dead one. Safety is the claim's.
    """

    leases: WorkerLeases
    clock: Clock
    is_divided: bool

    async def wait(self) -> None:
        """Return when nobody serves accounts the other way; *Halt* when somebody still does after the longest lease."""
        steady, seen_ms = SteadyClock(self.clock), 0
        while True:
            try:
                other = await self._other()
            except Retry as busy:
                LOG.error("part.waits_for_ledger", why=str(busy))
            else:
                if not other:
                    return
                seen_ms = seen_ms or steady.now_ms()
                self._bear(other, steady.now_ms() - seen_ms)
            await self.clock.sleep(PAUSE_MS / 1000)

    def _bear(self, other: str, for_ms: int) -> None:
        if for_ms >= (ALONE_MS if self.is_divided else TTL_MS + PAUSE_MS):
            raise Halt(beside_trader(other) if self.is_divided else beside_workers(other))
        LOG.warning("part.waits", beside=other)

    async def _other(self) -> str:
        """Who serves accounts the other way, "" = nobody."""
        if self.is_divided:
            return await self.leases.trader_alone()
        return ", ".join(one.holder for one in await self.leases.living(TTL_MS))


def beside_trader(holder: str) -> str:
    """Why a worker does not go on."""
    return f"the trader {holder} serves every account by itself: stop it, or start it with WORKERS=true as well"


def beside_workers(holders: str) -> str:
    """Why a trader that would serve everybody by itself does not begin."""
    return f"accounts are divided among workers ({holders}): start the trader with WORKERS=true, or stop them first"
