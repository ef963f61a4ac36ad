"""
The one spelling of a name by which a person or a thing is known, and the characters a name and other text may not hold.

Two strings that look the same to a person must be one key everywhere: in a unique column, in a tally of tries, in a
comparison. So a name is normalised before it is compared (NFKC, lower case, no outer blanks), the databases compare it
byte by byte, and invisible characters are not part of a name. Look-alikes of other alphabets are left as they are.
"""

import unicodedata

_NEVER_SEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories without a picture: controls, formats, surrogates, private, unassigned, separators of lines."""
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Letters and marks that are drawn as nothing: Hangul fillers, the empty Braille cell, joiners."""
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x180B, 0x1810))
"""Variation selectors: they choose the look of the character before them."""

_LINES = "\n\t"
_PROSE = _LINES + "\u200d\ufe0e\ufe0f"
"""Lines, and what joins the parts of a picture and chooses its look."""
_NEVER_A_CHARACTER = range(0xFDD0, 0xFDF0)


def normal_email(text: str) -> str:
    """The one spelling under which a person is known."""
    lower = unicodedata.normalize("NFKC", text).lower()
    # lower case can come apart again (İ), so it is composed once more
    return unicodedata.normalize("NFKC", lower).strip()


def has_unseen(text: str) -> bool:
    """Whether *text* holds an invisible character, the blank aside."""
    return any(_is_unseen(character) for character in text)


def is_sound(text: str, *, lines: bool = False) -> bool:
    """Whether any database can hold *text*: no controls (but those of *lines*) and no halves of characters."""
    allowed = _LINES if lines else ""
    return all(character in allowed or unicodedata.category(character) not in ("Cc", "Cs") for character in text)


def is_prose(text: str) -> bool:
    """Whether *text* is prose: lines, letters, pictures of several parts, and no invisible characters between."""
    return not any(_is_unseen(character) for character in text if character not in _PROSE and not _is_new(character))


def _is_new(character: str) -> bool:
    # a picture of next year's alphabet is none of the places that will never hold one
    never = ord(character) & 0xFFFE == 0xFFFE or ord(character) in _NEVER_A_CHARACTER
    return unicodedata.category(character) == "Cn" and not never


def _is_unseen(character: str) -> bool:
    if unicodedata.category(character) in _NEVER_SEEN or character in _BLANK_LETTERS:
        return True
    return any(ord(character) in selectors for selectors in _SELECTORS)
