"""
A terminal's own acts over SQL: `lib.ports.operators.TerminalActs`. Only a terminal has this adapter (`make check`).
"""

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.operator_acts import end_act, insert_act
from lib.clock import Clock
from lib.domain.operator_act import NewAct
from lib.domain.reason import Reason
from lib.ports.operators import TerminalActs


class SqlTerminalActs(TerminalActs):
    """`lib.ports.operators.TerminalActs`."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def begin(self, act: NewAct) -> int:
        return transact(self._engine, lambda c: insert_act(c, act))

    def end(self, act_id: int, result: Reason) -> None:
        transact(self._engine, lambda c: end_act(c, act_id, result, self._clock.now_ms()))
