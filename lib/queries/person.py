"""What a person chose, which key is in use, and what they last asked of the trader."""

import sqlalchemy as sa

from lib.adapters.sql.ledger.rows import read_doubts, settings_from
from lib.adapters.sql.tables.people import accounts, commands, credentials, symbols, users
from lib.adapters.sql.tables.trading import cycles, trade_logs
from lib.domain.account import Numbers
from lib.domain.account_records import AskingAccount
from lib.queries.reading import Reading, epoch_ms
from lib.queries.values import CallRow, Choices, CommandRow, KeyStatus


class PersonReadings(Reading):
    """Choices, key and wishes; never the key itself, sealed or not."""

    def settings(self, user_id: int) -> Choices | None:
        """What the person chose; None while they have no account to use it on."""
        query = (
            sa.select(users, accounts.c.trading_enabled)
            .join(accounts, accounts.c.user_id == users.c.id)
            .where(users.c.id == user_id, users.c.deleted_at.is_(None), accounts.c.active)
        )
        row = self._read(lambda c: c.execute(query).mappings().first())
        if row is None:
            return None
        return Choices(
            settings=settings_from(row),
            auto_trade=row["auto_trade_enabled"],
            auto_since_ms=row["auto_trade_since_ms"],
            trading_enabled=row["trading_enabled"],
            settings_version=row["settings_version"],
            numbers=row["numbers"],
        )

    def numbers(self, user_id: int) -> Numbers | None:
        """How the person's pages write numbers, with or without an account; None for nobody."""
        query = sa.select(users.c.numbers).where(users.c.id == user_id, users.c.deleted_at.is_(None))
        return self._read(lambda c: c.execute(query).scalar())

    def key_status(self, user_id: int) -> KeyStatus | None:
        """The key of the active account; None when there is none."""
        in_use = (credentials.c.account_id == accounts.c.id) & (credentials.c.key_version == accounts.c.key_version)
        query = (
            sa.select(
                accounts.c.id,
                accounts.c.venue,
                accounts.c.pause_reason,
                accounts.c.trading_enabled,
                accounts.c.doubts,
                credentials.c.last4,
                credentials.c.created_at,
            )
            .join(credentials, in_use)
            .where(accounts.c.user_id == user_id, accounts.c.active, credentials.c.revoked_at.is_(None))
        )
        row = self._read(lambda c: c.execute(query).mappings().first())
        if row is None:
            return None
        return KeyStatus(
            account_id=row["id"],
            venue=row["venue"],
            last4=row["last4"],
            created_ms=epoch_ms(row["created_at"]),
            pause_reason=row["pause_reason"],
            trading_enabled=row["trading_enabled"],
            doubts=read_doubts(row["doubts"]),
        )

    def asking(self, user_id: int) -> AskingAccount | None:
        """What of the person's active account makes its prompt; None without one."""
        query = (
            sa.select(users, symbols.c.symbol)
            .join(accounts, accounts.c.user_id == users.c.id)
            .join(symbols, symbols.c.symbol_no == accounts.c.symbol_no)
            .where(users.c.id == user_id, users.c.deleted_at.is_(None), accounts.c.active)
        )
        row = self._read(lambda c: c.execute(query).mappings().first())
        if row is None:
            return None
        return AskingAccount(row["symbol"], settings_from(row), row["is_guest"], row["locale"])

    def newest_call(self, user_id: int) -> CallRow | None:
        """The newest answered call behind a decision of the person's active account; None before the first."""
        query = (
            sa.select(cycles.c.t_ms, cycles.c.prompt_tokens, cycles.c.completion_tokens, cycles.c.cost_usd)
            .join(trade_logs, trade_logs.c.cycle_id == cycles.c.id)
            .join(accounts, accounts.c.id == trade_logs.c.account_id)
            .where(accounts.c.user_id == user_id, accounts.c.active, cycles.c.state == "decided")
            .order_by(trade_logs.c.t_ms.desc(), trade_logs.c.id.desc())
            .limit(1)
        )
        row = self._read(lambda c: c.execute(query).first())
        return None if row is None else CallRow(*row)

    def command(self, user_id: int) -> CommandRow | None:
        """What the person last asked of the trader, and what became of it; None = never anything."""
        query = sa.select(commands).where(commands.c.user_id == user_id).order_by(commands.c.id.desc()).limit(1)
        row = self._read(lambda c: c.execute(query).mappings().first())
        if row is None:
            return None
        state = "done" if row["done_at"] else "taken" if row["taken_at"] else "waiting"
        return CommandRow(
            row["kind"], epoch_ms(row["created_at"]), state, row["result"], (row["args"] or {}).get("symbol", "")
        )
