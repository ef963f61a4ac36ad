"""
What an e-mail address and a password must be to be taken: pure, and the same for the form and the API.

A password is long enough and neither the e-mail nor one of the commonest; no character classes are demanded. An e-mail
is only checked for its shape: nothing is sent to it yet.
"""

import re
import unicodedata

from lib.accounts.web import Refusal
from lib.domain.spelling import has_unseen, normal_email

LEAST_CHARS = 10
MOST_CHARS = 128
"""Of a password; hashing cost does not grow with length, memory and logs do."""
LONGEST_EMAIL = 254
OWN_DOMAIN = "@maemae.local"
"""People the system makes itself (demo, guests); nobody registers under it."""

_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f,;:<>()\[\]\\\"]{1,64}@[^\s@.\x00-\x1f\x7f]+(?:\.[^\s@.\x00-\x1f\x7f]+)+")

_COMMON_TEXT = """
1234567890 12345678910 123456789a 1234567891 0123456789 0987654321 9876543210 1q2w3e4r5t 1q2w3e4r5t6y qwertyuiop
qwerty1234 qwerty12345 qwerty123456 asdfghjkl1 asdfghjkl; zxcvbnm123 password12 password123 password1234
password12345 passw0rd12 passw0rd123 p@ssw0rd12 p@ssword123 p@ssw0rd123 administrator admin12345 admin123456
letmein123 letmein1234 welcome123 welcome1234 iloveyou12 iloveyou123 sunshine12 football12 baseball12 superman12
princess12 michael123 dragon1234 monkey1234 abcdefghij abcdefghijk abc1234567 abcd123456 abcd1234567 a123456789
aa12345678 aa123456789 q1w2e3r4t5 q1w2e3r4t5y6 1qaz2wsx3edc 1qazxsw23edc zaq12wsxcde changeme123 changeme1234
trustno1234 bitcoin123 bitcoin1234 tothemoon1 tothemoon123 hodlhodl12 crypto1234 trading123 bybit12345 bybit123456
binance123 korea12345 dlrjsqlalf qlalfqjsgh ajslgktpdy rkskekfkak qkrtjdgus1 dkssudgktpdy maemae1234 maemae12345
0000000000 1111111111 1111111111a 11111111111 2222222222 1212121212 1122334455 123123123a 1231231231 123123123123
aaaaaaaaaa qqqqqqqqqq 1234512345 1234554321 12344321ab asdf123456 asdf1234567 qwer123456 qwer1234567 qwerasdf12
qwerasdfzxcv asdfasdfasdf qweqweqweq google1234 samsung123 computer12 internet12 whatever12 starwars12 pokemon123
"""
_COMMON = frozenset(_COMMON_TEXT.split())


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
    if known in _COMMON or len(set(known)) < 4:
        return Refusal("refuse.password.common")
    return None
