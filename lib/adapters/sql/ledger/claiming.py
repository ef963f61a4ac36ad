"""
The claim: the point of no return, one transaction of locking reads, a ruling and one UPDATE.

An entry reads every off-switch under a lock, and only then the clock: whoever switches off either commits before (and
is seen) or waits until this claim is decided. An exit reads the order and its account's key version alone, so that no
switch, lock or lease can keep a position open.

Rows are locked in one order by everybody: platform flags and locks, person, account with its own lease and symbol, the
trader's lease, its locks, order, cap of real money, log row.
"""

from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.moving import transition
from lib.adapters.sql.ledger.real_money import Entering, real_facts, take_turn
from lib.adapters.sql.ledger.rows import Now, of, order_for_update, shared
from lib.adapters.sql.tables.people import account_symbols, accounts, symbols, system_flags, users
from lib.adapters.sql.tables.trading import platform_locks, risk_locks, trader_lease
from lib.adapters.sql.tables.workers import account_leases
from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.exchange_records import SignedOrder
from lib.domain.gates import kinds_of
from lib.domain.locks import claim_locks
from lib.domain.order import Claim, ClaimFacts, Order
from lib.domain.order_rules import claimed, moved, rule_claim
from lib.domain.position import ZERO
from lib.domain.real_money import real_money_refusal
from lib.domain.reason import NOTHING, Reason
from lib.domain.venues import CAPABILITIES, feed_fits, pool_of
from lib.domain.worker import LeaseHeld, is_owner

_Locks = list[tuple[str, int]]
"""Kinds of locks with their *until_ms*: the clock, read last, says which of the locks hold."""


_FLAGS = shared(sa.select(system_flags))
_PLATFORM_LOCKS = shared(sa.select(platform_locks.c.kind, platform_locks.c.until_ms))
_PERSON = shared(sa.select(users).where(users.c.id == sa.bindparam("of_user")))
_OWNER = ("holder", "epoch", "until_ms")
_ACCOUNT = shared(
    sa.select(accounts, account_symbols.c.traded, *(account_leases.c[n].label(f"owner_{n}") for n in _OWNER))
    .select_from(
        accounts.outerjoin(account_leases, account_leases.c.account_id == accounts.c.id)
        .outerjoin(symbols, symbols.c.symbol == sa.bindparam("of_symbol"))
        .outerjoin(
            account_symbols,
            (account_symbols.c.account_id == accounts.c.id) & (account_symbols.c.symbol_no == symbols.c.symbol_no),
        )
    )
    .where(accounts.c.id == sa.bindparam("of_account"))
)
_LEASE = shared(sa.select(trader_lease))
_OWN_LOCKS = shared(
    sa.select(risk_locks.c.kind, risk_locks.c.until_ms).where(risk_locks.c.account_id == sa.bindparam("of_account"))
)
_KEY_VERSION = shared(sa.select(accounts.c.key_version).where(accounts.c.id == sa.bindparam("of_account")))


def claim(connection: sa.Connection, now: Now, asked: Order, signed: SignedOrder, holder: str) -> Claim:
    """The ledger's `claim`."""
    if asked.reduce_only:
        row, facts, epoch = _exit_facts(connection, now, asked)
    else:
        row, facts, epoch = _entry_facts(connection, now, asked, holder)
    ruling = rule_claim(row, asked, signed, facts)
    if ruling.granted:
        after = claimed(row, ruling, signed, epoch, facts.now)
    elif ruling.state is not row.state:
        after = moved(row, ruling.state, ruling.why, facts.now)
    else:
        return ruling
    if not transition(connection, row.state, after, row.last_code):
        return Claim(False, row.state, codes.ALREADY_CLAIMED())
    return ruling


def _entry_facts(connection: sa.Connection, now: Now, asked: Order, holder: str) -> tuple[Order, ClaimFacts, int]:
    of_account = {"of_account": asked.account_id}
    flags = connection.execute(_FLAGS).mappings().one()
    of_platform = _locks(connection, _PLATFORM_LOCKS, {})
    user = connection.execute(_PERSON, {"of_user": asked.user_id}).mappings().one()
    account = connection.execute(_ACCOUNT, of(asked.slot)).mappings().one()
    lease = _lease(connection)
    own = _locks(connection, _OWN_LOCKS, of_account)
    row = order_for_update(connection, asked)
    real_money = _real_money(connection, now, row, account["venue"])
    at = now(connection)  # after the last lock: a wait for any of them counts as age
    facts = ClaimFacts(
        now=at,
        trading_enabled=flags["trading_enabled"] and account["trading_enabled"],
        flatten=flags["flatten"] or account["flatten"],
        lease_ours=is_owner(holder, at, _owner(account), lease),
        auto_trade=user["auto_trade_enabled"],
        deleted=user["deleted_at"] is not None or not account["active"],
        # as planned, too: a row that calls itself another venue's by now may not pass that venue's gates instead
        feed_fits=account["venue"] == row.venue and feed_fits(account["feed"], account["venue"]),
        key_version=account["key_version"],
        settings_version=user["settings_version"],
        locks=claim_locks(kinds_of(pool_of(account["venue"]), _kept(of_platform, at)), _kept(own, at)),
        real_money=real_money,
        traded=bool(account["traded"]),
    )
    return row, facts, lease.epoch


def _real_money(connection: sa.Connection, now: Now, row: Order, venue: Venue) -> Reason:
    """The gate that is closed before this entry, where the money is real."""
    if not CAPABILITIES[venue].has_real_money:
        return NOTHING
    notional = (row.qty or ZERO) * max(row.limit_price, row.ref_price)
    take_turn(connection)  # before the clock: a wait for it may pass midnight, or a cap's end
    return real_money_refusal(real_facts(connection, row.slot, now(connection), Entering(row.t_ms, notional)))


def _locks(connection: sa.Connection, query: "sa.Select[Any]", given: dict[str, int]) -> _Locks:
    return [(kind, until_ms) for kind, until_ms in connection.execute(query, given)]


def _kept(found: _Locks, at: int) -> list[str]:
    return [kind for kind, until_ms in found if until_ms > at]


def _lease(connection: sa.Connection) -> LeaseHeld:
    row = connection.execute(_LEASE).mappings().one()
    return LeaseHeld(row["holder"], row["epoch"], row["expires_ms"])


def _owner(account: sa.RowMapping) -> LeaseHeld | None:
    """The lease of the account itself, where accounts are divided among workers."""
    holder, epoch, until_ms = (account[f"owner_{name}"] for name in _OWNER)
    return None if holder is None else LeaseHeld(holder, epoch, until_ms)


def _exit_facts(connection: sa.Connection, now: Now, asked: Order) -> tuple[Order, ClaimFacts, int]:
    key_version = connection.execute(_KEY_VERSION, {"of_account": asked.account_id}).scalar_one()
    row = order_for_update(connection, asked)
    return row, exit_facts(now(connection), key_version), 0


def exit_facts(now: int, key_version: int) -> ClaimFacts:
    """The facts the claim of an exit needs; the switches are not read and stand open."""
    return ClaimFacts(
        now=now,
        trading_enabled=True,
        flatten=False,
        lease_ours=True,
        auto_trade=True,
        deleted=False,
        feed_fits=True,
        key_version=key_version,
        settings_version=0,
        locks=(),
        real_money=NOTHING,
    )
