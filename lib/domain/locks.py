"""
Risk locks: entries off until a moment, of one account or of the platform.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lib.domain.reason import Reason


@dataclass(frozen=True, slots=True)
class RiskLock:
    """Entries of one account (*account_id* 0: of the platform) are off until *until_ms*, for the reason *why*."""

    account_id: int
    kind: str
    until_ms: int
    why: Reason
    created_ms: int


def claim_locks(of_platform: Iterable[str], own: Iterable[str]) -> tuple[str, ...]:
    """Kinds of locks as a claim names them, each once."""
    return (*sorted({f"platform: {kind}" for kind in of_platform}), *sorted(set(own)))
