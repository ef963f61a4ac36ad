"""
Letters to people.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Letter:
    """Plain text; *body* may hold a link that opens something, so no repr shows it."""

    to: str
    subject: str
    body: str

    def __repr__(self) -> str:
        return f"Letter({self.subject!r})"


class Mailer(Protocol):
    """Hands letters over, slowly: callers do not wait for it."""

    def send(self, letter: Letter) -> None:
        """*Retry* when it could not be handed over."""
        ...
