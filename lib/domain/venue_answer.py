"""
A venue's refusal, as the venue worded it.

A value beside the reason of a reaction (`lib.domain.errors`): a person who enters a key is told the venue's answer,
not that the venue could not be reached. The text is the venue's own, already cut and without secrets; no page renders
it as markup.
"""

from dataclasses import dataclass

from lib.domain.reason import Reason

LONGEST_TEXT = 200
MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class VenueAnswer:
    """
    A refusal as the venue gave it. *code* is its own code, or the HTTP status where it gave none (*is_http*).

    *why* is the refusal's meaning, *text* the venue's own text.

    *reasons* are those the venue lists under the refusal, in its order. *passing*: the same request may be granted
    later without any change. *is_bound_elsewhere*: the key is bound to other addresses than the one we call from.
    """

    code: int
    why: Reason
    text: str = ""
    reasons: tuple["VenueAnswer", ...] = ()
    is_http: bool = False
    passing: bool = False
    is_bound_elsewhere: bool = False
