"""
Small makers of domain values for tests: every field has a harmless default, a test names only what it is about.

Numbers may be given as str or int and become Decimal. The defaults belong together: one BTCUSDT account with
10,000 USDT, flat, every gate open, at price 60,000 and boundary *T*.
"""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

from lib.domain.account import AccountSettings, Limits, RiskLevel
from lib.domain.account_records import TraderAccount
from lib.domain.analyst_call import AnalystAnswer
from lib.domain.books import Fill, FillKind
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.decision import Action, Decision
from lib.domain.exchange_records import OrderRecord, Wallet
from lib.domain.instrument import Instrument
from lib.domain.order import ClaimFacts, Leg, Order, OrderState, order_link_id
from lib.domain.position import Position, Side
from lib.domain.reason import NOTHING
from lib.domain.risk import Facts

T = 1_760_000_100_000
"""A five-minute boundary, epoch ms."""
SYMBOL = "BTCUSDT"
REF = Decimal(60_000)
INSTALLATION = "t3st"

Number = Decimal | str | int


def candle(
    open_time: int = T - MINUTE_MS,
    open: Number = REF,
    high: Number | None = None,
    low: Number | None = None,
    close: Number | None = None,
    volume: Number = 5,
) -> Candle:
    """One candle; close defaults to open, high and low to the tightest that enclose both."""
    first = Decimal(open)
    last = first if close is None else Decimal(close)
    top = max(first, last) if high is None else Decimal(high)
    bottom = min(first, last) if low is None else Decimal(low)
    return Candle(open_time, first, top, bottom, last, Decimal(volume))


def candles(
    count: int = 30,
    *,
    closes_at: int = T,
    step_ms: int = MINUTE_MS,
    price: Number = REF,
    drift: Number = 10,
) -> list[Candle]:
    """*count* consecutive candles, oldest first, the newest closing at *closes_at*; each rises by *drift*."""
    first, rise = Decimal(price), Decimal(drift)
    start = closes_at - count * step_ms
    return [
        candle(start + n * step_ms, first + n * rise, close=first + (n + 1) * rise, volume=1 + n % 7)
        for n in range(count)
    ]


def instrument(**changes: Any) -> Instrument:
    """BTCUSDT as Bybit describes it."""
    default = Instrument(
        symbol=SYMBOL,
        tick_size=Decimal("0.10"),
        qty_step=Decimal("0.001"),
        min_qty=Decimal("0.001"),
        max_market_qty=Decimal(120),
        min_notional=Decimal(5),
        max_leverage=Decimal(100),
    )
    return replace(default, **changes)


def decision(
    action: Action = "buy",
    confidence: Number = "0.8",
    leverage: int = 5,
    reason: str = "the trend holds",
    stop_loss: Number = "0.02",
    take_profit: Number = "0.05",
    close_fraction: Number = 0,
) -> Decision:
    """A buy that passes every gate of a medium account."""
    fractions = Decimal(stop_loss), Decimal(take_profit), Decimal(close_fraction)
    return Decision(action, Decimal(confidence), leverage, reason, *fractions)


def answer_json(**changes: Any) -> str:
    """What a well-behaved analyst sends; *changes* replace or add keys."""
    default = {
        "action": "buy",
        "confidence": 0.8,
        "leverage": 5,
        "reason": "the trend holds",
        "stop_loss": 0.02,
        "take_profit": 0.05,
    }
    return json.dumps({**default, **changes}, ensure_ascii=False)


def limits(**changes: Any) -> Limits:
    return replace(Limits(), **changes)


def settings(risk_level: RiskLevel = RiskLevel.MEDIUM, **changes: Any) -> AccountSettings:
    return replace(AccountSettings(risk_level=risk_level), **changes)


def position(qty: Number = 0, avg_entry_price: Number | None = None, **changes: Any) -> Position:
    """Signed *qty* entered at *avg_entry_price* (REF unless flat or told)."""
    size = Decimal(qty)
    average = Decimal(avg_entry_price) if avg_entry_price is not None else (REF if size else Decimal(0))
    return replace(Position(SYMBOL, size, average), **changes)


def facts(equity: Number = 10_000, *, qty: Number = 0, **changes: Any) -> Facts:
    """All gates open; *qty* is a position that is wholly ours. Available, day start and peak follow *equity*."""
    money, size = Decimal(equity), Decimal(qty)
    default = Facts(
        equity=money,
        available=money,
        position=position(size),
        foreign_orders=0,
        own_qty=size,
        day_start_equity=money,
        peak_equity=money,
        entries_today=0,
        loss_streak=0,
        last_stop_ms=0,
        analyst_failures=0,
    )
    return replace(default, **changes)


def order(
    leg: Leg = "e",
    side: Side = "buy",
    state: OrderState = OrderState.PLANNED,
    *,
    account_id: int = 1,
    t_ms: int = T,
    seq: int = 0,
    **changes: Any,
) -> Order:
    """Account 1's entry (or, for another *leg*, reduce-only exit) of T, not sent; its link id follows its identity."""
    entry = leg == "e"
    default = Order(
        id=1,
        account_id=account_id,
        user_id=account_id,
        uid=f"uid-{account_id}",
        venue="paper",
        symbol=SYMBOL,
        t_ms=t_ms,
        leg=leg,
        seq=seq,
        order_link_id=order_link_id(INSTALLATION, t_ms, 1, account_id, leg, seq),
        state=state,
        side=side,
        qty=Decimal("0.010"),
        limit_price=Decimal(60_180) if entry else Decimal(0),
        ref_price=REF,
        stop_loss=Decimal(58_800) if entry else Decimal(0),
        take_profit=Decimal(63_000) if entry else Decimal(0),
        leverage=5,
        reduce_only=not entry,
        key_version=1,
        settings_version=1,
        created_ms=t_ms,
        updated_ms=t_ms,
    )
    return replace(default, **changes)


def claim_facts(now: int = T + 4_000, **changes: Any) -> ClaimFacts:
    """Locking reads that let `order()` be claimed."""
    default = ClaimFacts(
        now=now,
        trading_enabled=True,
        flatten=False,
        lease_ours=True,
        auto_trade=True,
        deleted=False,
        feed_fits=True,
        key_version=1,
        settings_version=1,
        locks=(),
        real_money=NOTHING,
    )
    return replace(default, **changes)


def trader_account(account_id: int = 1, **changes: Any) -> TraderAccount:
    """A paper account on the synthetic feed that trades."""
    default = TraderAccount(
        account_id=account_id,
        user_id=account_id,
        venue="paper",
        feed="synthetic",
        uid=f"uid-{account_id}",
        symbol=SYMBOL,
        symbol_no=1,
        settings=settings(),
        key_version=1,
        settings_version=1,
        sealed_key="sealed",
        auto_trade=True,
        auto_since=0,
        trading_enabled=True,
        booked_qty=Decimal(0),
    )
    return replace(default, **changes)


def analyst_answer(view: Decision | None = None, **changes: Any) -> AnalystAnswer:
    default = AnalystAnswer(
        decision=view or decision(),
        raw=answer_json(),
        model="test-model",
        prompt_tokens=900,
        completion_tokens=60,
        latency_ms=300,
        failed=False,
    )
    return replace(default, **changes)


def wallet(balance: Number = 10_000, **changes: Any) -> Wallet:
    """A flat wallet: equity and available equal the balance."""
    cash = Decimal(balance)
    return replace(Wallet(balance=cash, equity=cash, available=cash, seen_at=T), **changes)


def fill(
    exec_id: str = "exec-1",
    side: Side = "buy",
    qty: Number = "0.010",
    price: Number = REF,
    kind: FillKind = "trade",
    **changes: Any,
) -> Fill:
    """An opening execution of `order()` with a taker fee of 0.055 %."""
    size, paid = Decimal(qty), Decimal(price)
    default = Fill(
        exec_id=exec_id,
        order_id="exchange-1",
        order_link_id=order().order_link_id,
        symbol=SYMBOL,
        side=side,
        qty=size,
        price=paid,
        fee=size * paid * Decimal("0.00055"),
        kind=kind,
        closed_qty=Decimal(0),
        is_stop=False,
        at_ms=T + 4_500,
    )
    return replace(default, **changes)


def order_record(of: Order | None = None, state: OrderState | None = OrderState.FILLED, **changes: Any) -> OrderRecord:
    """The exchange's record of *of*, wholly filled at its reference price unless told otherwise."""
    row = of or order()
    qty = row.qty or Decimal(0)
    filled = qty if state is OrderState.FILLED else Decimal(0)
    default = OrderRecord(
        order_id="exchange-1",
        order_link_id=row.order_link_id,
        parent_link_id="",
        symbol=row.symbol,
        side=row.side,
        state=state,
        qty=qty,
        filled_qty=filled,
        avg_price=row.ref_price if filled else Decimal(0),
        fee=filled * row.ref_price * Decimal("0.00055"),
        reduce_only=row.reduce_only,
        is_child=False,
        reject_reason="",
        created_ms=row.t_ms + 4_000,
    )
    return replace(default, **changes)
