"""
What a cycle asked about: its accounts as they stood, the window, where they stood, and under which key each was asked.

The memory of one process about the newest T of the timetable, written while the cycle asks and taken once afterwards by
who answers beside it (`lib.trading.shadow_room`). No cycle reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import CycleKey
from lib.domain.bucket import Bucket
from lib.domain.candle import Candle
from lib.domain.order import CYCLE_MS


@dataclass(frozen=True, slots=True)
class AskedSymbol:
    """One symbol at T: *window* (closed candles, oldest first), accounts by their id with the key of their answer."""

    window: Sequence[Candle]
    accounts: dict[int, tuple[TraderAccount, CycleKey]] = field(default_factory=dict)
    buckets: dict[int, Bucket] = field(default_factory=dict)
    """Of the accounts whose version is shown where it stands."""


@dataclass(slots=True)
class AskedAbout:
    """By symbol, of the newest T alone: nothing grows where nobody takes it."""

    t_ms: int = 0
    symbols: dict[str, AskedSymbol] = field(default_factory=dict)

    def note(
        self,
        t_ms: int,
        groups: Mapping[CycleKey, Sequence[TraderAccount]],
        window: Sequence[Candle],
        buckets: Mapping[int, Bucket],
    ) -> None:
        """The groups of one symbol are asked at *t_ms* about *window*; of a cycle on demand nothing is kept."""
        if t_ms % CYCLE_MS or t_ms < self.t_ms:
            return
        if t_ms > self.t_ms:
            self.t_ms, self.symbols = t_ms, {}
        for key, accounts in groups.items():
            about = self.symbols.setdefault(key.symbol, AskedSymbol(window))
            about.accounts.update({account.account_id: (account, key) for account in accounts})
            about.buckets.update(buckets)

    def take(self, t_ms: int) -> dict[str, AskedSymbol]:
        """What was asked about at *t_ms*, by symbol; from now on it is not here any more."""
        if t_ms != self.t_ms:
            return {}
        taken, self.symbols = self.symbols, {}
        return taken
