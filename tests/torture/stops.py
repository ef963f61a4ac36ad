"""
P9 at the exchange's own door: every stop and trailing stop it accepted, written down as it is accepted, and read back.

The simulator's process calls `note`, which appends a line to a file before anybody hears of the stop; the judge reads
the file. A stop or a trailing distance of 0 takes one away: only a hand does that here, so it says nothing of ours.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from lib.domain.order import RECV_WINDOW_MS, parse_link_id
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import OrderRecord, Trail

TWIN_MS = RECV_WINDOW_MS + 2_000
"""How long after a call its twin may still arrive: what the exchange moved in between is the exchange's."""
NEVER = -TWIN_MS - 1


@dataclass(frozen=True, slots=True)
class Accepted:
    """One acceptance. *price* in USDT, of a trailing stop where it would be hit; *standing* the trailing one before."""

    kind: Literal["entry", "stop", "trail"]
    uid: int
    at_ms: int
    is_long: bool
    price: Decimal
    waits: bool = False
    """Whether that trailing stop does not follow yet."""
    standing: Decimal = Decimal(0)
    """Where the trailing stop was that already followed; 0 = none did."""

    @property
    def sign(self) -> int:
        return 1 if self.is_long else -1


def note(engine: Engine, path: Path) -> None:
    """Append what *engine* accepts to *path* from now on."""

    def written(one: Accepted) -> None:
        with path.open("a") as file:
            file.write(f"{json.dumps(asdict(one), default=str)}\n")

    def entry(order: OrderRecord) -> None:
        link = parse_link_id(order.link_id)
        if link is not None and link.leg == "e":
            stop = order.protection.stop_loss
            written(Accepted("entry", order.uid, order.created_ms, order.side == "buy", stop))

    def stop(uid: int, symbol: str, price: Decimal) -> None:
        held = engine.books.holding(engine.accounts[uid], symbol).position
        written(Accepted("stop", uid, engine.last_advanced_ms, held.qty > 0, price))

    def trail(uid: int, symbol: str, wanted: Trail) -> None:
        if not wanted.distance:
            return
        account = engine.accounts[uid]
        holding = engine.books.holding(account, symbol)
        child, is_long = account.orders.get(holding.trail_id), holding.position.qty > 0
        follows = child is not None and not child.trail.active_price
        begins = engine.books.mark(symbol) - (1 if is_long else -1) * wanted.distance
        standing = child.trigger_price if child is not None and follows else Decimal(0)
        waits, at_ms = wanted.active_price > 0, engine.last_advanced_ms
        written(Accepted("trail", uid, at_ms, is_long, begins, waits=waits, standing=standing))

    engine.on_accept, engine.on_stop, engine.on_trail = entry, stop, trail


def read(path: Path) -> list[Accepted]:
    """What was written to *path*, in the order of its acceptance."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [_parsed(json.loads(line)) for line in lines]


def _parsed(said: dict[str, object]) -> Accepted:
    money = {name: Decimal(str(said[name])) for name in ("price", "standing")}
    return Accepted(**{**said, **money})  # type: ignore[arg-type]


def moved_away(accepted: list[Accepted]) -> Iterator[str]:
    """P9 of one account: what was accepted farther from the price than something before it."""
    nearest, trailed_ms = Decimal(0), NEVER
    for one in accepted:
        if one.kind == "entry":
            nearest, trailed_ms = one.price, NEVER
        elif one.kind == "trail":
            is_twin = one.at_ms - trailed_ms <= TWIN_MS
            if one.standing and not is_twin and (one.waits or (one.price - one.standing) * one.sign < 0):
                yield f"trailing began anew behind {one.standing}"
            trailed_ms = one.at_ms
        elif one.price:
            if nearest and (one.price - nearest) * one.sign < 0:
                yield f"a stop at {one.price} was accepted after one at {nearest}"
            nearest = one.price if not nearest or (one.price - nearest) * one.sign > 0 else nearest
