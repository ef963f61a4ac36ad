"""
What a venue answered instead of yes.

A value beside the sentence of a reaction (`lib.domain.errors`): who enters a key is told what the venue said, not that
it could not be reached. Its text is the venue's own, already cut and without secrets; nobody renders it as markup.
"""

from dataclasses import dataclass

LONGEST_TEXT = 200
MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class VenueAnswer:
    """
    A refusal as the venue gave it. *code* is its own code, or the HTTP status where it gave none (*is_http*).

    *sentence* says in our words what that means, *text* is what the venue wrote.

    *reasons* are what it lists under the refusal, in its order. *passing*: the same request may be granted later, and
    nothing has to be changed for it. *is_bound_elsewhere*: the key is for other addresses than the one we call from.
    """

    code: int
    sentence: str
    text: str = ""
    reasons: tuple["VenueAnswer", ...] = ()
    is_http: bool = False
    passing: bool = False
    is_bound_elsewhere: bool = False
