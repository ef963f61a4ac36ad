"""Where a person is signed in, and what their account has been through: theirs alone, and nothing secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lib.accounts.entrance import network
from lib.adapters.sql.forms.api_tokens import token_of
from lib.adapters.sql.forms.krw_rates import own_won_rates
from lib.adapters.sql.tables.backtests import backtests
from lib.adapters.sql.tables.people import accounts, audit_events, credentials, sessions, users
from lib.adapters.sql.tables.records import record_links, records
from lib.adapters.sql.tables.safety import api_tokens, authenticators, passkeys, recovery_codes
from lib.adapters.sql.tables.shadows import shadows
from lib.adapters.sql.tables.strategies import strategies, strategy_runs, strategy_shares, strategy_versions
from lib.domain.api_token import ApiToken
from lib.domain.device import device_name
from lib.domain.session import ABSOLUTE_MS, IDLE_MS, is_over
from lib.domain.won_rates import WonRate, since
from lib.queries.exports import EXPORTS
from lib.queries.reading import Reading

PERSON = (
    "id", "email", "created_at", "risk_accepted_ms", "locale", "colours", "risk_level", "max_leverage", "custom_prompt",
    "auto_trade_enabled", "long_only", "risk_per_trade", "min_confidence", "limits", "system_text", "cadence_min",
    "inputs",
    "models", "answer_version", "exits",
)  # fmt: skip
"""Columns of `users` that tell the person something; never the hash."""
ACCOUNT = (
    "id",
    "venue",
    "feed",
    "uid",
    "active",
    "created_at",
    "start_balance",
    "realised",
    "fees",
    "funding",
    "transfers",
)
MOST_SESSIONS = 100
MOST_NOTES = 200


@dataclass(frozen=True, slots=True)
class SessionLine:
    """
    A living session. *device* is browser and system ("" = unknown), *network* where it was opened; times are epoch ms,
    and it ends at *ends_ms* unless it is used until then, and at *latest_ms* in any case.
    """

    session_id: int
    device: str
    network: str
    created_ms: int
    seen_ms: int
    ends_ms: int
    latest_ms: int


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One note of the trail; *event* and *actor* are words of `lib.domain.trail`."""

    id: int
    at_ms: int
    event: str
    detail: str
    actor: str
    network: str
    device: str


@dataclass(frozen=True, slots=True)
class FactorState:
    """Whether a second factor is asked for, and how many recovery codes are unused."""

    is_on: bool
    codes_left: int


@dataclass(frozen=True, slots=True)
class PasskeyLine:
    """A passkey as its owner sees it; *used_ms* 0 = never."""

    id: int
    name: str
    created_ms: int
    used_ms: int


class SafetyReadings(Reading):
    """A person's own sessions and trail; a demo account has no owner who reads them."""

    def sessions(self, user_id: int) -> list[SessionLine]:
        """The person's living sessions, the one used last first."""
        query = (
            sa.select(sessions)
            .where(sessions.c.user_id == user_id, sa.not_(sessions.c.read_only))
            .order_by(sessions.c.seen_ms.desc(), sessions.c.id.desc())
            .limit(MOST_SESSIONS)
        )
        now = self._clock.now_ms()
        rows = self._read(lambda c: c.execute(query).mappings().all())
        return [_session(row) for row in rows if not is_over(row["created_ms"], row["seen_ms"], now)]

    def api_tokens(self, user_id: int) -> list[ApiToken]:
        """The person's tokens that live, the newest first; never what opens anything."""
        query = sa.select(api_tokens).where(api_tokens.c.user_id == user_id).order_by(api_tokens.c.id.desc())
        rows = self._read(lambda c: c.execute(query).mappings().all())
        now = self._clock.now_ms()
        return [found for found in map(token_of, rows) if found.lives(now)]

    def factor(self, user_id: int) -> FactorState:
        """The person's second factor, never its secret."""
        mine, unused = authenticators.c.user_id == user_id, recovery_codes.c.used_ms == 0
        is_on = sa.select(sa.func.count()).select_from(authenticators).where(mine, authenticators.c.confirmed)
        left = sa.select(sa.func.count()).select_from(recovery_codes).where(recovery_codes.c.user_id == user_id, unused)
        return self._read(lambda c: FactorState(bool(c.scalar(is_on)), c.scalar(left) or 0))

    def passkeys(self, user_id: int) -> list[PasskeyLine]:
        """The person's passkeys, oldest first."""
        one = passkeys.c
        query = sa.select(one.id, one.name, one.created_ms, one.used_ms).where(one.user_id == user_id).order_by(one.id)
        return [PasskeyLine(*row) for row in self._read(lambda c: c.execute(query).all())]

    def everything(self, user_id: int) -> dict[str, Any]:
        """What is kept of the person themselves, for them to take along: no hash, no key, no token."""
        notes = [_note(row) for row in self._rows(audit_events, audit_events.c.user_id == user_id)]
        person = {name: value for row in self._rows(users, users.c.id == user_id) for name, value in row.items()}
        of_key = (credentials.c.account_id == accounts.c.id) & (credentials.c.key_version == accounts.c.key_version)
        keys = sa.select(accounts, credentials.c.last4).join(credentials, of_key).where(accounts.c.user_id == user_id)
        rows = self._read(lambda c: c.execute(keys.order_by(accounts.c.id)).mappings().all())

        def own_rates(connection: sa.Connection) -> Sequence[WonRate]:
            return own_won_rates(connection, user_id)

        return {
            "person": {name: person.get(name) for name in PERSON},
            "accounts": [{name: row[name] for name in (*ACCOUNT, "last4")} for row in rows],
            "sessions": self.sessions(user_id),
            "second_factor": self.factor(user_id),
            "passkeys": self.passkeys(user_id),
            "activity": notes,
            **self._strategies(user_id),
            "krw_rates": [{"day": since(one), "rate": one.krw} for one in self._read(own_rates)],
            "tables": [f"/api/export/{name}.csv" for name in EXPORTS],
        }

    def _strategies(self, user_id: int) -> dict[str, Any]:
        kept = {
            "strategies": (strategies, ("id", "name", "made_ms")),
            "strategy_versions": (strategy_versions, ("id", "strategy_id", "number", "content", "sha256", "made_ms")),
            "strategy_runs": (strategy_runs, ("version_id", "from_ms")),
            "strategy_shares": (strategy_shares, ("version_id", "shown_as", "made_ms", "revoked_ms")),
            "records": (records, ("id", "account_id", "version_id", "number", "sha256")),
            "backtests": (backtests, ("id", "wish", "state", "asked_ms", "ended_ms", "hidden_ms", "earned")),
            "shadows": (shadows, ("id", "version_id", "model", "day_calls", "day_usd", "made_ms", "removed_ms")),
            "record_links": (record_links, ("record_id", "named", "amounts", "made_ms", "revoked_ms")),
        }
        return {
            what: [{name: row[name] for name in names} for row in self._rows(table, table.c.user_id == user_id)]
            for what, (table, names) in kept.items()
        }

    def _rows(self, table: sa.Table, which: sa.ColumnElement[bool]) -> Sequence[sa.RowMapping]:
        query = sa.select(table).where(which).order_by(table.c.id)
        return self._read(lambda c: c.execute(query).mappings().all())

    def trail(self, user_id: int, limit: int, before: int = 0) -> list[TrailLine]:
        """The newest *limit* notes of the person, newest first; with *before* those older than that note."""
        older = (audit_events.c.id < before,) if before else ()
        query = (
            sa.select(audit_events)
            .where(audit_events.c.user_id == user_id, *older)
            .order_by(audit_events.c.id.desc())
            .limit(min(limit, MOST_NOTES))
        )
        rows = self._read(lambda c: c.execute(query).mappings().all())
        return [_note(row) for row in rows]


def _session(row: sa.RowMapping) -> SessionLine:
    latest_ms = row["created_ms"] + ABSOLUTE_MS
    return SessionLine(
        row["id"],
        device_name(row["user_agent"]),
        network(row["ip"]),
        row["created_ms"],
        row["seen_ms"],
        min(row["seen_ms"] + IDLE_MS, latest_ms),
        latest_ms,
    )


def _note(row: sa.RowMapping) -> TrailLine:
    device = device_name(row["user_agent"])
    return TrailLine(row["id"], row["at_ms"], row["event"], row["detail"], row["actor"], row["network"], device)
