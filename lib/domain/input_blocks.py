"""
What an analyst may be shown beside the design's thirty candles: the blocks on offer, and one as it is shown. Pure.

A block is chosen by name and has one size, so that people who choose the same are shown the same. They stand in a
prompt in the order of `OFFERED`, whatever order they were chosen in. A name is stored and never gets another meaning.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from lib.domain.measures import MEASURE_KINDS
from lib.domain.reason import NOTHING, Reason
from lib.domain.stored_reason import parse, stored
from lib.domain.tokens import estimated


@dataclass(frozen=True, slots=True)
class Block:
    """One block of what the analyst is shown: *count* of *kind* at *interval* ("" = of none)."""

    kind: str
    interval: str = ""
    count: int = 1

    @property
    def name(self) -> str:
        """The block's key in a prompt and in the store."""
        return f"{self.kind}_{self.interval}" if self.interval else self.kind


CANDLES = Block("candles", "1m", 30)
"""The original design's thirty closed candles: always shown, since a decision rests on them."""
WARM_UP = 200
"""Closed candles an indicator is computed over; with fewer it is left out."""
OFFERED = (
    Block("bars", "5m", 12),
    Block("bars", "15m", 12),
    Block("bars", "1h", 12),
    Block("bars", "4h", 12),
    Block("bars", "1d", 14),
    *(Block("indicators", interval, WARM_UP) for interval in ("1m", "5m", "15m", "1h", "4h", "1d")),
    *map(Block, MEASURE_KINDS),
    Block("position"),
    Block("calendar"),
    Block("outcomes", "", 5),
    Block("news", "", 8),
    Block("blindfold"),
)
BLINDFOLD = OFFERED[-1]
"""No block of its own: how candles and all other blocks are written (`lib.domain.lens`)."""
BY_NAME = {block.name: block for block in OFFERED}


def in_order(names: Iterable[str]) -> tuple[Block, ...]:
    """The blocks called *names*, as they stand in a prompt; KeyError for a name that is not on offer."""
    chosen = {BY_NAME[name] for name in names}
    return tuple(block for block in OFFERED if block in chosen)


def inputs_text(inputs: Iterable[Block]) -> str:
    """*inputs* as a column holds them: names with commas between, "" for none."""
    return ",".join(block.name for block in inputs)


def read_inputs(text: str) -> tuple[Block, ...]:
    """The inverse of `inputs_text`; ValueError for a name that is not on offer."""
    try:
        return in_order(text.split(",")) if text else ()
    except KeyError as unknown:
        raise ValueError(f"no such input: {unknown}") from None


def are_offered(inputs: tuple[Block, ...]) -> bool:
    """Whether *inputs* are blocks on offer, each once and in their order."""
    return inputs == tuple(block for block in OFFERED if block in inputs)


@dataclass(frozen=True, slots=True)
class Shown:
    """
    *block* as one prompt shows it: *value* as JSON knows values, numbers as text; or why it is *left_out*.

    *seen_ms* is the moment (epoch ms) that the newest of it tells of; 0 = of none.
    """

    block: Block
    value: object = None
    left_out: Reason = NOTHING
    seen_ms: int = 0

    @property
    def text(self) -> str:
        """The block as it stands in the prompt: `"name":value`, or its word about having been left out."""
        return f'"{self.block.name}":{compact(self.left_out.code if self.left_out else self.value)}'

    @property
    def sha256(self) -> str:
        """The hash of the content (hex)."""
        return sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ShownNote:
    """What is kept of a *Shown* beside the prompt: the hash and the tokens of what was sent, or why it was left out."""

    name: str
    sha256: str
    tokens: int
    seen_ms: int
    left_out: Reason = NOTHING


def note_of(shown: Shown) -> ShownNote:
    """*shown* without its value."""
    return ShownNote(shown.block.name, shown.sha256, estimated(shown.text), shown.seen_ms, shown.left_out)


def shown_text(shown: Iterable[Shown]) -> str:
    """The notes of *shown* as a column holds them; "" for none."""
    rows = [[one.name, one.sha256, one.tokens, one.seen_ms, stored(one.left_out)] for one in map(note_of, shown)]
    return compact(rows) if rows else ""


def read_shown(text: str | None) -> tuple[ShownNote, ...]:
    """What `shown_text` wrote."""
    rows = json.loads(text) if text else []
    return tuple(ShownNote(name, sha, tokens, at, parse(why)) for name, sha, tokens, at, why in rows)


def sent_values(prompt: str, notes: Iterable[ShownNote]) -> dict[str, str]:
    """By name the content of each block as it stands in *prompt*; only what has the hash that was noted."""
    lines = (line for line in prompt.split("\n") if line.startswith("{"))
    sent = list(map(_blocks, lines))
    found: dict[str, str] = {}
    for note in notes:
        for blocks in sent:
            content = compact(blocks.get(note.name))
            if sha256(f'"{note.name}":{content}'.encode()).hexdigest() == note.sha256:
                found[note.name] = content
    return found


def _blocks(line: str) -> dict[str, object]:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    blocks = read.get("blocks") if isinstance(read, dict) else None
    return blocks if isinstance(blocks, dict) else {}


def compact(value: object) -> str:
    """*value* as the one JSON text that prompts and hashes use."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
