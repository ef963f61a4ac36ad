"""
A record a stranger can check: what one account did under one version of a strategy, hashed day by day. Pure.

Every decision, every equity point and every outcome that came later is a leaf: one flat JSON object in its one written
form. The leaves of a UTC day make a Merkle tree (RFC 6962), and the day's head covers the head before it, the day, how
many leaves there are and their root. So nothing of a sealed day can be changed, dropped, added or put elsewhere without
another head. Hashes of leaves, nodes, heads and amounts begin with a byte of their own and never stand for one another.

An equity point shows an index (1 at the record's first point, transfers left out) and the hash of its amounts with a
salt: whoever keeps amounts to themselves shows the leaf and not what it is of. No name, address, account or key is in a
leaf. A head proves what stood when it was made known, not when that was: keep a head, and nothing before it can move.

`app/assets/verify_record.py` is the same law without a line of this one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from typing import Literal

from lib.domain.day import DAY_MS, midnight_after
from lib.domain.decimals import plain

FORMAT = "maemae-record-1"
SEALED_AFTER_MS = 15 * 60_000
"""How long after its end a day is sealed: its last decision has been written by then."""
LATE_DAYS = 30
"""For how many days an outcome is waited for; what ends later is no part of the record."""
_LEAF, _NODE, _HEAD, _AMOUNTS = b"\x00", b"\x01", b"\x02", b"\x03"
_STEP = Decimal("0.00000001")

Value = str | int | None
Leaf = Mapping[str, Value]
Amounts = Mapping[str, str]
Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a decision was made by: the model that answered, hashes (hex, "" = not kept) of what went and came."""

    model: str
    sent: str
    raw: str


@dataclass(frozen=True, slots=True)
class Decided:
    """One account's decision about a symbol at T (epoch ms); *asked* None = nobody was asked."""

    t_ms: int
    symbol: str
    outcome: str
    action: str | None = None
    confidence: Decimal | None = None
    leverage: int | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    close_fraction: Decimal | None = None
    asked: Asked | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf, and of an equity point the amounts that its hash is of."""

    leaf: Leaf
    amounts: Amounts | None = None

    @property
    def key(self) -> tuple[int, str, str]:
        """Its place within a day: T, kind, symbol."""
        t_ms = self.leaf["t"]
        return (t_ms if isinstance(t_ms, int) else 0, str(self.leaf["kind"]), str(self.leaf.get("symbol", "")))


@dataclass(frozen=True, slots=True)
class Version:
    """What a record is of; *number* 0 = the original design, as nothing was ever chosen."""

    number: int
    sha256: str

    @property
    def genesis(self) -> str:
        """What the first day of its records points back to (hex)."""
        said: Leaf = {"format": FORMAT, "number": self.number, "version": self.sha256}
        return sha256(_HEAD + canonical(said)).hexdigest()


@dataclass(frozen=True, slots=True)
class Seal:
    """A sealed UTC *day* (YYYY-MM-DD); *root* and *head* are hex."""

    day: str
    leaves: int
    root: str
    head: str


def canonical(value: Mapping[str, Value]) -> bytes:
    """The one written form of a flat object (RFC 8785 of text, whole numbers and null); TypeError for other values."""
    for one in value.values():
        if one is not None and type(one) not in (str, int):
            raise TypeError(f"a leaf holds text, whole numbers and null, not {type(one).__name__}")
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def day_named(day: int) -> str:
    """Days since 1970-01-01 as YYYY-MM-DD."""
    return datetime.fromtimestamp(day * DAY_MS // 1000, UTC).strftime("%Y-%m-%d")


def is_over(day: int, now_ms: int) -> bool:
    """Whether *day* may be sealed at *now_ms* (epoch ms)."""
    return now_ms >= midnight_after(day * DAY_MS) + SEALED_AFTER_MS


# --- leaves -----------------------------------------------------------------------------------------------------------


def decision_leaf(version: Version, made: Decided) -> Leaf:
    """The leaf of a decision; its outcome is null while an order of it is not proved to have ended."""
    asked = made.asked or Asked("", "", "")
    return {
        "kind": "decision",
        "t": made.t_ms,
        "symbol": made.symbol,
        "number": version.number,
        "version": version.sha256,
        "model": asked.model or None,
        "action": made.action,
        "confidence": written(made.confidence),
        "leverage": made.leverage,
        "stop": written(made.stop_loss),
        "target": written(made.take_profit),
        "fraction": written(made.close_fraction),
        "sent": asked.sent or None,
        "raw": asked.raw or None,
        "outcome": known_outcome(made.outcome),
    }


def outcome_leaf(made: Decided) -> Leaf:
    """The leaf of an outcome that came, or changed, after its decision was sealed."""
    return {"kind": "outcome", "t": made.t_ms, "symbol": made.symbol, "outcome": known_outcome(made.outcome)}


def known_outcome(outcome: str) -> str | None:
    """*outcome*, or None while it is not known."""
    return None if outcome == "unresolved" else outcome


@dataclass(frozen=True, slots=True)
class Money:
    """An equity point: USDT; *transfers* is what had come in less what had gone out by then."""

    t_ms: int
    balance: Decimal
    equity: Decimal
    transfers: Decimal


def equity_entry(made: Money, index: Decimal, salt: str) -> Entry:
    """The leaf of an equity point and its amounts; *salt* is random text that nobody can guess."""
    amounts = {
        "balance": text_of(made.balance),
        "equity": text_of(made.equity),
        "transfers": text_of(made.transfers),
        "salt": salt,
    }
    leaf: Leaf = {"kind": "equity", "t": made.t_ms, "index": text_of(index), "amounts": amounts_hash(amounts)}
    return Entry(leaf, amounts)


def amounts_hash(amounts: Amounts) -> str:
    """What an equity leaf says of its amounts (hex)."""
    return sha256(_AMOUNTS + canonical(amounts)).hexdigest()


def next_index(index: Decimal, before: Money | None, now: Money) -> Decimal:
    """
    *index* carried on to *now*: times what equity became without what came in or went out. *before* None = the account
    ran something else just before, which is no part of this record.
    """
    if before is None or before.equity <= 0:
        return index
    kept = now.equity - (now.transfers - before.transfers)
    return (index * kept / before.equity).quantize(_STEP, ROUND_HALF_EVEN)


def written(value: Decimal | None) -> str | None:
    """A decimal as a leaf has it: plain digits."""
    return None if value is None else text_of(value)


def text_of(value: Decimal) -> str:
    """*value* in plain digits."""
    return format(plain(value), "f")


# --- hashes -----------------------------------------------------------------------------------------------------------


def leaf_hash(leaf: Leaf) -> bytes:
    """The hash of a leaf."""
    return sha256(_LEAF + canonical(leaf)).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two hashes, in their order."""
    return sha256(_NODE + left + right).digest()


def merkle_root(hashes: Sequence[bytes]) -> bytes:
    """The root of one hash or more."""
    if len(hashes) == 1:
        return hashes[0]
    half = _half(len(hashes))
    return node_hash(merkle_root(hashes[:half]), merkle_root(hashes[half:]))


def _half(count: int) -> int:
    """The largest power of two below *count* (2 or more)."""
    return 1 << (count - 1).bit_length() - 1


def audit_path(hashes: Sequence[bytes], place: int) -> list[tuple[Side, bytes]]:
    """What leads from the hash at *place* up to the root: on which side which hash joins."""
    if len(hashes) == 1:
        return []
    half = _half(len(hashes))
    if place < half:
        return [*audit_path(hashes[:half], place), ("right", merkle_root(hashes[half:]))]
    return [*audit_path(hashes[half:], place - half), ("left", merkle_root(hashes[:half]))]


def sealed(before: str, day: str, leaves: Sequence[Leaf]) -> Seal:
    """The seal of *day* over its leaves, one or more and in their order, after the head *before* (hex)."""
    root = merkle_root([leaf_hash(leaf) for leaf in leaves]).hex()
    said: Leaf = {"before": before, "day": day, "leaves": len(leaves), "root": root}
    return Seal(day, len(leaves), root, sha256(_HEAD + canonical(said)).hexdigest())


# --- what leaves the house --------------------------------------------------------------------------------------------


def first_line(version: Version) -> bytes:
    """What a file begins with."""
    return canonical({"format": FORMAT, "number": version.number, "version": version.sha256}) + b"\n"


def day_lines(entries: Iterable[Entry], seal: Seal, *, amounts: bool) -> bytes:
    """The lines of a day: its leaves, with their *amounts* or without, and its seal."""
    lines = [entry_line(entry, amounts=amounts) + b"\n" for entry in entries]
    return b"".join(lines) + b'{"seal":' + canonical(_told(seal)) + b"}\n"


def _told(seal: Seal) -> dict[str, Value]:
    return {"day": seal.day, "head": seal.head, "leaves": seal.leaves, "root": seal.root}


def entry_line(entry: Entry, *, amounts: bool) -> bytes:
    """The line of an entry, with its *amounts* or without; no line end."""
    more = b',"of":' + canonical(entry.amounts) if amounts and entry.amounts is not None else b""
    return b'{"leaf":' + canonical(entry.leaf) + more + b"}"


def read_entry(line: bytes) -> Entry:
    """The inverse of `entry_line`, for lines of ours."""
    said = json.loads(line)
    return Entry(said["leaf"], said.get("of"))


def proof(entries: Sequence[Entry], place: int, seal: Seal, before: str) -> dict[str, object]:
    """That the entry at *place* is in the day of *seal*: everything it takes to come from the leaf to the head."""
    path = audit_path([leaf_hash(entry.leaf) for entry in entries], place)
    return {
        "format": FORMAT,
        "leaf": dict(entries[place].leaf),
        "path": [[side, other.hex()] for side, other in path],
        "seal": _told(seal),
        "before": before,
    }
