"""
A command: an act that a page asks of the trader.
"""

from dataclasses import dataclass
from typing import Literal

from lib.domain.position import Direction

CommandKind = Literal["ask_now", "recheck_key", "flatten", "close"]


@dataclass(frozen=True, slots=True)
class Command:
    """
    An act the web asked of the trader for one account at *asked_ms* (epoch ms). *side* is of the position that a
    "close" is about, as its owner saw it, and *symbol* is that position's ("" = the first of the account's).
    """

    id: int
    user_id: int
    account_id: int
    kind: CommandKind
    asked_ms: int
    side: Direction = "flat"
    symbol: str = ""
