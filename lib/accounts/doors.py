"""
Which doors an operator left open for newcomers, asked anew at every try.

Each way to become somebody passes here: a person with a password needs open registration or an invitation, a guest the
door of guests. A look at the demo account makes nobody, so no door is asked. Who is here already is not concerned.
"""

from collections.abc import Callable

from lib.accounts.invites import code_sha256
from lib.accounts.web import Refusal
from lib.clock import Clock
from lib.domain.account import MOST_GUESTS
from lib.domain.platform_settings import Admission, Invite, Registration

NOT_INVITED = Refusal("refuse.invite")


class Doors:
    """*admission* reads what holds now; at most *most_guests* live at once, whatever it says."""

    def __init__(self, admission: Callable[[], Admission], clock: Clock, most_guests: int = MOST_GUESTS) -> None:
        self._admission = admission
        self._clock = clock
        self.most_guests = most_guests

    def registration(self, code: str) -> Invite | Refusal | None:
        """The invitation to use up for a new person who typed *code*, None where none is asked for; or why not."""
        held = self._admission().registration
        if held is Registration.OPEN:
            return None
        if held is Registration.CLOSED:
            return Refusal("refuse.registration")
        known = code_sha256(code)
        return Invite(known, self._clock.now_ms()) if known else NOT_INVITED

    def guests(self) -> Refusal | None:
        """Why no new guest may come in, or None."""
        return None if self._admission().takes_guests else Refusal("refuse.guests.closed")
