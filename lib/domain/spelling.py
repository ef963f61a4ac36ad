"""
The one spelling of a name by which somebody or something is known, and what a name may never hold.

Two strings that look the same to a person must be one key everywhere: in a unique column, in a tally of tries, in a
comparison. So a name is normalised before it is looked at (NFKC, lower case, no outer blanks), the databases compare it
byte by byte, and what cannot be seen is not part of a name. It does not judge look-alikes of other alphabets.
"""

import unicodedata

_NEVER_SEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories without a picture: controls, formats, surrogates, private, unassigned, separators of lines."""
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Letters and marks that are drawn as nothing: Hangul fillers, the empty Braille cell, joiners."""
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x180B, 0x1810))
"""Variation selectors: they choose the look of the character before them."""


def normal_email(text: str) -> str:
    """The one spelling under which a person is known."""
    lower = unicodedata.normalize("NFKC", text).lower()
    # lower case can come apart again (İ), so it is composed once more
    return unicodedata.normalize("NFKC", lower).strip()


def has_unseen(text: str) -> bool:
    """Whether *text* holds a character nobody can see, the blank aside."""
    return any(_is_unseen(character) for character in text)


def _is_unseen(character: str) -> bool:
    if unicodedata.category(character) in _NEVER_SEEN or character in _BLANK_LETTERS:
        return True
    return any(ord(character) in selectors for selectors in _SELECTORS)
