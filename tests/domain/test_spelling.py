"""One spelling a name: whatever is typed, normalising again changes nothing, and nothing unseen is part of it."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.spelling import has_unseen, is_prose, is_sound, normal_email


@given(st.text())
def test_a_normal_spelling_is_its_own_normal_spelling(text: str) -> None:
    assert normal_email(normal_email(text)) == normal_email(text)


def test_every_character_has_one_normal_spelling() -> None:
    unstable = [point for point in range(sys.maxunicode + 1) if _changes_again(f"a{chr(point)}b")]
    assert unstable == []


def _changes_again(text: str) -> bool:
    return normal_email(normal_email(text)) != normal_email(text)


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        (" Kim@Example.COM ", "kim@example.com"),
        ("\uff4b\uff49\uff4d\uff20example.com", "kim@example.com"),
        ("\ufb01rst@example.com", "first@example.com"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("\u1112\u1161\u11ab@example.com", "\ud55c@example.com"),
        ("kim@example.com\u00a0\u3000", "kim@example.com"),
    ],
)
def test_compatible_spellings_are_one(typed: str, known: str) -> None:
    assert normal_email(typed) == known


@pytest.mark.parametrize("pair", [("i", "\u00ed"), ("a", "\u0430"), ("ss", "\u00df"), ("o", "\u00f8")])
def test_letters_that_only_look_alike_stay_two(pair: tuple[str, str]) -> None:
    assert normal_email(pair[0]) != normal_email(pair[1])


@pytest.mark.parametrize(
    "code", [0, 9, 0x7F, 0xAD, 0x200B, 0x202E, 0x2028, 0xFEFF, 0x3164, 0x115F, 0xFE0F, 0xE0100, 0xD800]
)
def test_what_nobody_can_see_is_seen(code: int) -> None:
    assert has_unseen(f"a{chr(code)}b")


@pytest.mark.parametrize("text", ["kim@example.com", "\ud55c\uae00", "\u00e9", "a b", ""])
def test_letters_digits_and_blanks_are_no_secret(text: str) -> None:
    assert not has_unseen(text)


@pytest.mark.parametrize(
    ("text", "sound", "in_lines", "prose"),
    [
        ("buy low\nsell high\t1", False, True, True),
        ("\ud55c\uae00\uacfc emoji \U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f", True, True, True),
        ("\U0001fae9 of a newer alphabet", True, True, True),
        ("", True, True, True),
        ("hidden\u200bword", True, True, False),
        ("turned\u202eround", True, True, False),
        ("filled\u3164", True, True, False),
        ("no character \ufdd0", True, True, False),
        ("no character \U0001ffff", True, True, False),
        ("bell\x07", False, False, False),
        ("half \ud800", False, False, False),
        ("back\r\n", False, False, False),
    ],
)
def test_text_is_sound_and_prose_hides_nothing(text: str, sound: bool, in_lines: bool, prose: bool) -> None:
    assert (is_sound(text), is_sound(text, lines=True), is_prose(text)) == (sound, in_lines, prose)
