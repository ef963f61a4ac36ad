"""
The outbox: one row for each thing its reader is to be told of, in the transaction of that thing.

The table has no foreign key, so writing it takes no lock on the person's or the account's row and can neither wait for
nor hold up a claim. Nothing here sends anything.
"""

import sqlalchemy as sa

from lib.adapters.sql.ledger.rows import insert_once, insertion
from lib.adapters.sql.tables.people import accounts, outbox
from lib.domain.channel import REPORT_HOUR, TellingChoices
from lib.domain.events import LONGEST_ABOUT, Event, EventKind

OPERATORS = 0
"""In the place of a person: whoever runs the platform."""
_OWNER = sa.select(accounts.c.user_id).where(accounts.c.id == sa.bindparam("of_account"))
_TOLD = sa.select(outbox.c.id).where(
    outbox.c.user_id == sa.bindparam("of_user"), outbox.c.about == sa.bindparam("of_about")
)


def tell(connection: sa.Connection, user_id: int, account_id: int | None, event: Event) -> None:
    """Tell *user_id* of *event*, unless they were told of the thing it is about."""
    about = event.about[:LONGEST_ABOUT] or None
    if about and connection.execute(_TOLD, {"of_user": user_id, "of_about": about}).first():
        return
    values = {"user_id": user_id, "account_id": account_id, "kind": event.kind.value, "body": event.why, "about": about}
    if about:
        insert_once(connection, outbox, values)  # two traders may see the same thing in the same moment
    else:
        connection.execute(insertion(outbox), values)


def tell_owner(connection: sa.Connection, account_id: int, event: Event) -> None:
    """Tell the owner of the account, or the operators of what concerns the whole platform (0)."""
    user_id = connection.scalar(_OWNER, {"of_account": account_id}) if account_id else OPERATORS
    tell(connection, user_id or OPERATORS, account_id or None, event)


def choices_of(row: sa.RowMapping) -> TellingChoices:
    """The choices in a row that has the columns of `notice_choices`, all NULL for who chose nothing."""
    stored = row["switched"] or {}
    switched = {EventKind(name): bool(on) for name, on in stored.items() if name in set(EventKind)}
    hour = REPORT_HOUR if row["report_hour"] is None else row["report_hour"]
    return TellingChoices(switched, row["quiet_from"], row["quiet_until"], hour)
