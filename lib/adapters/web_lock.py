"""
What the web must read back itself, locked at rest: HKDF-SHA256 of `WEB_SECRET`, then AES-256-GCM.

Bound to a purpose and its owner: text moved to another row does not open. Exchange keys are not locked by this: the web
can seal those and never open them. Text form `w1.<base64url of nonce and box>`.
"""

import base64
import binascii
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lib.log import register_secret
from lib.ports.secrets import Lock

VERSION = "w1"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class WebLock(Lock):
    """
    Over *secret*, base64 of 32 random bytes as settings have checked it; "" = there is none, and nothing opens. What
    was locked with one of *old*, being rotated out, opens too.
    """

    def __init__(self, secret: str, old: Sequence[str] = ()) -> None:
        self._box = AESGCM(_derived(secret)) if secret else None
        self._ring = [AESGCM(_derived(one)) for one in (secret, *old) if secret]
        for one in filter(None, (secret, *old)):
            register_secret(one)

    @property
    def works(self) -> bool:
        return self._box is not None

    def lock(self, text: str, bound_to: str) -> str:
        if self._box is None:
            raise ValueError("there is no WEB_SECRET")
        nonce = os.urandom(_NONCE_BYTES)
        box = self._box.encrypt(nonce, text.encode(), _bound(bound_to))
        return f"{VERSION}.{base64.urlsafe_b64encode(nonce + box).rstrip(b'=').decode()}"

    def open(self, locked: str, bound_to: str) -> str | None:
        version, _, text = locked.partition(".")
        if version != VERSION:
            return None
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return None
        opened = (_unboxed(box, raw, bound_to) for box in self._ring)
        return next((text for text in opened if text is not None), None)


def _unboxed(box: AESGCM, raw: bytes, bound_to: str) -> str | None:
    try:
        return box.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(bound_to)).decode()
    except (ValueError, InvalidTag):
        return None


def new_secret() -> str:
    """A fresh one."""
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


def _derived(secret: str) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, b"maemae", f"maemae/web-lock/{VERSION}".encode()).derive(base64.b64decode(secret))


def _bound(to: str) -> bytes:
    return f"{VERSION}|{to}".encode()
