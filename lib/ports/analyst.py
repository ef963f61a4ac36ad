"""
The analyst, and the remembered profile of the analyst's provider.
"""

from typing import Protocol

from lib.domain.analyst_call import AnalystAnswer, Prompt


class Analyst(Protocol):
    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        """One answer within *budget_s* seconds, retries included. Never raises: an odd answer is *Abstained*."""
        ...


class AnalystProfiles(Protocol):
    """Profiles of providers' models, shared by all processes: each a text under a key of at most 60 characters."""

    async def read(self, key: str) -> str:
        """The text stored under *key*, "" for none. *Retry* when the store cannot be read."""
        ...

    async def write(self, key: str, text: str) -> None:
        """Store *text* under *key* in place of the text before. *Retry* when the store cannot be written."""
        ...
