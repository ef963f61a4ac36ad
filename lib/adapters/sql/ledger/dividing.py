"""
Accounts divided among workers: `lib.ports.workers` as transactions.

They lock the row of nobody first, so one runs at a time; then leases. A claim, which reads a lease under a shared lock,
waits for a renewal and holds none up for longer than itself: it asks for nothing that these transactions hold.
"""

from collections.abc import Collection

import sqlalchemy as sa

from lib.adapters.sql.ledger.rows import Now, exclusively, insert_once
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.trading import trader_lease
from lib.adapters.sql.tables.workers import account_leases, loans, workers
from lib.domain.worker import Holding, Loan, Room, RoomAsk, Worker, fair_share, lend

_NOBODY = exclusively(sa.select(workers.c.holder).where(workers.c.holder == ""))
_lease = account_leases.c
KEPT_MS = 3_600_000
"""How long a loan that ended is kept, and a dead worker is known: a reading older than that lends nothing right."""


def hold(connection: sa.Connection, now: Now, worker: Worker, ttl_ms: int) -> Holding:
    """The port's `hold`."""
    at = _turn(connection, now)
    _live(connection, worker, at)
    renewed = sa.update(account_leases).where(_lease.holder == worker.holder).values(until_ms=at + ttl_ms)
    connection.execute(renewed)
    joined = account_leases.join(accounts, accounts.c.id == _lease.account_id)
    held = sa.select(_lease.account_id, _lease.epoch, accounts.c.active).select_from(joined)
    rows = connection.execute(held.where(_lease.holder == worker.holder)).all()
    mine = {row.account_id: row.epoch for row in rows}
    active = {row.account_id for row in rows if row.active}
    alive = _living(connection, at - ttl_ms)
    everybody = sa.select(sa.func.count()).select_from(accounts).where(accounts.c.active)
    alone = _alone(connection, at)
    share = len(active) if alone else fair_share(connection.execute(everybody).scalar_one(), alive, worker.holder)
    taken = _take(connection, worker.holder, share - len(active), at, ttl_ms) if share > len(active) else {}
    return Holding(mine | taken, frozenset(active | taken.keys()), max(len(active) - share, 0), len(alive), alone)


def _take(connection: sa.Connection, holder: str, most: int, at: int, ttl_ms: int) -> dict[int, int]:
    """Up to *most* active accounts that nobody owns at *at*, with the epochs under which they are *holder*'s now."""
    joined = accounts.outerjoin(account_leases, _lease.account_id == accounts.c.id)
    is_free = sa.or_(_lease.account_id.is_(None), _lease.holder == "", _lease.until_ms <= at)
    free = sa.select(accounts.c.id, _lease.epoch).select_from(joined).where(accounts.c.active, is_free)
    found = connection.execute(free.order_by(accounts.c.id).limit(most)).all()
    taken = {"holder": holder, "until_ms": at + ttl_ms}
    known = [account_id for account_id, epoch in found if epoch is not None]
    if known:
        given = sa.update(account_leases).where(_lease.account_id.in_(known))
        connection.execute(given.values(**taken, epoch=_lease.epoch + 1))
    fresh = [{"account_id": account_id, "epoch": 1, **taken} for account_id, epoch in found if epoch is None]
    if fresh:
        connection.execute(sa.insert(account_leases), fresh)
    return {account_id: (epoch or 0) + 1 for account_id, epoch in found}


def give_back(connection: sa.Connection, now: Now, holder: str, account_ids: Collection[int]) -> None:
    """The port's `give_back`."""
    _turn(connection, now)
    theirs = (_lease.holder == holder, _lease.account_id.in_(account_ids))
    connection.execute(sa.update(account_leases).where(*theirs).values(holder="", until_ms=0))


def leave(connection: sa.Connection, now: Now, holder: str) -> None:
    """The port's `leave`; rows in the order in which a claim locks them."""
    _turn(connection, now)
    connection.execute(sa.update(account_leases).where(_lease.holder == holder).values(holder="", until_ms=0))
    led = sa.update(trader_lease).where(trader_lease.c.holder == holder)
    connection.execute(led.values(holder="", expires_ms=0))
    connection.execute(sa.delete(workers).where(workers.c.holder == holder))


def living(connection: sa.Connection, now: Now, ttl_ms: int) -> list[Worker]:
    """The port's `living`."""
    return _living(connection, now(connection) - ttl_ms)


def trader_alone(connection: sa.Connection, now: Now) -> str:
    """The port's `trader_alone`."""
    return _alone(connection, now(connection))


def borrow(connection: sa.Connection, now: Now, ask: RoomAsk, ttl_ms: int) -> Room:
    """The port's `borrow`."""
    at = _turn(connection, now)
    connection.execute(sa.delete(loans).where(loans.c.until_ms <= min(ask.since_ms, at) - KEPT_MS))
    standing = sa.select(loans).where(loans.c.pool == ask.pool, loans.c.until_ms > ask.since_ms)
    rows = connection.execute(standing).mappings()
    lent = [_loan(row) for row in rows]
    room = lend(ask, lent, [one.holder for one in _living(connection, at - ttl_ms) if one.capacity])
    values = {"pool": ask.pool, "holder": ask.holder, "until_ms": ask.until_ms}
    made = {"made_entries": ask.made.entries, "made_exposure": ask.made.exposure}
    connection.execute(sa.insert(loans).values(**values, **made, entries=room.entries, exposure=room.exposure))
    return room


def _loan(row: sa.RowMapping) -> Loan:
    made = Room(row["made_entries"], row["made_exposure"])
    return Loan(row["pool"], row["holder"], Room(row["entries"], row["exposure"]), row["until_ms"], made)


def _turn(connection: sa.Connection, now: Now) -> int:
    """Wait for our turn; the ledger's clock then."""
    if connection.execute(_NOBODY).first() is None:
        insert_once(connection, workers, {"holder": ""})
        connection.execute(_NOBODY).one()
    return now(connection)


def _live(connection: sa.Connection, worker: Worker, at: int) -> None:
    told = {"address": worker.address, "capacity": worker.capacity, "seen_ms": at}
    mine = sa.update(workers).where(workers.c.holder == worker.holder).values(told)
    if not connection.execute(mine).rowcount:
        forgotten = sa.delete(workers).where(workers.c.holder != "", workers.c.seen_ms <= at - KEPT_MS)
        connection.execute(forgotten)
        insert_once(connection, workers, {"holder": worker.holder, **told})


def _living(connection: sa.Connection, since_ms: int) -> list[Worker]:
    alive = sa.select(workers).where(workers.c.holder != "", workers.c.seen_ms > since_ms).order_by(workers.c.holder)
    return [Worker(row["holder"], row["address"], row["capacity"]) for row in connection.execute(alive).mappings()]


def _alone(connection: sa.Connection, at: int) -> str:
    lives = (trader_lease.c.holder != "", trader_lease.c.expires_ms > at)
    is_no_worker = trader_lease.c.holder.not_in(sa.select(workers.c.holder))
    return connection.execute(sa.select(trader_lease.c.holder).where(*lives, is_no_worker)).scalar_one_or_none() or ""
