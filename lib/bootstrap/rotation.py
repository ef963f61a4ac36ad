"""The rotation of sealing keys, wired: every sealed column under the keys in use, and whether an old one is needed."""

import sqlalchemy as sa

from lib.accounts.second_factor import bound_to
from lib.adapters.sql.ledger.rows import ledger_clock
from lib.adapters.sql.recovery.refilling import lease_holder
from lib.adapters.sql.recovery.resealing import KeyRing, Resealer, Rotation
from lib.adapters.vault import public_key
from lib.bootstrap import stores
from lib.domain.errors import Halt
from lib.settings import Settings


def rotate(settings: Settings) -> Rotation:
    """
    Seal every row that needs it under ENCRYPTION_KEY and WEB_SECRET; what opens rows of before is in their _OLD.

    Safe beside everything that runs, to be killed, and to be run again. *Halt* where the web would go on sealing for
    another pair.
    """
    if settings.encryption_key and settings.encryption_public_key not in ("", public_key(settings.encryption_key)):
        raise Halt(
            "ENCRYPTION_PUBLIC_KEY is not the public half of ENCRYPTION_KEY: what the web seals would not open; "
            "`python -m services.keys` prints pairs"
        )
    return _resealer(settings, stores.database(settings)).run()


def standing(settings: Settings) -> Rotation:
    """How many rows need which keys, with nothing changed."""
    return _resealer(settings, stores.database(settings)).look()


def trader_lives(settings: Settings) -> bool:
    """Whether a trader holds the lease of this database now."""
    engine = stores.database(settings)
    now = ledger_clock(engine, None)
    with engine.connect() as connection:
        return bool(lease_holder(connection, now(connection)))


def _resealer(settings: Settings, engine: sa.Engine) -> Resealer:
    web = tuple(filter(None, (settings.web_secret, *settings.web_secrets_old)))
    return Resealer(engine, KeyRing(settings.key_ring, web), bound_to)
