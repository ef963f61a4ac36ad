"""
The operator's list of models and people's own over SQL: `lib.ports.models`. Keys stay sealed here.

A price that is NULL was not said; prices that are both 0 were, and mean that the model is free. Whoever writes a
person's models locks the person's row, as every form does.
"""

from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import living_user
from lib.adapters.sql.forms.sessions import counted
from lib.adapters.sql.forms.trail import record
from lib.adapters.sql.tables.analysts import models, own_models
from lib.domain.model_profile import KeptModel, ModelProfile
from lib.domain.position import ZERO
from lib.domain.pricing import AnalystPrices
from lib.domain.trail import Note
from lib.ports.models import ModelRegister, ModelShelf


class SqlModels(ModelShelf):
    """`lib.ports.models.ModelShelf`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def listed(self) -> list[KeptModel]:
        return transact(self._engine, read_list, readonly=True)

    def own(self, user_id: int) -> list[KeptModel]:
        return transact(self._engine, lambda c: read_own(c, user_id), readonly=True)

    def keep_own(self, kept: KeptModel, most: int, now_ms: int, note: Note) -> bool:
        def work(connection: sa.Connection) -> bool:
            living_user(connection, kept.owner_id)
            mine = (own_models.c.user_id == kept.owner_id, own_models.c.name == kept.profile.name)
            values = _values(kept, now_ms)
            if not connection.execute(sa.update(own_models).where(*mine).values(values)).rowcount:
                held = sa.select(sa.func.count()).select_from(own_models).where(mine[0])
                if (connection.scalar(held) or 0) >= most:
                    return False
                connection.execute(sa.insert(own_models).values(values | {"user_id": kept.owner_id}))
            record(connection, note)
            return True

        return transact(self._engine, work)

    def delete_own(self, user_id: int, name: str, note: Note) -> bool:
        def work(connection: sa.Connection) -> bool:
            living_user(connection, user_id)
            gone = sa.delete(own_models).where(own_models.c.user_id == user_id, own_models.c.name == name)
            if not connection.execute(gone).rowcount:
                return False
            record(connection, note)
            return True

        return transact(self._engine, work)


class SqlModelRegister(ModelRegister):
    """`lib.ports.models.ModelRegister`: the terminal's alone."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def listed(self) -> list[KeptModel]:
        return transact(self._engine, read_list, readonly=True)

    def keep(self, kept: KeptModel, now_ms: int) -> None:
        values = _values(kept, now_ms) | {"offered": kept.profile.offered}

        def work(connection: sa.Connection) -> None:
            same = sa.update(models).where(models.c.name == kept.profile.name)
            if not connection.execute(same.values(values)).rowcount:
                connection.execute(sa.insert(models).values(values))

        transact(self._engine, work)

    def delete(self, name: str) -> bool:
        return transact(self._engine, counted(sa.delete(models).where(models.c.name == name))) == 1


def read_list(connection: sa.Connection) -> list[KeptModel]:
    """The operator's list."""
    rows = connection.execute(sa.select(models).order_by(models.c.name)).mappings()
    return [_kept(row, 0, offered=row["offered"]) for row in rows]


def read_own(connection: sa.Connection, user_id: int) -> list[KeptModel]:
    """The person's own models."""
    rows = connection.execute(sa.select(own_models).where(own_models.c.user_id == user_id).order_by(own_models.c.name))
    return [_kept(row, user_id, offered=True) for row in rows.mappings()]


def _kept(row: sa.RowMapping, owner_id: int, *, offered: bool) -> KeptModel:
    profile = ModelProfile(
        name=row["name"],
        shown=row["shown"],
        base_url=row["base_url"],
        model=row["model"],
        prices=_prices(row),
        day_usd=row["day_usd"],
        offered=offered,
        cutoff=row["cutoff"],
    )
    return KeptModel(profile, owner_id, row["sealed"], row["key_version"], row["last4"])


def _prices(row: sa.RowMapping) -> AnalystPrices:
    asked, said = row["input_usd"], row["output_usd"]
    if asked is None or said is None:
        return AnalystPrices()
    return AnalystPrices(asked, said, row["cached_usd"], free=asked == ZERO and said == ZERO)


def _values(kept: KeptModel, now_ms: int) -> dict[str, Any]:
    profile, prices = kept.profile, kept.profile.prices
    return {
        "name": profile.name,
        "shown": profile.shown,
        "base_url": profile.base_url,
        "model": profile.model,
        "input_usd": prices.input_usd if prices.known else None,
        "output_usd": prices.output_usd if prices.known else None,
        "cached_usd": prices.cached_usd if prices.known else None,
        "day_usd": profile.day_usd,
        "cutoff": profile.cutoff,
        "sealed": kept.sealed,
        "last4": kept.last4,
        "key_version": kept.key_version,
        "changed_ms": now_ms,
    }
