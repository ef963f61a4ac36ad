"""
The promises, held against the exchange's own books, which are asked by its API and past every cable.

Nothing here uses the code that trades to read the exchange. Each problem is one sentence; an empty list is a pass.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lib.adapters.sql.ledger.keeping import books
from lib.adapters.sql.tables.trading import fills, order_events, orders, stop_moves, trade_logs
from lib.domain import reason_codes as codes
from lib.domain.audit_chain import OrderEvent
from lib.domain.order import MAX_AGE_MS, RECV_WINDOW_MS, LinkId, link_prefix, parse_link_id
from lib.domain.order_rules import ORPHAN
from lib.domain.stored_reason import stored
from tests.chains import chain_problem
from tests.torture import stops
from tests.worlds.killed import SYMBOL, TERMINAL_WORDS, Person, World

LATEST_ENTRY_MS = MAX_AGE_MS + RECV_WINDOW_MS + 2_000
AFTER_THE_SWITCH_MS = RECV_WINDOW_MS + 2_000
NEVER_THERE = frozenset({"ABSENT", "EXPIRED", "BLOCKED"})
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the exchange has of one person: *orders* of ours by link id (a rejected twin gives way), the rest raw."""

    orders: dict[str, Row]
    executions: list[Row]
    position: Row
    balance: Decimal


@dataclass
class Judge:
    """Judges one world. *switched_off_ms* is when trading was switched off for everybody, 0 = never."""

    world: World
    switched_off_ms: int = 0
    orphaned: bool = False
    """Whether the database has lost acknowledged commits: only then may an adoption reopen a row."""
    problems: list[str] = field(default_factory=list)
    entries: int = 0

    async def look(self) -> list[str]:
        """Every promise; what broke it."""
        rows: dict[int, list[sa.RowMapping]] = defaultdict(list)
        for row in self.world.rows(orders):
            rows[row["account_id"]].append(row)
        for person in self.world.people:
            seen = await self.seen(person)
            mine = {row["order_link_id"]: row for row in rows[person.account_id]}
            self._entries(person, seen)
            self._rows(mine, seen)
            self._position(person, seen)
            self._stop(person, mine, seen)
            self._trailing(mine, seen)
            self._books(person, seen)
        self._accepted()
        self._chains()
        self._logs()
        return self.problems

    # --- asking the exchange ------------------------------------------------------------------------------------------

    async def seen(self, person: Person) -> Seen:
        """Everything about *person*, asked now."""
        asked = f"category=linear&symbol={SYMBOL}&limit=50"
        records: dict[str, Row] = {}
        for path in ("/v5/order/realtime", "/v5/order/realtime?openOnly=1", "/v5/order/history"):
            plain, _, more = path.partition("?")
            for row in await self._list(person, plain, f"{asked}&{more}" if more else asked):
                self._keep(records, row)
        executions = await self._list(person, "/v5/execution/list", asked)
        position = await self.position(person)
        wallet = await self._list(person, "/v5/account/wallet-balance", "accountType=UNIFIED")
        return Seen(records, executions, position, Decimal(wallet[0]["coin"][0]["walletBalance"]))

    async def position(self, person: Person) -> Row:
        """The one-way position of *person*, asked now."""
        return (await self._list(person, "/v5/position/list", f"category=linear&symbol={SYMBOL}"))[0]

    async def _list(self, person: Person, path: str, query: str) -> list[Row]:
        answer = await person.key.get(path, query)
        if answer["retCode"] != 0:
            raise AssertionError(codes.ORDER_ENDED(state=path, why=answer))
        found: list[Row] = answer["result"]["list"]
        return found

    def _keep(self, records: dict[str, Row], row: Row) -> None:
        link = row["orderLinkId"]
        if link.startswith(link_prefix(self.world.installation)):
            known = records.get(link)
            if known is None or known["orderStatus"] == "Rejected" or row["orderStatus"] != "Rejected":
                records[link] = row

    # --- the promises -------------------------------------------------------------------------------------------------

    def _entries(self, person: Person, seen: Seen) -> None:
        """One entry per T; in time; not after the switch; with its stop inside."""
        of_t: dict[int, list[str]] = defaultdict(list)
        for link, row in seen.orders.items():
            read = parse_link_id(link)
            if row["reduceOnly"] or row["orderStatus"] == "Rejected" or read is None:
                continue
            self.entries += 1
            of_t[read.t_ms].append(link)
            self._entry(link, read, row)
        for t_ms, links in of_t.items():
            if len(links) > 1:
                self._say(f"P1: uid {person.uid} has {len(links)} entries at {t_ms}: {links}")

    def _entry(self, link: str, read: LinkId, row: Row) -> None:
        accepted = int(row["createdTime"])
        if accepted > read.t_ms + LATEST_ENTRY_MS:
            self._say(f"P2: {link} was accepted {accepted - read.t_ms} ms after its T")
        if self.switched_off_ms and accepted > self.switched_off_ms + AFTER_THE_SWITCH_MS:
            self._say(f"P3: {link} was accepted {accepted - self.switched_off_ms} ms after the switch")
        if not row["stopLoss"]:
            self._say(f"P5: {link} was accepted without a stop")

    def _rows(self, mine: dict[str, sa.RowMapping], seen: Seen) -> None:
        """Every row ended as the exchange has it, and nothing of ours is there without a row."""
        for link in seen.orders.keys() - mine.keys():
            self._say(f"P4: {link} is at the exchange and has no row")
        for link, row in mine.items():
            record = seen.orders.get(link)
            if row["state"] not in TERMINAL_WORDS:
                self._say(f"P4: {link} is still {row['state']}")
            elif record is None and row["state"] not in NEVER_THERE:
                self._say(f"P4: {link} is {row['state']} and unknown to the exchange")
            elif record is not None:
                self._agree(link, row, record)

    def _agree(self, link: str, row: sa.RowMapping, record: Row) -> None:
        there = state_of(record)
        if row["state"] != there and not (there == "REJECTED" and row["state"] in NEVER_THERE):
            self._say(f"P4: {link} is {row['state']} here and {record['orderStatus']} there")
        pairs = (("filled_qty", "cumExecQty"), ("fee", "cumExecFee"), ("avg_price", "avgPrice"))
        for ours, theirs in pairs:
            if row[ours] != Decimal(record[theirs] or "0"):
                self._say(f"P4: {link} has {ours} {row[ours]} here and {record[theirs]} there")

    def _position(self, person: Person, seen: Seen) -> None:
        if Decimal(seen.position["size"]) and not seen.position["stopLoss"]:
            self._say(f"P5: uid {person.uid} holds {seen.position['size']} without a stop")

    def _stop(self, person: Person, mine: dict[str, sa.RowMapping], seen: Seen) -> None:
        """The stop stands where it was last moved to; a move of an older entry is none of this position's."""
        entered = [row for row in mine.values() if row["filled_qty"] and not row["reduce_only"]]
        if not Decimal(seen.position["size"]) or not entered:
            return
        entry = max(entered, key=lambda row: row["t_ms"])["order_link_id"]
        moved = sa.select(stop_moves.c.price).where(stop_moves.c.entry_link == entry)
        if not (prices := [row["price"] for row in self.world.rows(moved)]):
            return
        wanted = max(prices) if seen.position["side"] == "Buy" else min(prices)
        if Decimal(seen.position["stopLoss"] or "0") != wanted:
            self._say(f"P9: uid {person.uid} has its stop at {seen.position['stopLoss']}, wanted was {wanted}")

    def _trailing(self, mine: dict[str, sa.RowMapping], seen: Seen) -> None:
        """A position whose entry has that rule has the exchange's own trailing stop."""
        entered = [row for row in mine.values() if row["filled_qty"] and not row["reduce_only"]]
        if not Decimal(seen.position["size"]) or not entered:
            return
        newest = max(entered, key=lambda row: row["t_ms"])
        # filled beyond its own stop, in its favour: nothing is at risk, so there is no R to trail by
        has_r = (newest["avg_price"] - newest["stop_loss"]) * (1 if newest["side"] == "buy" else -1) > 0
        if newest["exits"].trail_r and has_r and not Decimal(seen.position["trailingStop"] or "0"):
            self._say(f"exits: {newest['order_link_id']} is open and no trailing stop stands")

    def _accepted(self) -> None:
        """No stop of ours was accepted farther from the price than one before it."""
        accepted = stops.read(self.world.ground.stops)
        for person in self.world.people:
            for problem in stops.moved_away([one for one in accepted if str(one.uid) == person.uid]):
                self._say(f"P9: uid {person.uid}: {problem}")

    def _books(self, person: Person, seen: Seen) -> None:
        with self.world.engine.connect() as connection:
            ours = books(connection, (person.account_id, SYMBOL))
        if ours.balance != seen.balance:
            self._say(f"books: uid {person.uid} has {ours.balance} here and {seen.balance} there")
        sign = -1 if seen.position["side"] == "Sell" else 1
        if ours.position.qty != sign * Decimal(seen.position["size"]):
            self._say(f"books: uid {person.uid} holds {ours.position.qty} here and {seen.position['size']} there")
        known = {row["exec_id"] for row in self.world.rows(sa.select(fills).where(self._of(person)))}
        if missing := {row["execId"] for row in seen.executions} ^ known:
            self._say(f"books: uid {person.uid}: {len(missing)} executions are on one side only")

    @staticmethod
    def _of(person: Person) -> "sa.ColumnElement[bool]":
        return fills.c.account_id == person.account_id

    def _chains(self) -> None:
        """Histories are whole, and no verdict was overturned."""
        links = {row["id"]: row["order_link_id"] for row in self.world.rows(orders)}
        chains: dict[int, list[tuple[OrderEvent, str]]] = defaultdict(list)
        for row in self.world.rows(sa.select(order_events).order_by(order_events.c.id)):
            link = links.setdefault(row["order_id"], f"the lost row {row['order_id']}")
            said = (row["at_ms"], row["from_state"], row["to_state"], row["why"], row["code"], row["prev_hash"])
            chains[row["order_id"]].append((OrderEvent(link, *said), row["hash"]))
            overturned = row["from_state"] in TERMINAL_WORDS and row["from_state"] != row["to_state"]
            if overturned and not (self.orphaned and row["why"] == stored(ORPHAN)):
                self._say(f"P6: {link} went from {row['from_state']} to {row['to_state']}")
        for order_id, chain in chains.items():
            if problem := chain_problem(chain):
                self._say(f"P6: {links[order_id]}: {problem}")
        for order_id in links.keys() - chains.keys():
            self._say(f"P6: {links[order_id]} has no history")

    def _logs(self) -> None:
        for row in self.world.rows(trade_logs):
            if row["status"] == "pending":
                self._say(f"log: account {row['account_id']} at {row['t_ms']} is still pending")

    def _say(self, problem: str) -> None:
        self.problems.append(problem)


def state_of(record: Row) -> str:
    """The state our row must have."""
    filled = Decimal(record["cumExecQty"] or "0")
    match record["orderStatus"]:
        case "Filled":
            return "FILLED"
        case "PartiallyFilledCanceled":
            return "PARTIAL"
        case "Cancelled":
            return "PARTIAL" if filled else "CANCELLED"
        case "Rejected":
            return "REJECTED"
    return str(record["orderStatus"])


def is_protected(position: Row) -> bool:
    """Flat, or with a stop attached."""
    return not Decimal(position["size"]) or bool(position["stopLoss"])
