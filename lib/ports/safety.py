"""
What guards an account beside its password, synchronous, one transaction a method.

A *note* is written to the person's trail with the act. Codes and links are known by their sha256 alone.
"""

from collections.abc import Sequence
from typing import Protocol

from lib.domain.api_token import NewApiToken, TokenHolder
from lib.domain.passkey import NewPasskey, Passkey
from lib.domain.second_factor import Authenticator
from lib.domain.session import EmailMoved
from lib.domain.trail import Note


class SecondFactors(Protocol):
    """Authenticators and recovery codes."""

    def authenticator(self, user_id: int) -> Authenticator | None: ...

    def propose(self, user_id: int, sealed: str) -> bool:
        """Keep *sealed* until a code of it is shown; False when one was confirmed already, and stays."""
        ...

    def confirm(self, sealed: str, step: int, codes_sha256: Sequence[str], note: Note) -> bool:
        """
        From now on the note's person is asked for the *sealed* secret, with these recovery codes; False when none
        waits, or another one by now.
        """
        ...

    def spend_step(self, user_id: int, step: int) -> bool:
        """Use up *step* and all before it; False when that was done already."""
        ...

    def spend_code(self, user_id: int, code_sha256: str, note: Note) -> bool:
        """Use up that recovery code; False for no such code of the person, or a used one."""
        ...

    def renew_codes(self, codes_sha256: Sequence[str], note: Note) -> bool:
        """In place of every older one; False while no authenticator is confirmed."""
        ...

    def drop(self, user_id: int, note: Note | None) -> bool:
        """No authenticator and no codes any more; False when there was none."""
        ...


class ResetLinks(Protocol):
    """Single-use links to a new password, by the sha256 of their token."""

    def add(self, token_sha256: str, user_id: int, expires_ms: int, note: Note, *, drops_factor: bool = False) -> None:
        """In place of every older one of the person; *drops_factor*: using it takes the second factor off too."""
        ...

    def email(self, token_sha256: str, now_ms: int) -> str | None:
        """The e-mail of the person whose living link it is."""
        ...

    def use(self, token_sha256: str, password_hash: str, note: Note) -> int | None:
        """
        Use the link up, give its person that password, end all their sessions; the person's id, and the note's. None
        for no such link, a used or an old one.
        """
        ...


class EmailLinks(Protocol):
    """Single-use links to a new e-mail, by the sha256 of their token; a password change or a new e-mail ends them."""

    def add(self, token_sha256: str, email: str, expires_ms: int, note: Note, *, verified: str) -> bool:
        """
        For the person of *note*, in place of an older one; False, and nothing kept, as in `Logins.change_hash`. Whether
        *email* is taken is not asked.
        """
        ...

    def email(self, token_sha256: str, now_ms: int) -> str | None:
        """The e-mail that a living link leads to, taken meanwhile or not."""
        ...

    def use(self, token_sha256: str, note: Note, besides: int = 0) -> EmailMoved | None:
        """
        Use the link up: its person, and the note's, signs in by its e-mail from now on, and every session of theirs
        but the one of the number *besides* ends, as by `Logins.change_email`. None for no such link, a used or an old
        one, and when somebody else has the e-mail by now.
        """
        ...


class Leaving(Protocol):
    """People who delete their account."""

    def leave(self, user_id: int, now_ms: int) -> None:
        """
        Destroy keys and whatever says who it was, and end everything; orders and books stay under a number.

        *AccountInUse* while an order or a position is open; ValueError for no such person.
        """
        ...


class Passkeys(Protocol):
    """Public keys of people's passkeys, found by the sha256 of their credential id."""

    def of_person(self, user_id: int) -> list[Passkey]: ...

    def find(self, credential_sha256: str) -> Passkey | None: ...

    def add(self, new: NewPasskey, credential_sha256: str, name: str, note: Note) -> bool:
        """Keep *new* for the person of *note*; False for one that is kept already, and when they have too many."""
        ...

    def used(self, passkey_id: int, sign_count: int, now_ms: int) -> bool:
        """Store what its device counts now, and when it was used; False when it is kept no more."""
        ...

    def remove(self, user_id: int, passkey_id: int, note: Note) -> bool:
        """False when the person has no such passkey."""
        ...


class ApiTokens(Protocol):
    """Personal tokens, by their sha256."""

    def add(self, new: NewApiToken, note: Note, most: int) -> bool:
        """False, and nothing kept, when the person has *most* that live; those that do not are forgotten."""
        ...

    def find(self, token_sha256: str) -> TokenHolder | None:
        """The token with its person, alive or not; None for none and for a person who is deleted."""
        ...

    def touch(self, token_sha256: str, now_ms: int) -> None:
        """It was used then; the moment never goes back."""
        ...

    def revoke(self, user_id: int, token_id: int, note: Note) -> bool:
        """False when the person has no such token."""
        ...
