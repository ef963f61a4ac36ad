"""
What is stored of a person's second factor: the sealed secret of their authenticator, and how far its codes are used.

A code belongs to one step of thirty seconds; a step that was used, and every one before it, opens nothing again. Pure.
"""

from dataclasses import dataclass

STEP_S = 30
DRIFT = 1
"""Steps that a phone's clock may be ahead or behind."""
RECOVERY_CODES = 10


@dataclass(frozen=True, slots=True)
class Authenticator:
    """*sealed* opens with the web's own secret; *last_step* is the newest step whose code was used."""

    sealed: str
    last_step: int
    confirmed: bool

    def __repr__(self) -> str:
        return f"Authenticator(confirmed={self.confirmed})"
