"""
Rows put into a deployment's database beside what its processes write, and taken out again: for what no form takes.

The person they belong to trades on a venue this deployment's trader does not serve, so nothing acts upon them.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.tables.operating import operator_acts, operators
from lib.adapters.sql.tables.people import (
    account_symbols,
    accounts,
    audit_events,
    commands,
    sessions,
    setting_changes,
    system_settings,
    users,
)
from lib.adapters.sql.tables.safety import api_tokens, passkeys
from lib.adapters.sql.tables.strategies import strategies, strategy_versions
from lib.adapters.sql.tables.trading import cycles, fills, order_events, orders, risk_locks, trade_logs
from lib.domain.candle import MINUTE_MS
from lib.domain.gates import FOREVER_MS
from lib.domain.order import CYCLE_MS
from lib.domain.platform_settings import BANNER, BANNER_CHARS, Banner, banner_text
from lib.domain.reason import Reason, text
from lib.domain.spelling import is_prose
from lib.domain.strategy import Strategy, written
from tests.browser.deployment import Deployment
from tests.browser.payloads import PAYLOADS, packs

DAY_MS = 86_400_000
PRICE = Decimal(60_000)


@dataclass
class Rows:
    """What was inserted, newest last, so that it can be taken out again."""

    engine: sa.Engine
    put: list[tuple[sa.Table, int]] = field(default_factory=list)

    def add(self, table: sa.Table, **values: Any) -> int:
        """A row of *table*; its id."""
        with self.engine.begin() as connection:
            made = connection.execute(sa.insert(table).values(**values)).inserted_primary_key
        assert made is not None
        self.put.append((table, int(made[0])))
        return int(made[0])

    def change(self, table: sa.Table, row_id: int, **values: Any) -> None:
        """Change one row for good."""
        with self.engine.begin() as connection:
            connection.execute(sa.update(table).where(next(iter(table.primary_key)) == row_id).values(**values))

    def hold(self, account_id: int, **values: Any) -> None:
        """Change for good what the account holds in the symbol it shows first."""
        shown = sa.select(accounts.c.symbol_no).where(accounts.c.id == account_id).scalar_subquery()
        held = sa.update(account_symbols).where(account_symbols.c.account_id == account_id)
        with self.engine.begin() as connection:
            connection.execute(held.where(account_symbols.c.symbol_no == shown).values(**values))

    def take_out(self) -> None:
        """Delete every row that was added."""
        with self.engine.begin() as connection:
            for table, row_id in reversed(self.put):
                connection.execute(sa.delete(table).where(next(iter(table.primary_key)) == row_id))


@dataclass
class Told:
    """A person whose every text is a pack of payloads, and what each place of theirs must show, letter by letter."""

    log_id: int = 0
    prompt: str = ""
    whole: str = " ".join(PAYLOADS)
    places: dict[str, list[str]] = field(default_factory=dict)

    def tell(self, place: str, texts: list[str]) -> list[str]:
        """Remember that *place* shows *texts*, each under a name of its own; those texts."""
        self.places[place] = [f"{place} {number}: {one}" for number, one in enumerate(texts)]
        return self.places[place]


@contextmanager
def told_all(deployed: Deployment, user_id: int) -> Iterator[Told]:
    """Give the person *user_id* a row of every kind in which somebody's text stands."""
    rows, told = Rows(deployed.engine), Told()
    with deployed.engine.connect() as connection:
        account_id = connection.execute(sa.select(accounts.c.id).where(accounts.c.user_id == user_id)).scalar_one()
    now = deployed.now_ms
    try:
        _person(rows, told, user_id, now)
        _account(rows, told, user_id, account_id, now)
        _decisions(rows, told, user_id, account_id, now)
        _operating(rows, told, user_id, account_id, now)
        yield told
    finally:
        rows.change(accounts, account_id, active=False, trading_enabled=True, flatten=False)
        rows.hold(account_id, position_qty=Decimal(0))
        rows.change(users, user_id, email=f"gone-{user_id}@example.com", custom_prompt="")
        rows.take_out()


@contextmanager
def holding(deployed: Deployment, user_id: int) -> Iterator[Callable[[str | None], None]]:
    """A position of the person *user_id*; what is given writes down what the exchange told of its liquidation."""
    rows = Rows(deployed.engine)
    with deployed.engine.connect() as connection:
        account_id = connection.execute(sa.select(accounts.c.id).where(accounts.c.user_id == user_id)).scalar_one()
    now = deployed.now_ms

    def tell(liquidation: str | None) -> None:
        rows.hold(account_id, liquidation=None if liquidation is None else Decimal(liquidation))

    try:
        _order(rows, user_id, account_id, now // CYCLE_MS * CYCLE_MS, 0, text("entry"), state="FILLED")
        rows.change(accounts, account_id, venue="demo", opened_ms=now)
        rows.hold(account_id, position_qty=Decimal("0.01"), avg_entry_price=PRICE)
        yield tell
    finally:
        rows.change(accounts, account_id, active=False)
        rows.hold(account_id, position_qty=Decimal(0))
        rows.take_out()


def _person(rows: Rows, told: Told, user_id: int, now: int) -> None:
    half = len(PAYLOADS) // 2
    told.prompt, older = "\n".join(PAYLOADS[:half]), "\n".join(PAYLOADS[half:])
    [email] = told.tell("email", [packs(200)[0]])
    rows.change(users, user_id, custom_prompt=told.prompt, email=email.replace("@", "(at)"))
    told.places["email"] = [email.replace("@", "(at)")]
    rows.add(strategies, id=user_id, user_id=user_id, name="", made_ms=now)
    version = {"user_id": user_id, "strategy_id": user_id, "number": 1, "sha256": "ab" * 32, "made_ms": now}
    rows.add(strategy_versions, id=user_id, content=written(Strategy(instructions=older)), **version)
    rows.change(users, user_id, strategy_version_id=user_id)
    # what changed is shown line by line
    told.places["instructions"] = older.splitlines()
    for number, one in enumerate(told.tell("passkey", packs(110))):
        rows.add(
            passkeys, user_id=user_id, credential_sha256=f"{user_id}-{number}", credential_id="x", public_key="x",
            sign_count=0, name=one, created_ms=now,
        )  # fmt: skip
    for number, one in enumerate(told.tell("token", packs(400))):
        rows.add(
            api_tokens, user_id=user_id, token_sha256=f"{user_id}-{number}", name=one, scope="read", created_ms=now,
            expires_ms=now + DAY_MS,
        )  # fmt: skip
    for number, one in enumerate(packs(200)[:5]):
        rows.add(
            sessions, user_id=user_id, token_sha256=f"{user_id}-{number}", user_agent=f"{one} Firefox/1 {one}",
            ip="203.0.113.7", created_ms=now, seen_ms=now,
        )  # fmt: skip
    for one in told.tell("note", packs(380)):
        rows.add(
            audit_events, user_id=user_id, at_ms=now + MINUTE_MS, event="signed_in", detail=one, actor="owner",
            network="203.0.113.0/24", user_agent=f"{one} Firefox/1",
        )  # fmt: skip


def _account(rows: Rows, told: Told, user_id: int, account_id: int, now: int) -> None:
    whys = told.tell("why of a lock", packs(420))
    for day, one in enumerate(whys, 1):
        rows.add(
            risk_locks, account_id=account_id, utc_day=day, kind="external", why=text(one), created_ms=now,
            until_ms=FOREVER_MS if day == 1 else now,
        )  # fmt: skip
    [paused, asked] = told.tell("why of a pause", packs(420)[:1]) + told.tell("what became of a wish", packs(420)[:1])
    rows.change(
        accounts, account_id, venue="demo", feed="bybit", trading_enabled=False, pause_reason=text(paused),
        difference=Decimal(5), checked_ms=now,
    )  # fmt: skip
    with rows.engine.connect() as connection:
        at = connection.execute(sa.select(users.c.created_at).where(users.c.id == user_id)).scalar_one()
    rows.add(
        commands, user_id=user_id, account_id=account_id, kind="recheck_key", taken_at=at, done_at=at,
        result=text(asked),
    )  # fmt: skip


def _decisions(rows: Rows, told: Told, user_id: int, account_id: int, now: int) -> None:
    whys = packs(215)
    t_ms = now // CYCLE_MS * CYCLE_MS - (len(whys) + 1) * CYCLE_MS
    [model] = told.tell("model", [packs(300)[1]])
    cycle_id = rows.add(
        cycles, feed="synthetic", symbol="BTCUSDT", interval_s=300, t_ms=t_ms, prompt_group=f"{user_id:064}",
        state="decided", decision={}, prompt=told.whole, candles="[]", raw_answer=told.whole, model=model,
        prompt_tokens=1, completion_tokens=1, latency_ms=1,
    )  # fmt: skip
    analysis = {
        "action": "buy", "confidence": "0.9", "leverage": 3, "reason": told.whole, "stop_loss": "0.01",
        "take_profit": "0.02",
    }  # fmt: skip
    # the newest is the one that is looked at in full
    for number, one in enumerate(reversed(told.tell("why of a decision", whys))):
        told.log_id = rows.add(
            trade_logs, user_id=user_id, account_id=account_id, cycle_id=cycle_id, t_ms=t_ms + number * CYCLE_MS,
            symbol="BTCUSDT", gpt_analysis=analysis, action="buy", leverage=Decimal(3), status="success",
            planned_outcome="bought", outcome="bought", reason=text(one), confidence=Decimal("0.9"),
        )  # fmt: skip
    newest = t_ms + (len(whys) - 1) * CYCLE_MS
    entry = _order(rows, user_id, account_id, newest, 0, text("entry"), state="FILLED")
    rows.add(
        fills, account_id=account_id, order_id=entry, exec_id=f"x{user_id}", exchange_order_id=f"o{user_id}",
        order_link_id="x", symbol="BTCUSDT", side="buy", qty=Decimal("0.01"), price=PRICE, kind="trade",
        at_ms=newest + 1,
    )  # fmt: skip
    for one in told.tell("step of an order", packs(480)):
        rows.add(
            order_events, order_id=entry, at_ms=newest, from_state="PLANNED", to_state="FILLED", why=one, code=0,
            prev_hash=f"{len(rows.put)}", hash="x",
        )  # fmt: skip
    rows.change(accounts, account_id, opened_ms=newest)
    rows.hold(account_id, position_qty=Decimal("0.01"), avg_entry_price=PRICE)
    for number, one in enumerate(told.tell("answer of the exchange", packs(440)), 1):
        _order(rows, user_id, account_id, t_ms, number, text(one), state="NEEDS_HUMAN" if number < 4 else "REJECTED")


def _order(rows: Rows, user_id: int, account_id: int, t_ms: int, seq: int, why: Reason, state: str) -> int:
    return rows.add(
        orders, account_id=account_id, user_id=user_id, uid="x", venue="demo", symbol="BTCUSDT", t_ms=t_ms, leg="e",
        seq=seq, order_link_id=f"mmx-{account_id}-{t_ms}-{seq}", state=state, side="buy", qty=Decimal("0.01"),
        leverage=3, why=why, stop_loss=PRICE - 600, take_profit=PRICE + 600, avg_price=PRICE,
        filled_qty=Decimal("0.01"), created_ms=t_ms, updated_ms=t_ms,
    )  # fmt: skip


def _operating(rows: Rows, told: Told, user_id: int, account_id: int, now: int) -> None:
    rows.change(operators, user_id, granted_by=told.tell("who granted", [packs(250)[0]])[0])
    for one in told.tell("act", packs(900)):
        rows.add(
            operator_acts, user_id=user_id, kind="unlock", account_id=account_id, args={"why": one}, asked_ms=now,
            taken_ms=now, done_ms=now, result=text("done"),
        )  # fmt: skip
    for one in told.tell("setting", packs(900)):
        rows.add(
            setting_changes, setting_key="platform:banner", before_value=one, after_value=one, changed_by=one,
            why=one[:480], changed_ms=now,
        )  # fmt: skip
    for number, one in enumerate(told.tell("somebody's e-mail", packs(340))):
        rows.add(users, email=f"{one}@{number}", password_hash="!")
    prose = [one for one in (*PAYLOADS[:2], *PAYLOADS[-70:]) if is_prose(one)]
    ko, en = _line(prose), _line(prose[::-1])
    told.places["banner"] = [ko]
    rows.add(system_settings, setting_key=BANNER, setting_value=banner_text(Banner(ko, en)))
    profile = {name: f"{name} {packs(200)[2]}" for name in ("host", "model", "answered", "how")}
    told.places["analyst"] = [profile["host"], profile["how"]]
    rows.add(system_settings, setting_key="analyst:xq7", setting_value=json.dumps(profile))


def _line(payloads: list[str]) -> str:
    line = ""
    for one in payloads:
        if len(line) + len(one) < BANNER_CHARS:
            line = f"{line} {one}".strip()
    return line
