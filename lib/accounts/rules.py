"""
What an e-mail address and a password must be to be taken: pure, and the same for the form and the API.

A password is long enough, is not the e-mail, and takes more than `LEAST_GUESSES` guesses by an estimate that knows the
30,000 commonest passwords and what people make of them (years, keys in a row, capitals, "pa$$w0rd"). No character
classes are demanded. An e-mail is only checked for its shape: nothing is sent to it yet.
"""

import re
import unicodedata

from zxcvbn import zxcvbn

from lib.accounts.web import Refusal
from lib.domain.spelling import has_unseen, normal_email

LEAST_CHARS = 10
MOST_CHARS = 128
"""Of a password; hashing cost does not grow with length, memory and logs do."""
CHECKED_CHARS = 48
LEAST_GUESSES = 10**8
"""Fewer are tried in hours against a stolen table, and are first in every list that is tried against a form."""
LONGEST_EMAIL = 254
OWN_DOMAIN = "@maemae.local"
"""People the system makes itself (demo, guests); nobody registers under it."""

_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f,;:<>()\[\]\\\"]{1,64}@[^\s@.\x00-\x1f\x7f]+(?:\.[^\s@.\x00-\x1f\x7f]+)+")

_LOCAL_TEXT = """
dlrjsqlalf qlalfqjsgh ajslgktpdy rkskekfkak qkrtjdgus dkssudgktpdy tkfkdgody tkfkdgo eogksalsrnr gksrnrdls rlaalstn
dlwltjs gkdlfn wjdgml vkfksgksmf wlgus tkdrnr zhfldk skdlzl apapfnxlspt
maemae bybit binance upbit bithumb bitcoin ethereum crypto trading tothemoon hodl korea seoul samsung
"""
"""What the estimate's English lists lack: Korean words as typed on an English keyboard, and words of our trade."""
_LOCAL = _LOCAL_TEXT.split()


def email_refusal(email: str) -> Refusal | None:
    """Why *email* cannot be registered, or None; only a normal spelling can be."""
    if not is_findable(email) or not _EMAIL.fullmatch(email) or email != normal_email(email):
        return Refusal("refuse.email")
    return Refusal("refuse.email") if email.endswith(OWN_DOMAIN) else None


def is_findable(email: str) -> bool:
    """Whether somebody could be known by *email* at all; what is not is never looked for."""
    return len(email) <= LONGEST_EMAIL and not has_unseen(email)


def password_refusal(password: str, email: str) -> Refusal | None:
    """Why *password* is not taken for the person *email*, or None."""
    known = unicodedata.normalize("NFC", password).lower()
    if len(password) < LEAST_CHARS:
        return Refusal("refuse.password.short", least=LEAST_CHARS)
    if len(password) > MOST_CHARS:
        return Refusal("refuse.password.long", most=MOST_CHARS)
    if known in (email, email.partition("@")[0]) or email in known:
        return Refusal("refuse.password.email")
    return Refusal("refuse.password.common") if _is_guessable(known, email) else None


def _is_guessable(known: str, email: str) -> bool:
    near = [*_LOCAL, *re.split(r"[^a-z0-9]+", email)]
    # a long one is judged by its beginning: the estimate takes time that grows with the square of the length
    return len(set(known)) < 4 or int(zxcvbn(known[:CHECKED_CHARS], near)["guesses"]) < LEAST_GUESSES
