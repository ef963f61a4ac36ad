"""
The analyst, and what is remembered of its provider.
"""

from typing import Protocol

from lib.domain.analyst_call import AnalystAnswer, Prompt


class Analyst(Protocol):
    async def ask(self, prompt: Prompt, budget_s: float) -> AnalystAnswer:
        """One view within *budget_s* seconds, retries included. Never raises: anything odd abstains."""
        ...


class AnalystProfiles(Protocol):
    """What was learnt of a provider's model, shared by all processes: text under a key of at most 60 characters."""

    async def read(self, key: str) -> str:
        """What is remembered under *key*, "" for nothing. *Retry* when it cannot be read."""
        ...

    async def write(self, key: str, text: str) -> None:
        """Remember *text* under *key* in place of what was there. *Retry* when it cannot be written."""
        ...
