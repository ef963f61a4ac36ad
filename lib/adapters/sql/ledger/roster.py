"""
Who there is to trade for or to guard: accounts as the trader sees them.

Whoever has an open row, a position or an order that filled and is in no books yet is guarded, deleted or not; and who
has just left, in case the database lost what would say so. Settings are read as plain text, past the columns' own
types: one person's unreadable row must not hide everybody. Its account is there, not trading, with the settings nobody
chose.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.analysis import read_limits
from lib.adapters.sql.ledger.rows import Now, has_session, read_doubts
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import account_symbols, accounts, credentials, symbols, users
from lib.adapters.sql.tables.trading import fills, orders
from lib.domain.account import CADENCES, AccountSettings, RiskLevel
from lib.domain.account_records import AccountSymbol, TraderAccount
from lib.domain.decimals import plain
from lib.domain.decision import answer_version
from lib.domain.exit_rules import read_rules
from lib.domain.input_blocks import read_inputs
from lib.domain.model_profile import is_chain
from lib.domain.order import TERMINAL, OrderState
from lib.domain.order_rules import LATE_FILL_MS, LEFT_MS
from lib.domain.position import ZERO

_OPEN = [state.value for state in OrderState if state not in TERMINAL]


def _as_text(column: "sa.Column[Any]") -> "sa.Label[str]":
    return sa.type_coerce(column, sa.Text()).label(column.name)


_PLAIN = (
    "risk_level", "max_leverage", "risk_per_trade", "min_confidence", "cadence_min", "models", "answer_version",
    "exits",
)  # fmt: skip
_here = (orders.c.account_id == account_symbols.c.account_id, orders.c.symbol == symbols.c.symbol)
_has_fill = sa.exists().where(
    fills.c.account_id == orders.c.account_id,
    fills.c.at_ms >= orders.c.t_ms,  # none is older: the index need not be read from the account's beginning
    fills.c.order_link_id == orders.c.order_link_id,
)
unbooked = sa.exists().where(
    *_here,
    orders.c.t_ms >= account_symbols.c.last_fill_ms - LATE_FILL_MS,
    orders.c.filled_qty != ZERO,
    sa.not_(_has_fill),
)
"""
Whether an order of the account in the symbol filled and is in no books yet: its position is another than the row says.
Of a query over `account_symbols` and `symbols`.
"""
_is_used = sa.or_(
    account_symbols.c.position_qty != ZERO, sa.exists().where(*_here, orders.c.state.in_(_OPEN)), unbooked
)
in_use = sa.or_(
    sa.exists().where(orders.c.account_id == accounts.c.id, orders.c.state.in_(_OPEN)),
    sa.select(account_symbols.c.account_id)
    .join(symbols, symbols.c.symbol_no == account_symbols.c.symbol_no)
    .where(account_symbols.c.account_id == accounts.c.id, _is_used)
    .correlate(accounts)
    .exists(),
)
"""Whether a position or an order of ours may be open on the account (`order_rules.is_unbooked` is the third part)."""
_ACCOUNT = (
    sa.select(
        accounts.c.id.label("account_id"),
        accounts.c.user_id,
        accounts.c.venue,
        accounts.c.feed,
        accounts.c.uid,
        account_symbols.c.symbol_no,
        account_symbols.c.traded,
        account_symbols.c.position_qty,
        (account_symbols.c.symbol_no == accounts.c.symbol_no).label("is_first"),
        accounts.c.key_version,
        accounts.c.trading_enabled,
        accounts.c.flatten,
        accounts.c.switched_ms,
        accounts.c.proven_ms,
        accounts.c.paused_by,
        accounts.c.doubts,
        symbols.c.symbol,
        credentials.c.sealed,
        users.c.deleted_at,
        users.c.auto_trade_enabled,
        users.c.auto_trade_since_ms,
        users.c.settings_version,
        users.c.long_only,
        users.c.custom_prompt,
        users.c.system_text,
        users.c.inputs,
        users.c.is_guest,
        users.c.locale,
        sa.or_(sa.not_(users.c.is_guest), has_session(sa.bindparam("now_ms"))).label("is_here"),
        *(_as_text(users.c[name]) for name in _PLAIN),
        _as_text(users.c.limits),
    )
    .select_from(
        accounts.join(users, users.c.id == accounts.c.user_id)
        .join(account_symbols, account_symbols.c.account_id == accounts.c.id)
        .join(symbols, symbols.c.symbol_no == account_symbols.c.symbol_no)
        .join(
            credentials,
            (credentials.c.account_id == accounts.c.id) & (credentials.c.key_version == accounts.c.key_version),
        )
    )
    .where(accounts.c.active, credentials.c.revoked_at.is_(None))
    .where(sa.or_(users.c.deleted_at.is_(None), users.c.deleted_at >= sa.bindparam("left_since"), in_use))
    .where(sa.or_(account_symbols.c.traded, account_symbols.c.changed_ms >= sa.bindparam("off_since"), _is_used))
    .order_by(accounts.c.id, account_symbols.c.symbol_no)
)


def read_accounts(connection: sa.Connection, now: Now) -> list[tuple[TraderAccount, str]]:
    """Every account of the port's `accounts`, by id, each with what is wrong with its settings or ""."""
    at = now(connection)
    since = {"left_since": utc_from_ms(at - LEFT_MS), "off_since": at - LEFT_MS}
    rows = connection.execute(_ACCOUNT, since | {"now_ms": at}).mappings()
    return [_account_from(list(own)) for _, own in groupby(rows, key=itemgetter("account_id"))]


def _account_from(own: Sequence[sa.RowMapping]) -> tuple[TraderAccount, str]:
    """The account of *own*, a row for each of its symbols, seen on the first of them."""
    row = next((one for one in own if one["is_first"]), own[0])
    settings, flaw = _settings(row)
    account = TraderAccount(
        account_id=row["account_id"],
        user_id=row["user_id"],
        venue=row["venue"],
        feed=row["feed"],
        uid=row["uid"],
        symbol=row["symbol"],
        symbol_no=row["symbol_no"],
        settings=settings,
        key_version=row["key_version"],
        settings_version=row["settings_version"],
        sealed_key=row["sealed"],
        auto_trade=bool(row["auto_trade_enabled"] and row["is_here"]) and row["deleted_at"] is None and not flaw,
        auto_since=row["auto_trade_since_ms"],
        trading_enabled=row["trading_enabled"],
        booked_qty=row["position_qty"],
        flatten=row["flatten"],
        switched_ms=row["switched_ms"],
        proven_ms=row["proven_ms"],
        paused_by=row["paused_by"],
        is_guest=row["is_guest"],
        language=row["locale"],
        doubts=read_doubts(row["doubts"]),
        traded=bool(row["traded"]),
        symbols=tuple(_symbol_of(one) for one in own),
    )
    return account, flaw


def _symbol_of(row: sa.RowMapping) -> AccountSymbol:
    return AccountSymbol(row["symbol"], row["symbol_no"], row["position_qty"], bool(row["traded"]))


def _settings(row: sa.RowMapping) -> tuple[AccountSettings, str]:
    try:
        return _read_settings(row), ""
    except (ArithmeticError, ValueError, TypeError, AttributeError, RecursionError) as problem:
        return AccountSettings(), type(problem).__name__


def _read_settings(row: sa.RowMapping) -> AccountSettings:
    return AccountSettings(
        risk_level=RiskLevel(row["risk_level"]),
        max_leverage=int(row["max_leverage"]),
        custom_prompt=row["custom_prompt"] or "",
        long_only=row["long_only"],
        risk_per_trade=_fraction(row["risk_per_trade"]),
        min_confidence=_fraction(row["min_confidence"]),
        limits=read_limits(_decoded(row["limits"])),
        system=row["system_text"] or "",
        cadence_min=_cadence(row["cadence_min"]),
        inputs=read_inputs(row["inputs"]),
        models=_chain(row["models"]),
        answer_version=answer_version(row["answer_version"]),
        exits=read_rules(row["exits"]),
    )


def _chain(stored: str) -> tuple[str, ...]:
    names = tuple(stored.split(",")) if stored else ()
    if names and not is_chain(names):
        raise ValueError("not a chain of models")
    return names


def _cadence(stored: Any) -> int:
    if (minutes := int(stored)) not in CADENCES:
        raise ValueError("not a cadence")
    return minutes


def _decoded(stored: Any) -> Any:
    # a driver may hand JSON over as bytes or text; no column type has read it yet
    return None if stored is None else json.loads(stored)


def _fraction(stored: Any) -> Decimal | None:
    return None if stored is None else plain(_finite(Decimal(str(stored))))


def _finite(number: Decimal) -> Decimal:
    if not number.is_finite():
        raise ValueError("not a number")
    return number
