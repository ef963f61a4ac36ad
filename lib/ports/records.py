"""Links to a person's records (synchronous), one transaction a method."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RecordLink:
    """A link to be made: what it shows beside the record; *made_ms* is epoch ms."""

    record_id: int
    code_sha256: str
    named: bool
    amounts: bool
    made_ms: int


class RecordLinks(Protocol):
    """Nobody's record but the person's own is found. *ValueError* for no such person."""

    def make(self, user_id: int, link: RecordLink, most: int) -> bool:
        """Let whoever knows the code see the record; False when it is not the person's, or *most* links open."""
        ...

    def end(self, user_id: int, link_id: int, now_ms: int) -> bool:
        """The link opens nothing from now on; False when there is no such open link of the person's."""
        ...
