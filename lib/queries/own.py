"""Whose account it is: every reading of results begins here, with the person's id and at most one id that was asked."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.tables.people import accounts, symbols
from lib.domain.account import Venue
from lib.domain.books import balance


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """One account a person has or had, as its books stand."""

    id: int
    venue: Venue
    feed: str
    symbol: str
    active: bool
    start_balance: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    transfers: Decimal
    last_transfer_ms: int
    difference: Decimal
    checked_ms: int
    opened_ms: int

    @property
    def balance(self) -> Decimal:
        """Cash by our books."""
        return balance(self.start_balance, self.realised, self.fees, self.funding, self.transfers)


_STORED = [accounts.c[name] for name in OwnAccount.__dataclass_fields__ if name != "symbol"]


def own_accounts(connection: sa.Connection, user_id: int) -> list[OwnAccount]:
    """Every account of the person, the one in use first, then the newest."""
    query = (
        sa.select(*_STORED, symbols.c.symbol)
        .join(symbols, symbols.c.symbol_no == accounts.c.symbol_no)
        .where(accounts.c.user_id == user_id)
        .order_by(accounts.c.active.desc(), accounts.c.id.desc())
    )
    return [OwnAccount(**_named(row)) for row in connection.execute(query).mappings()]


def _named(row: sa.RowMapping) -> dict[str, Any]:
    return dict(row)


def own_account(connection: sa.Connection, user_id: int, account_id: int | None) -> OwnAccount | None:
    """The person's account *account_id*, None: the first of them; None for another's and for none."""
    mine = own_accounts(connection, user_id)
    return next((one for one in mine if account_id in (None, one.id)), None)
