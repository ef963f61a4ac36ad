"""
A person's own won for one USDT by date: a list that is read strictly and replaced as a whole.
"""

from lib.accounts.acts import act
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.domain.won_rates import MOST_RATES, WrongRate, read_lines
from lib.ports.people import WonBook

LONGEST = 60 * MOST_RATES
"""Characters of a list: every line longer than any that can be meant."""


class WonDesk:
    """Synchronous and safe from any thread; *Retry* when the database is away."""

    def __init__(self, book: WonBook) -> None:
        self._book = book

    @act
    def change(self, user: SessionUser, before: str, after: str) -> Refusal | None:
        """
        The lines of *after* (a date and a rate each) in the place of *before*, the lines the person was shown.

        Where another tab changed them meanwhile nothing is written over.
        """
        if len(after) > LONGEST:
            return Refusal("refuse.krw", line=MOST_RATES + 1)
        try:
            known, wanted = read_lines(before), read_lines(after)
        except WrongRate as wrong:
            return Refusal("refuse.krw", line=wrong.line)
        return None if self._book.replace(user.user_id, known, wanted) else Refusal("refuse.krw.stale")
