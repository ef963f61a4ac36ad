"""
Whether a session has proved lately who it is: keys, venue, looser limits and whatever guards the account ask for that.

Signing in is such a proof, and so is the password or the second factor given again. It holds for five minutes, for that
session alone. A guest has nothing to prove it with. Pure.
"""

from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser

PROOF_MS = 300_000
UNPROVED = Refusal("refuse.step_up")


def unproved(user: SessionUser, now_ms: int) -> Refusal | None:
    """Why *user* must prove themselves first, or None."""
    return None if user.is_guest or now_ms - user.proved_ms < PROOF_MS else UNPROVED
