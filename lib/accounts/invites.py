"""
Invitation codes: sixteen letters and digits of which none looks like another, made at random, kept as their SHA-256.

80 random bits: a code cannot be guessed, so its hash needs no salt and no slow function. However somebody types one
(small letters, blanks, O for 0), it is the same code.
"""

import secrets

from lib.accounts.entrance import sha256

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
MOST_INVITES, LONGEST_DAYS = 100, 90
"""At once, and good for."""
DAY_MS = 86_400_000
LONGEST_TYPED = 40
_READ_AS = str.maketrans("OIL", "011", " -")


def new_code() -> str:
    """A code nobody has yet, in four groups of four."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(letters[start : start + 4] for start in range(0, LENGTH, 4))


def code_sha256(typed: str) -> str:
    """What is stored of the code that was *typed*; "" for what cannot be one."""
    code = typed[:LONGEST_TYPED].upper().translate(_READ_AS)
    is_code = len(code) == LENGTH and all(letter in ALPHABET for letter in code)
    return sha256(code) if is_code else ""
