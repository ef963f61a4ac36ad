"""
The tokens of a call when the provider does not tell them: estimated from the text. Pure.

A call that timed out was read by the provider all the same, and many servers leave the usage out; counted as nothing,
such calls would pass every budget.
"""

from dataclasses import dataclass

from lib.domain.analyst_call import Prompt
from lib.domain.tokens import estimated

MOST_TOKENS = 10_000_000


def counted(value: object) -> int:
    """A number of tokens that fits our books, whatever the provider claims; 0 for a value that is no number."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return max(0, min(value, MOST_TOKENS))


@dataclass(slots=True)
class Meter:
    """Tokens of one question's calls: those that answers claimed, and estimates of the others."""

    prompt: Prompt
    asked: int = 0
    answered: int = 0
    cached: int = 0
    in_flight: bool = False
    """Whether a call is under way: cut off now, the call has cost its prompt."""

    def sent(self) -> None:
        """A call leaves."""
        self.in_flight = True

    def ended(self, *, was_read: bool) -> None:
        """The call ended without an answer; a call that never arrived or was refused costs nothing."""
        if was_read:
            self.lost()
        self.in_flight = False

    def lost(self) -> None:
        """A call that was sent and never answered has cost its prompt."""
        if self.in_flight:
            self.asked += self._prompt_tokens()
            self.in_flight = False

    def heard(self, prompt_tokens: object, completion_tokens: object, answer: str, cached_tokens: object = 0) -> None:
        """An answer came with these claims; a missing claim is estimated, but for the cached ones, which are then 0."""
        self.cached += min(counted(cached_tokens), counted(prompt_tokens))
        self.asked += counted(prompt_tokens) or self._prompt_tokens()
        self.answered += counted(completion_tokens) or estimated(answer)
        self.asked, self.answered = min(self.asked, MOST_TOKENS), min(self.answered, MOST_TOKENS)
        self.in_flight = False

    def _prompt_tokens(self) -> int:
        return estimated(self.prompt.system) + estimated(self.prompt.user)
