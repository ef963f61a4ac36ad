"""
The sealed columns of the database: which key pair each needs, and one sealed anew.

`credentials.sealed`, `models.sealed` and `own_models.sealed` are sealed for the trader and name their key pair;
`authenticators.sealed` is locked with WEB_SECRET
and names nothing. Every other secret in the database is a hash or a public key. A row is replaced only where it still
holds what was opened, so that a key that came meanwhile stays.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from lib.adapters.sql.forms.model_lists import read_list, read_own
from lib.adapters.sql.tables.analysts import models, own_models
from lib.adapters.sql.tables.people import accounts, credentials
from lib.adapters.sql.tables.safety import authenticators
from lib.domain.api_key import SealContext
from lib.domain.model_profile import KeptModel


@dataclass(frozen=True, slots=True)
class SealedKey:
    """An exchange key of the database, with what it is bound to."""

    row_id: int
    account_id: int
    sealed: str
    context: SealContext

    @property
    def kid(self) -> str:
        return self.sealed.split(".")[1] if self.sealed.count(".") == 2 else ""


@dataclass(frozen=True, slots=True)
class LockedSecret:
    """The locked secret of a person's authenticator."""

    user_id: int
    sealed: str


def kids_in_use(connection: sa.Connection) -> list[str]:
    """Names of the key pairs that exchange keys and keys of models are sealed for."""
    there, found = sa.inspect(connection), list[str]()
    for table in (credentials, models, own_models):
        if there.has_table(table.name):
            found += connection.scalars(sa.select(table.c.sealed).where(table.c.sealed != ""))
    return sorted({sealed.split(".")[1] for sealed in found if sealed.count(".") == 2})


def sealed_keys(connection: sa.Connection) -> list[SealedKey]:
    """Every exchange key that is not wiped, by id."""
    query = (
        sa.select(
            credentials.c.id,
            credentials.c.account_id,
            credentials.c.sealed,
            credentials.c.key_version,
            accounts.c.user_id,
            accounts.c.venue,
            accounts.c.uid,
        )
        .join(accounts, accounts.c.id == credentials.c.account_id)
        .where(credentials.c.sealed != "")
        .order_by(credentials.c.id)
    )
    return [
        SealedKey(row.id, row.account_id, row.sealed, SealContext(row.user_id, row.venue, row.uid, row.key_version))
        for row in connection.execute(query)
    ]


def model_keys(connection: sa.Connection) -> list[KeptModel]:
    """Every model with a key, the operator's first."""
    owners = connection.scalars(sa.select(own_models.c.user_id).distinct().order_by(own_models.c.user_id)).all()
    own = [kept for user_id in owners for kept in read_own(connection, user_id)]
    return [kept for kept in [*read_list(connection), *own] if kept.sealed]


def replace_model_key(connection: sa.Connection, kept: KeptModel, sealed: str) -> bool:
    """As `replace_key`."""
    table = own_models if kept.owner_id else models
    same = [table.c.name == kept.profile.name, table.c.sealed == kept.sealed]
    same += [own_models.c.user_id == kept.owner_id] if kept.owner_id else []
    return connection.execute(sa.update(table).where(*same).values(sealed=sealed)).rowcount == 1


def keys_in_use(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[SealedKey]:
    """The key in use of each active account of *where*, by account."""
    current = sa.select(credentials.c.id).join(accounts, accounts.c.id == credentials.c.account_id)
    current = current.where(credentials.c.key_version == accounts.c.key_version, accounts.c.active.is_(True), *where)
    numbers = set(connection.scalars(current))
    found = [row for row in sealed_keys(connection) if row.row_id in numbers]
    return sorted(found, key=lambda row: row.account_id)


def locked_secrets(connection: sa.Connection) -> list[LockedSecret]:
    """Every authenticator's secret, by person."""
    query = sa.select(authenticators.c.user_id, authenticators.c.sealed).order_by(authenticators.c.user_id)
    return [LockedSecret(row.user_id, row.sealed) for row in connection.execute(query)]


def replace_key(connection: sa.Connection, row: SealedKey, sealed: str) -> bool:
    """Put *sealed* in *row*'s place; False when the row holds something else by now."""
    same = (credentials.c.id == row.row_id, credentials.c.sealed == row.sealed)
    return connection.execute(sa.update(credentials).where(*same).values(sealed=sealed)).rowcount == 1


def replace_secret(connection: sa.Connection, row: LockedSecret, sealed: str) -> bool:
    """As `replace_key`."""
    same = (authenticators.c.user_id == row.user_id, authenticators.c.sealed == row.sealed)
    return connection.execute(sa.update(authenticators).where(*same).values(sealed=sealed)).rowcount == 1
