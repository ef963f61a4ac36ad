"""
The rows of somebody who has gone the whole way to real money, each written as its own writer writes it.

This is the only door by which tests with real processes come past the gates: a simulator's word opens none of them.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.forms.real_caps import SqlPreflightBook
from lib.adapters.sql.forms.stretch_book import SqlStretchBook
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.safety import authenticators
from lib.adapters.sql.tables.stretches import stretches
from lib.adapters.sql.tables.trading import equity_points, orders
from lib.domain.account import Venue
from lib.domain.order import OrderState
from lib.domain.preflight import Card
from lib.domain.real_money import DAY_MS, LEAST_DAYS, LEAST_HOURS, LEAST_TRADES
from lib.domain.stretch import criteria_text
from tests.factories import SYMBOL
from tests.worlds.real import ALL_CARDS, ANSWERING, SHOWN, passed, run

STEP_MS = DAY_MS // 24
"""As seldom as any strategy decides."""
REHEARSED_UID = "77"


def rehearsed(engine: sa.Engine, user_id: int, demo: int, now: int, model: str = ANSWERING) -> None:
    """Clean days and filled entries of the account *demo* until yesterday, and a confirmed second factor."""
    clean_days(engine, demo, now)
    with engine.begin() as connection:
        connection.execute(sa.update(users).where(users.c.id == user_id).values(risk_level="low"))
        connection.execute(sa.insert(authenticators).values(user_id=user_id, sealed="x", confirmed=True))
        for number in range(LEAST_TRADES):
            connection.execute(sa.insert(orders).values(filled(demo, user_id, number, now)))
    evidenced(engine, user_id, demo, now, model)


def clean_days(engine: sa.Engine, demo: int, now: int) -> None:
    """A week until yesterday in which books and wallet of the account *demo* were compared and never differed."""
    midnight = now - now % DAY_MS
    points = [
        _point(demo, midnight - day * DAY_MS + number * STEP_MS)
        for day in range(1, LEAST_DAYS + 1)
        for number in range(LEAST_HOURS)
    ]
    with engine.begin() as connection:
        connection.execute(sa.insert(equity_points), points)


def evidenced(engine: sa.Engine, user_id: int, account_id: int, now: int, model: str = ANSWERING) -> None:
    """A stretch of the version that runs and of *model*, sealed forty days ago and passed."""
    with engine.begin() as connection:
        running = connection.scalar(sa.select(users.c.strategy_version_id).where(users.c.id == user_id)) or 0
        asked = {"user_id": user_id, "account_id": account_id, "version_id": running, "asked_ms": now - 41 * DAY_MS}
        connection.execute(
            sa.insert(stretches).values(asked | {"criteria": criteria_text(passed(model=model).criteria)})
        )
    book = SqlStretchBook(engine)
    for _ in range(2):  # sealed, and read again as it is sealed
        one = max(book.open(), key=lambda each: each.stretch_id)
        book.seal(one, now - 40 * DAY_MS)
    book.end(one, SHOWN, one.until_ms + DAY_MS)


def _point(account_id: int, t_ms: int) -> Mapping[str, Any]:
    money = {"balance": Decimal(1), "equity": Decimal(1), "difference": Decimal(0)}
    return {"account_id": account_id, "t_ms": t_ms, **money}


def filled(account_id: int, user_id: int, number: int, now: int, **changes: Any) -> dict[str, Any]:
    """An entry that filled *number* + 1 days before *now*."""
    return {
        "account_id": account_id, "user_id": user_id, "uid": REHEARSED_UID, "venue": "demo", "symbol": SYMBOL,
        "t_ms": now - DAY_MS * (number + 1), "leg": "e", "seq": 0, "order_link_id": f"mmt3st-{account_id}-{number}",
        "state": OrderState.FILLED, "side": "buy", "leverage": 1, "qty": Decimal("0.01"), "attempts": 1,
        "limit_price": Decimal(60_000), **changes,
    }  # fmt: skip


def examined(
    engine: sa.Engine, venue: Venue, started_ms: int, uid: str = "1", cards: tuple[Card, ...] = ALL_CARDS
) -> None:
    """A run of *cards* at Bybit's own host, all of them passed."""
    SqlPreflightBook(engine).keep(run(venue, cards, started_ms=started_ms, uid=uid), "evidence.json")
