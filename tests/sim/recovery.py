"""
How long after a restart every row that was open then had ended, where nothing went wrong meanwhile.

Only restarts that met no fault on their way count: exchange, database and the shared budget were up, and nobody's clock
was wrong. Rows of accounts whose key is dead are left out, nobody can ask about them.
"""

from collections.abc import Callable, Mapping

from lib.domain.order import TERMINAL
from tests.sim.cabinet import Cabinet
from tests.sim.process import Process
from tests.sim.referee import Person


class Recoveries:
    """
    Watches the rows of *cabinet*; *took_ms* is the answer, a number a restart that found something open.

    *is_calm* says whether nothing but the processes themselves has been in anybody's way since a moment.
    """

    def __init__(
        self,
        cabinet: Cabinet,
        people: Mapping[int, Person],
        now_ms: Callable[[], int],
        is_calm: Callable[[int], bool],
    ) -> None:
        self._cabinet, self._people, self._now_ms, self._is_calm = cabinet, people, now_ms, is_calm
        self._waiting: dict[Process, tuple[int, set[int]]] = {}
        self.took_ms: list[int] = []

    def started(self, process: Process) -> None:
        """*process* begins its life now."""
        if rows := self._open():
            self._waiting[process] = self._now_ms(), rows

    def written(self) -> None:
        """Something was committed."""
        if not self._waiting:
            return
        still_open = self._open()
        for process, (began_ms, rows) in list(self._waiting.items()):
            if process.is_dead or process.clear_since_ms > began_ms or not self._is_calm(began_ms):
                del self._waiting[process]
            elif not rows & still_open:
                self.took_ms.append(self._now_ms() - began_ms)
                del self._waiting[process]

    def _open(self) -> set[int]:
        rows = [row for row in self._cabinet.rows() if row.state not in TERMINAL]
        return {row.id for row in rows if not self._people[int(row.uid)].excused}


def percentile(values: list[int], share: float) -> int:
    """The least of *values* that *share* of them do not exceed; 0 of none."""
    ranked = sorted(values)
    return ranked[min(int(share * len(ranked)), len(ranked) - 1)] if ranked else 0
