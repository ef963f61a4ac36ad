"""
People in a real database of whom every text is a canary: made from the tables there are, so a new table or column has
its own at once.

A canary names whose it is and its column by a number; one that is found where it should not be says what leaked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.accounts.entrance import sha256
from lib.adapters.sql.forms.backtests import packed as kept_result
from lib.adapters.sql.records.days import packed
from lib.adapters.sql.tables.columns import Dec, UtcDateTime, Why
from lib.adapters.sql.tables.models import metadata
from lib.domain.api_token import PREFIX
from lib.domain.arena import Rules, rules_text, seal_of
from lib.domain.backtests import Wish, wish_text
from lib.domain.day import DAY_MS
from lib.domain.exit_rules import NO_RULES
from lib.domain.reason import text
from lib.domain.record import Decided, Entry, Version, decision_leaf
from lib.domain.strategy import Strategy, written
from lib.domain.stretch import Criteria, criteria_text
from tests.worlds import backtests as past

HOUR_MS = 3_600_000
OWNED = (
    "users",
    "accounts",
    "orders",
    "cycles",
    "fills",
    "strategies",
    "strategy_versions",
    "records",
    "arena_entries",
)
"""Tables whose rows others point at; `cycles` points at nobody, and a log row points at it."""
BY_HAND = frozenset({"invites", "operators"})
"""Not made: an invitation has no text, and a role is given where it is wanted."""
FIXED: dict[str, Any] = {
    "users.password_hash": "!",
    "users.locale": "ko",
    "users.colours": "language",
    "users.numbers": "point",
    "users.time_zone": "",
    "users.bybit_api_key": None,
    "users.bybit_api_secret": None,
    "users.limits": None,
    "users.models": "",
    "users.inputs": "",
    "users.answer_version": 1,
    "users.exits": "",
    "users.strategy_version_id": None,
    "users.min_confidence": None,
    "users.risk_per_trade": None,
    "accounts.feed": "synthetic",
    "accounts.paused_by": "owner",
    "accounts.doubts": "",
    "accounts.active": True,
    "accounts.trading_enabled": False,
    "account_symbols.position_qty": Decimal("0.01"),
    "account_symbols.traded": True,
    "audit_events.event": "signed_in",
    "audit_events.actor": "owner",
    "audit_events.network": "203.0.113.0/24",
    "sessions.ip": "203.0.113.7",
    "commands.kind": "ask_now",
    "operator_acts.kind": "stop",
    "operator_acts.origin": "203.0.113.0/24",
    "api_tokens.scope": "read",
    "authenticators.confirmed": False,
    "orders.exits": NO_RULES,
    "orders.leg": "e",
    "orders.symbol": "BTCUSDT",
    "orders.state": "FILLED",
    "order_events.from_state": "PLANNED",
    "order_events.to_state": "FILLED",
    "fills.symbol": "BTCUSDT",
    "fills.kind": "trade",
    "fills.charges": None,
    "cycles.feed": "synthetic",
    "cycles.symbol": "BTCUSDT",
    "cycles.state": "decided",
    "cycles.candles": "[]",
    "cycles.decision": {},
    "cycles.asked_for": "paper",
    "cycles.inputs": "",
    "risk_locks.kind": "external",
    "shadows.removed_ms": 0,
    "record_days.closing_index": "1",
    "backtests.feed": "synthetic",
    "backtests.symbol": "BTCUSDT",
    "backtests.wish": wish_text(Wish("rules", "BTCUSDT", 0, DAY_MS)),
    "backtests.state": "done",
    "backtests.hidden_ms": 0,
    "arena_entries.left_ms": 0,
    "arena_entries.place": 1,
    "backtests.stage": "",
    "backtests.stamp": None,
    "past_answers.state": "answered",
    "past_answers.decision": None,
    "past_questions.prompt": "",
    "memory_tests.badges": "[]",
    "models.cutoff": "",
    "own_models.cutoff": "",
    "krw_rates.day": "2026-01-01",
    "stretches.criteria": criteria_text(Criteria("m", 14, 100, 1)),
    "stretch_marks.kind": "begun",
    "stretch_marks.measured": None,
    "trade_logs.symbol": "BTCUSDT",
    "trade_logs.clamps": None,
}
"""What is a word, a figure or a shape of ours and no text; every other text is a canary."""
POINTS = {
    "user_id": "users",
    "account_id": "accounts",
    "order_id": "orders",
    "cycle_id": "cycles",
    "strategy_id": "strategies",
    "version_id": "strategy_versions",
    "record_id": "records",
    "shadow_id": "shadows",
    "stretch_id": "stretches",
    "season_id": "arena_seasons",
    "entry_id": "arena_entries",
    "job_id": "backtests",
    "answer_id": "past_answers",
    "beside_id": "cycles",
}
COLUMNS = [column for table in metadata.sorted_tables for column in table.columns]
CANARY = re.compile(r"(\w{3})birdy(\d{3})")


def canary(who: str, column: sa.Column[Any]) -> str:
    """The canary of *who*, three letters, in *column*; of a very narrow column only part of one fits."""
    number = next(n for n, one in enumerate(COLUMNS) if one is column)
    whole = f"{who}birdy{number:03}"
    return f"{whole}@example.com" if column.name == "email" else whole[: getattr(column.type, "length", None) or 99]


def found_in(told: str, who: str) -> set[str]:
    """The columns, as "table.column", whose canaries of *who* stand in *told*."""
    return {str(COLUMNS[int(number)]) for whose, number in CANARY.findall(told) if whose == who}


@dataclass
class Person:
    """Somebody with a row in every table about people; *ids* are those of their rows by table."""

    who: str
    engine: sa.Engine
    now_ms: int
    ids: dict[str, int] = field(default_factory=dict)

    @property
    def user_id(self) -> int:
        return self.ids["users"]

    def session(self, name: str, *, read_only: bool = False, ended: bool = False) -> str:
        """The token of a session of theirs, proved a moment ago."""
        token = f"session-{self.who}-{sha256(name)}"
        if not ended:
            self._insert(
                "sessions", token_sha256=sha256(token), user_id=self.user_id, created_ms=self.now_ms,
                seen_ms=self.now_ms, proved_ms=self.now_ms, read_only=read_only,
            )  # fmt: skip
        return token

    def program(self, scope: str, name: str) -> str:
        """A personal token of theirs."""
        token = f"{PREFIX}{sha256(f'{self.who} {scope} {name}')}"
        self._insert(
            "api_tokens", token_sha256=sha256(token), user_id=self.user_id, scope=scope, name=name,
            created_ms=self.now_ms, expires_ms=self.now_ms + HOUR_MS,
        )  # fmt: skip
        return token

    def _insert(self, table: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.insert(metadata.tables[table]).values(**values))

    def rows(self) -> dict[str, list[str]]:
        """Everything that is theirs, as it is now."""
        with self.engine.connect() as connection:
            return {
                table.name: [repr(tuple(row)) for row in connection.execute(sa.select(table).where(self._mine(table)))]
                for table in theirs()
            }

    def _mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        if table.name in ("users", "cycles"):
            return table.c.id == self.ids[table.name]
        name = next(name for name in POINTS if name in table.c)
        return table.c[name] == self.ids[POINTS[name]]


def theirs() -> Iterator[sa.Table]:
    """Every table with rows about a person, those first that others point at."""
    for table in metadata.sorted_tables:
        if table.name not in BY_HAND and (table.name in OWNED or POINTS.keys() & table.c.keys()):
            yield table


def settle(engine: sa.Engine, who: str, now_ms: int, *, is_demo: bool = False) -> Person:
    """A person called *who* with one row in every such table."""
    made = Person(who, engine, now_ms)
    with engine.begin() as connection:
        symbols = metadata.tables["symbols"]
        made.ids["symbols"] = connection.execute(sa.select(symbols.c.symbol_no)).scalar() or 0
        if not made.ids["symbols"]:
            put = connection.execute(sa.insert(symbols).values(symbol="BTCUSDT")).inserted_primary_key
            made.ids["symbols"] = int(put[0]) if put else 0
        made.ids["arena_seasons"] = _season(connection, now_ms)
        for table in sorted(theirs(), key=lambda one: OWNED.index(one.name) if one.name in OWNED else len(OWNED)):
            values = _row(table, made) | ({"is_demo": is_demo} if table.name == "users" else {})
            put = connection.execute(sa.insert(table).values(**values)).inserted_primary_key
            if "id" in table.c and put is not None:
                made.ids[table.name] = int(put[0])
        users = metadata.tables["users"]
        runs = {"strategy_version_id": made.ids["strategy_versions"]}
        connection.execute(sa.update(users).where(users.c.id == made.user_id).values(**runs))
    return made


def _season(connection: sa.Connection, now_ms: int) -> int:
    """The season of the arena that runs."""
    seasons, rules = metadata.tables["arena_seasons"], rules_text(Rules(60, 100, 5))
    known = connection.execute(sa.select(seasons.c.id)).scalar()
    if known is None:
        values = {"begun_ms": now_ms - DAY_MS, "rules": rules, "seal": seal_of(now_ms - DAY_MS, rules)}
        made = connection.execute(sa.insert(seasons).values(values)).inserted_primary_key
        known = made[0] if made else 0
    return int(known)


def _row(table: sa.Table, person: Person) -> dict[str, Any]:
    return {
        column.name: value for column in table.columns if (value := _value(column, person)) is not _LEFT
    }  # fmt: skip


_LEFT = object()


def _value(column: sa.Column[Any], person: Person) -> Any:
    if str(column) in FIXED:
        return FIXED[str(column)]
    if column.name == "chat_id":
        return person.user_id  # nobody else's
    if column.name in POINTS and POINTS[column.name] in person.ids and str(column) != "trade_logs.order_id":
        return person.ids[POINTS[column.name]]
    if column.name == "symbol_no":
        return person.ids["symbols"]
    if column.name == "id" or isinstance(column.type, sa.Boolean | UtcDateTime):
        return _LEFT
    return _written(column, person)


def _written(column: sa.Column[Any], person: Person) -> Any:
    bird, kind = canary(person.who, column), column.type
    if str(column) == "trade_logs.gpt_analysis":
        figures = {"action": "buy", "confidence": "0.9", "leverage": 3, "stop_loss": "0.01", "take_profit": "0.02"}
        return figures | {"reason": bird}
    if str(column) == "strategy_versions.content":
        return written(Strategy(instructions=bird))
    if str(column) == "backtests.result":
        return kept_result(past.result(bird))
    if str(column) == "record_days.packed":
        return packed([Entry(decision_leaf(Version(1, bird), Decided(DAY_MS, "BTCUSDT", "held")))])
    if isinstance(kind, Why):
        return text(bird)
    if isinstance(kind, sa.JSON):
        return {"why": bird}
    if isinstance(kind, sa.Enum):
        return kind.enums[0]
    if isinstance(kind, Dec):
        return Decimal(1)
    if isinstance(kind, sa.Integer):
        return (
            person.now_ms + (HOUR_MS if column.name in ("expires_ms", "until_ms") else 0) if "ms" in column.name else 1
        )
    return bird
