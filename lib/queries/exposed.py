"""
Whose money is in the market now: every open position with its stop, for whoever watches that somebody guards it.

Not a person's own reading: it is over all accounts, for the notifier alone.
"""

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from lib.adapters.sql.tables.people import account_symbols, accounts, symbols, users
from lib.queries.money import MoneyReadings


@dataclass(frozen=True, slots=True)
class Exposed:
    """One open position; *stop_loss* None = not known."""

    user_id: int
    account_id: int
    symbol: str
    direction: str
    stop_loss: Decimal | None


class ExposedReadings(MoneyReadings):
    """Of everybody."""

    def exposed(self) -> list[Exposed]:
        """Every booked position of an active account."""
        query = (
            sa.select(accounts.c.id, accounts.c.user_id, symbols.c.symbol, account_symbols.c.position_qty)
            .join(account_symbols, account_symbols.c.account_id == accounts.c.id)
            .join(symbols, symbols.c.symbol_no == account_symbols.c.symbol_no)
            .where(accounts.c.active)
            .order_by(accounts.c.id, account_symbols.c.symbol_no)
        )
        rows = self._read(lambda c: c.execute(query).all())
        # money is compared in Python
        return [one for row in rows if row.position_qty and (one := self._one(row.user_id, row.id, row.symbol))]

    def trading(self) -> int:
        """How many accounts trade by themselves; what the demo shows is nobody's."""
        on = (accounts.c.active, accounts.c.trading_enabled, users.c.auto_trade_enabled)
        whose = (users.c.deleted_at.is_(None), users.c.is_demo.is_(False))
        query = sa.select(sa.func.count()).select_from(accounts).join(users, users.c.id == accounts.c.user_id)
        return self._read(lambda c: c.scalar(query.where(*on, *whose))) or 0

    def _one(self, user_id: int, account_id: int, symbol: str) -> Exposed | None:
        held = self.holding(user_id, symbol)
        if held is None or not held.position_qty:
            return None
        return Exposed(user_id, account_id, held.symbol, held.position.direction, held.stop_loss)
