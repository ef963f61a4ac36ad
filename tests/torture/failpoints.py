"""
Failpoints: the ports of a trader's context, wrapped so that a named passage can be made to go wrong.

Every port call the protocol is made of has a name; `NAME.before` is passed when the call is made, `NAME.after` once it
has returned. At the n-th passage of the trap the process dies by SIGKILL, raises a bug, or freezes by SIGSTOP until
somebody thaws it, who in the meantime may have cut its database, its network or its time. The passage is written down
first, so that the driver knows. The wrapped code knows nothing of all this.
"""

import inspect
import os
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lib.domain.order import parse_link_id
from lib.domain.risk import AccountPlan
from lib.ports.exchange import Exchanges
from lib.trading.context import TradingContext
from lib.trading.trader import Trader

Deed = Literal["kill", "raise", "freeze"]

LEDGER = {
    "hold_lease": "lease",
    "open_orders": "reconcile",
    "accounts": "accounts",
    "record_cycle": "answer",
    "facts": "facts",
    "plan": "plan",
    "plan_exit": "plan",
    "size": "size",
    "claim": "claim",
    "move": "move",
    "close_order": "close",
    "adopt": "adopt",
    "move_stop": "nearer",
    "claim_stop": "stop",
    "settle_stops": "settle",
    "record_fills": "fills",
    "record_transfers": "transferred",
    "prove_stopped": "proof",
    "record_equity": "equity",
}
EXCHANGE = {
    "wallet": "wallet",
    "position": "position",
    "set_leverage": "leverage",
    "set_trading_stop": "repair",
    "set_trailing_stop": "trail",
    "sign_order": "sign",
    "send_order": "send",
    "find_order": "find",
    "orders_since": "sweep",
    "fills_since": "executions",
    "transfers_since": "transfers",
    "cancel_order": "cancel",
}
MARKET = {"closed_candles": "crosscheck", "ticker": "ticker"}
CANDLES = {"newest": "candles", "set_status": "status"}
ANALYST = {"ask": "analyst"}
LEASES = {"hold": "hold", "give_back": "return", "leave": "leave", "borrow": "borrow"}
CALLS = {"call": "call"}
BY_LEG = {"e": "", "x": "exit.", "g": "guard.", "f": "flatten."}
"""What comes before the name of a call that is about one order: entries go without."""


class Sprung(RuntimeError):
    """The bug a trap raises: none of the four reactions, so nobody can have expected it."""


@dataclass(frozen=True, slots=True)
class Trap:
    """Do *deed* at the *nth* passage of *point*."""

    point: str
    deed: Deed
    nth: int = 1


class Failpoints:
    """Counts passages and springs *trap* once; *hits* is the file the passage is written to."""

    def __init__(self, trap: Trap | None, hits: Path) -> None:
        self._trap, self._hits = trap, hits
        self._passed: Counter[str] = Counter()

    def passing(self, point: str) -> None:
        """Called at every passage."""
        self._passed[point] += 1
        trap = self._trap
        if trap is None or trap.point != point or self._passed[point] != trap.nth:
            return
        with self._hits.open("a") as file:
            file.write(f"{point}\n")
        if trap.deed == "raise":
            raise Sprung(f"a bug at {point}")
        os.kill(os.getpid(), signal.SIGKILL if trap.deed == "kill" else signal.SIGSTOP)


class Watched:
    """Any port: the calls in *names* pass failpoints, everything else is the port's own."""

    def __init__(self, inner: Any, names: Mapping[str, str], points: Failpoints) -> None:
        self._inner, self._names, self._points = inner, names, points

    def __getattr__(self, method: str) -> Any:
        target = getattr(self._inner, method)
        name = self._names.get(method)
        if name is None:
            return target
        points = self._points
        if not inspect.iscoroutinefunction(target):

            def call(*args: Any, **more: Any) -> Any:
                point = _leg_of(args) + name
                points.passing(f"{point}.before")
                result = target(*args, **more)
                points.passing(f"{point}.after")
                return result

            return call

        async def wait(*args: Any, **more: Any) -> Any:
            point = _leg_of(args) + name
            points.passing(f"{point}.before")
            result = await target(*args, **more)
            points.passing(f"{point}.after")
            return result

        return wait


class WatchedExchanges(Exchanges):
    """Hands out watched exchanges."""

    def __init__(self, inner: Any, points: Failpoints) -> None:
        self._inner, self._points = inner, points

    def open(self, *asked: Any, **more: Any) -> Any:
        return Watched(self._inner.open(*asked, **more), EXCHANGE, self._points)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _leg_of(args: tuple[Any, ...]) -> str:
    """The prefix of the order a call is about."""
    for given in args:
        if isinstance(given, AccountPlan) and given.orders and given.orders[0].leg in ("g", "f"):
            return BY_LEG[given.orders[0].leg]
        link = parse_link_id(given if isinstance(given, str) else getattr(given, "order_link_id", ""))
        if link is not None:
            return BY_LEG[link.leg]
    return ""


def watch_dividing(trader: Trader, points: Failpoints) -> None:
    """Put failpoints around what divides accounts: leases and loans, and the leader's calls."""
    if trader.share is not None:
        trader.share.leases = Watched(trader.share.leases, LEASES, points)
    if trader.calls is not None:
        trader.calls = Watched(trader.calls, CALLS, points)


def watch(context: TradingContext, points: Failpoints) -> None:
    """Put failpoints around the ports of *context*, for everybody who already holds it."""
    ledger = Watched(context.orders, LEDGER, points)
    wrapped = {
        **dict.fromkeys(("orders", "books", "limits", "switches", "cycles", "notifier"), ledger),
        "exchanges": WatchedExchanges(context.exchanges, points),
        "market": Watched(context.market, MARKET, points),
        "candles": Watched(context.candles, CANDLES, points),
        "analyst": Watched(context.analyst, ANALYST, points),
    }
    for name, port in wrapped.items():
        # frozen for the code that trades; a new context would not reach those who were built with this one
        object.__setattr__(context, name, port)
