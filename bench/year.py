"""
A year of many accounts in a MariaDB or MySQL, made by the server itself: log rows, equity points, orders, executions.

Rows are as long as real ones and come in the order of life: every account at one T, then the next T. One account in
eight holds a position, one cycle in 25 trades, every outcome occurs. The database must be empty; nothing is traded.
"""

from collections.abc import Callable
from decimal import Decimal

import sqlalchemy as sa

from lib.adapters.sql.database.migrating import migrate
from lib.adapters.sql.tables.people import account_symbols, accounts, credentials, symbols, users
from lib.domain.order import CYCLE_MS

FIRST_MS = 1_735_689_600_000
"""The first T: 2025-01-01."""
CHUNK = 50_000
"""Log rows the server makes with one statement."""
FEED, SYMBOL = "synthetic", "BTCUSDT"
BOOKS: dict[str, int | str] = {
    "start_balance": 10_000,
    "realised": 120,
    "fees": 60,
    "funding": -5,
    "peak_equity": 10_100,
}
FLAT: dict[str, int | str] = {"position_qty": 0, "avg_entry_price": 0, "round_result": 0}
HOLDS: dict[str, int | str] = {"position_qty": "0.1", "avg_entry_price": 60_000, "round_result": 0}

_AT = ":t0 + (:first + s.n) * :cycle"
_SPAN = "FROM steps s CROSS JOIN accounts a WHERE :first + s.n < :last"
_TRADES = "(:first + s.n + a.id) % 25 = 0"
_ROUND = "FLOOR((:first + s.n + a.id) / 25)"

CYCLES = f"""
INSERT INTO cycles (feed, symbol, interval_s, t_ms, prompt_group, state, decision, prompt, candles, raw_answer, model,
    prompt_tokens, completion_tokens, latency_ms)
SELECT '{FEED}', '{SYMBOL}', 300, {_AT}, 'group', 'decided', '{{}}', REPEAT('prompt ', 200), REPEAT('[1,2,3,4]', 200),
    REPEAT('answer ', 40), 'rules', 900, 60, 40 FROM steps s WHERE :first + s.n < :last ORDER BY s.n
"""  # noqa: S608 - our own words
LOGS = f"""
INSERT INTO trade_logs (user_id, gpt_analysis, action, leverage, order_id, status, error_message, executed_at,
    account_id, cycle_id, t_ms, symbol, planned_outcome, outcome, reason, confidence, clamps)
SELECT row_of.user_id, '{{"action": "hold", "confidence": "0.62", "leverage": 3, "stop_loss": "0.012", "take_profit":
    "0.03", "reason": "EMA 8 over EMA 21 by a little, RSI 58, nothing to do"}}', 'hold', 3, NULL, 'success', NULL,
    FROM_UNIXTIME(row_of.t_ms / 1000 + 4), row_of.id, row_of.cycle_id, row_of.t_ms, '{SYMBOL}', row_of.outcome,
    row_of.outcome, 'EMA 8 over EMA 21 by a little, RSI 58, nothing to do', 0.62, '[]'
FROM (
    SELECT s.n, a.id, a.user_id, {_AT} AS t_ms, :first + s.n + 1 AS cycle_id, CASE
        WHEN {_TRADES} THEN ELT(1 + {_ROUND} % 3, 'bought', 'sold', 'closed')
        WHEN (:first + s.n * 7 + a.id) % 1999 = 0 THEN 'failed'
        WHEN (:first + s.n * 7 + a.id) % 9973 = 0 THEN 'unresolved'
        WHEN (:first + s.n * 7 + a.id) % 13 = 0 THEN 'refused'
        WHEN (:first + s.n * 7 + a.id) % 17 = 0 THEN 'kept'
        WHEN (:first + s.n * 7 + a.id) % 301 = 0 THEN 'skipped'
        ELSE 'held' END AS outcome {_SPAN}
) AS row_of ORDER BY row_of.n, row_of.id
"""  # noqa: S608 - our own words
POINTS = f"""
INSERT INTO equity_points (account_id, t_ms, balance, equity, difference, transfers)
SELECT a.id, {_AT}, 10000 + s.n % 90, 10000 + s.n % 97, 0, 0 {_SPAN} ORDER BY a.id, s.n
"""
ORDERS = f"""
INSERT INTO orders (account_id, user_id, uid, venue, symbol, t_ms, leg, seq, order_link_id, state, side, qty,
    limit_price, ref_price, stop_loss, take_profit, leverage, attempts, exchange_order_id, filled_qty, avg_price, fee)
SELECT a.id, a.user_id, a.uid, 'paper', '{SYMBOL}', {_AT}, IF({_ROUND} % 2, 'x', 'e'), 0,
    CONCAT('b', a.id, '-', :first + s.n), 'FILLED', IF({_ROUND} % 2, 'sell', 'buy'), 0.1, 60500, 60000, 59000, 63000,
    3, 1, CONCAT('x', a.id, '-', :first + s.n), 0.1, 60010, 3.3 {_SPAN} AND {_TRADES} ORDER BY s.n, a.id
"""
FILLS = """
INSERT INTO fills (account_id, order_id, exec_id, exchange_order_id, order_link_id, symbol, side, qty, price, fee, kind,
    closed_qty, realised, is_stop, at_ms)
SELECT o.account_id, o.id, CONCAT('e', o.id, '-', part.n), o.exchange_order_id, o.order_link_id, o.symbol, o.side, 0.05,
    60010, 1.65, 'trade', IF(o.leg = 'x', 0.05, 0), IF(o.leg = 'x', 5, 0), 0, o.t_ms + 5000 + part.n
FROM orders o CROSS JOIN (SELECT 0 AS n UNION SELECT 1) AS part
WHERE o.t_ms >= :t0 + :first * :cycle AND o.t_ms < :t0 + :last * :cycle ORDER BY o.id, part.n
"""
EVENTS = """
INSERT INTO order_events (order_id, at_ms, from_state, to_state, why, code, prev_hash, hash)
SELECT o.id, o.t_ms + 3000 + part.n, '', 'FILLED', 'filled', 0, SHA2(CONCAT(o.id, part.n), 256), SHA2(o.id, 256)
FROM orders o CROSS JOIN (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2) AS part
WHERE o.t_ms >= :t0 + :first * :cycle AND o.t_ms < :t0 + :last * :cycle ORDER BY o.id, part.n
"""


def fill(engine: sa.Engine, people: int, cycles: int, say: Callable[[int, int], None]) -> None:
    """Migrate and fill with *people* × *cycles* log rows. *say* hears (cycles made, of all) as it goes on."""
    migrate(engine)
    step = max(1, CHUNK // people)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # the rows are known to be right: checking each again takes half of the time
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0, unique_checks = 0")
        _people(connection, people)
        connection.exec_driver_sql("CREATE TABLE steps (n BIGINT PRIMARY KEY)")
        connection.execute(sa.text("INSERT INTO steps VALUES (:n)"), [{"n": n} for n in range(step)])
        for first in range(0, cycles, step):
            last = min(first + step, cycles)
            for statement in (CYCLES, LOGS, POINTS, ORDERS, FILLS, EVENTS):
                span = {"first": first, "last": last, "t0": FIRST_MS, "cycle": CYCLE_MS}
                connection.execute(sa.text(statement), span)
            say(last, cycles)
        connection.exec_driver_sql("DROP TABLE steps")
        connection.exec_driver_sql("ANALYZE TABLE trade_logs, equity_points, orders, fills, cycles").close()


def _people(connection: sa.Connection, people: int) -> None:
    ids = range(1, people + 1)
    connection.execute(sa.insert(symbols), {"symbol_no": 1, "symbol": SYMBOL})
    connection.execute(sa.insert(users), [{"id": n, "email": f"p{n}@example.test", "password_hash": "!"} for n in ids])
    connection.execute(sa.insert(accounts), [_account(n) for n in ids])
    connection.execute(sa.insert(account_symbols), [_held(n) for n in ids])
    connection.execute(sa.insert(credentials), [{"account_id": n, "sealed": "x", "last4": "1234"} for n in ids])


def _held(number: int) -> dict[str, object]:
    money = FLAT if number % 8 else HOLDS
    return {"account_id": number, "symbol_no": 1} | {name: Decimal(value) for name, value in money.items()}


def _account(number: int) -> dict[str, object]:
    money = BOOKS
    known = {"id": number, "user_id": number, "venue": "paper", "feed": FEED, "uid": str(number), "symbol_no": 1}
    rounds = {"rounds_won": 40, "rounds_lost": 60}
    return known | rounds | {name: Decimal(value) for name, value in money.items()}
