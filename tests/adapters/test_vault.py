"""A seal opens for its own context and key pair, and for nothing else; passwords tell nothing by time or text."""

import base64
import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.passwords import Passwords
from lib.adapters.vault import VaultOpener, VaultSealer, generate_keys, public_key
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.errors import Halt, Pause
from tests.effort import examples

PRIVATE, PUBLIC = generate_keys()
CONTEXT = SealContext(user_id=7, venue="paper", uid="1000001", key_version=1)
KEY = ApiKey("the-api-key", "the-api-secret")


@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_what_is_sealed_opens_to_the_same_key(api_key: str, secret: str) -> None:
    key = ApiKey(api_key, secret)
    assert VaultOpener([PRIVATE]).open(VaultSealer(PUBLIC).seal(key, CONTEXT), CONTEXT) == key


@pytest.mark.parametrize("changes", [{"user_id": 8}, {"venue": "demo"}, {"uid": "1000002"}, {"key_version": 2}])
def test_a_seal_moved_to_another_row_does_not_open(changes: dict[str, int | str]) -> None:
    sealed = VaultSealer(PUBLIC).seal(KEY, CONTEXT)
    with pytest.raises(Pause, match="key_sealed_for_another"):
        VaultOpener([PRIVATE]).open(sealed, replace(CONTEXT, **changes))  # type: ignore[arg-type]


@given(st.data())
def test_a_seal_with_any_byte_changed_does_not_open(data: st.DataObject) -> None:
    version, kid, text = VaultSealer(PUBLIC).seal(KEY, CONTEXT).split(".")
    blob = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    # bit 255 of an X25519 public key is ignored by its definition, but it is bound through the key derivation
    place = data.draw(st.integers(0, len(blob) - 1))
    blob[place] ^= data.draw(st.integers(1, 255))
    changed = f"{version}.{kid}.{base64.urlsafe_b64encode(bytes(blob)).decode().rstrip('=')}"
    with pytest.raises(Pause):
        VaultOpener([PRIVATE]).open(changed, CONTEXT)


@given(st.text(max_size=60))
def test_junk_never_opens_and_never_breaks_the_opener(text: str) -> None:
    kid = VaultSealer(PUBLIC).seal(KEY, CONTEXT).split(".")[1]
    for sealed in (text, f"v1.{kid}.{text}"):
        with pytest.raises(Pause):
            VaultOpener([PRIVATE]).open(sealed, CONTEXT)


def test_no_two_seals_are_equal_and_none_shows_the_key() -> None:
    sealer = VaultSealer(PUBLIC)
    first, second = sealer.seal(KEY, CONTEXT), sealer.seal(KEY, CONTEXT)
    assert first != second
    assert re.fullmatch(r"v1\.[0-9a-f]{8}\.[\w-]+", first)
    assert "the-api" not in first


def test_a_ring_opens_what_older_pairs_sealed_and_a_stranger_nothing() -> None:
    sealed = VaultSealer(PUBLIC).seal(KEY, CONTEXT)
    newer, _ = generate_keys()
    assert VaultOpener([newer, PRIVATE]).open(sealed, CONTEXT) == KEY
    with pytest.raises(Pause, match="key_of_another_installation"):
        VaultOpener([newer]).open(sealed, CONTEXT)


def test_the_public_half_follows_from_the_private() -> None:
    assert public_key(PRIVATE) == PUBLIC


@pytest.mark.parametrize(
    "text",
    ["correct horse battery staple", "A" * 43 + "=", PRIVATE[:-4], PRIVATE + "AAAA", f" {PRIVATE}", "changeme"],
    # the keys are fresh in every process: names of their own, so that parallel workers collect the same tests
    ids=["passphrase", "zeros", "short", "long", "padded", "placeholder"],
)
def test_a_key_is_32_random_bytes_in_base64_or_one_clear_line(text: str) -> None:
    with pytest.raises(Halt, match=r"ENCRYPTION_KEY must be base64 of 32 random bytes") as halt:
        VaultOpener([text])
    assert "\n" not in str(halt.value)
    assert text not in str(halt.value)


@pytest.mark.parametrize("ring", [[], [""]])
def test_no_private_key_at_all_halts(ring: list[str]) -> None:
    with pytest.raises(Halt, match="ENCRYPTION_KEY is missing"):
        VaultOpener(ring)


# --- passwords -------------------------------------------------------------------------------------------------------

QUICK = Passwords(memory_kib=64, passes=1)


@examples(20)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50))
def test_a_password_verifies_and_another_does_not(password: str) -> None:
    stored = QUICK.hash(password)
    assert stored.startswith("$argon2id$")
    assert QUICK.verify(stored, password)
    assert not QUICK.verify(stored, password + "x")


def test_a_korean_password_typed_on_any_system_is_the_same() -> None:
    composed, decomposed = (unicodedata.normalize(form, "비밀번호") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert QUICK.verify(QUICK.hash(composed), decomposed)


def test_a_person_who_does_not_exist_is_checked_and_refused() -> None:
    assert not QUICK.verify(None, "nobody has this password")
    assert not QUICK.verify("not a hash", "anything")


def test_empty_and_overlong_passwords_are_refused() -> None:
    for password in ("", "x" * 1_025):
        with pytest.raises(ValueError, match="1 to 1024"):
            QUICK.hash(password)
    assert not QUICK.verify(QUICK.hash("x"), "x" * 10_000)


def test_old_parameters_ask_for_a_rehash() -> None:
    assert Passwords().needs_rehash(QUICK.hash("x"))
    assert not QUICK.needs_rehash(QUICK.hash("x"))
