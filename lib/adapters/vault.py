"""
Keys of exchanges and of models sealed for the trader, channels' addresses for the notifier: X25519 (fresh key per seal)
-> HKDF-SHA256 -> AES-256-GCM.

A process with the public key can seal and never open. The seal is bound to its purpose, person, venue, exchange uid and
key version (of a model: to its name and address): a row copied elsewhere does not open. Text form
`v1.<kid>.<base64url>`, *kid* naming the key pair, so that a ring of private keys allows rotation. No key is derived
from a passphrase: it is 32 random bytes or it is refused.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lib.domain import reason_codes as codes
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.errors import Halt, Pause
from lib.domain.model_profile import ModelSeal
from lib.log import register_secret
from lib.ports.secrets import ChannelOpener, ChannelSealer, ModelOpener, ModelSealer, Opener, Sealer

VERSION = "v1"
PURPOSE = "exchange-key"
ADDRESS_PURPOSE = "channel-address"
MODEL_PURPOSE = "model-key"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16


def generate_keys() -> tuple[str, str]:
    """A fresh (private, public) pair, each base64 of 32 bytes."""
    private = X25519PrivateKey.generate()
    return _b64(private.private_bytes_raw()), _b64(private.public_key().public_bytes_raw())


def public_key(private_b64: str, setting: str = "ENCRYPTION_KEY") -> str:
    """The public half, base64, of *private_b64*; *Halt* names *setting* when it is not a key."""
    private = X25519PrivateKey.from_private_bytes(_key_bytes(private_b64, setting))
    return _b64(private.public_key().public_bytes_raw())


def kid_of(private_b64: str, setting: str = "ENCRYPTION_KEY") -> str:
    """The name of the pair of *private_b64*, as seals for it carry it."""
    return _kid(X25519PrivateKey.from_private_bytes(_key_bytes(private_b64, setting)).public_key())


class VaultSealer(Sealer):
    """The web's half: the public key."""

    def __init__(self, public_b64: str, setting: str = "ENCRYPTION_PUBLIC_KEY") -> None:
        self._public = X25519PublicKey.from_public_bytes(_key_bytes(public_b64, setting))

    def seal(self, key: ApiKey, context: SealContext) -> str:
        """*key* bound to *context*, as text; never the same twice."""
        plain = json.dumps([key.api_key, key.api_secret]).encode()
        return _sealed(self._public, plain, PURPOSE, _bound_to(context))


class VaultOpener(Opener):
    """The trader's half: the private key in use first, then those being rotated out."""

    def __init__(self, private_b64s: Sequence[str], setting: str = "ENCRYPTION_KEY") -> None:
        self._ring = _Ring(private_b64s, setting)

    def open(self, sealed: str, context: SealContext) -> ApiKey:
        """The key in clear; *Pause* when the seal is damaged, of another context or of a key pair we do not have."""
        api_key, api_secret = json.loads(self._ring.unsealed(sealed, PURPOSE, _bound_to(context)))
        for part in (api_key, api_secret):
            register_secret(part)
        return ApiKey(api_key, api_secret)


class ModelKeySealer(ModelSealer):
    """The web's and the terminal's half for keys of models: the trader's public key."""

    def __init__(self, public_b64: str, setting: str = "ENCRYPTION_PUBLIC_KEY") -> None:
        self._public = X25519PublicKey.from_public_bytes(_key_bytes(public_b64, setting))

    def seal(self, key: str, bound: ModelSeal) -> str:
        return _sealed(self._public, key.encode(), MODEL_PURPOSE, _model_bound(bound))


class ModelKeyOpener(ModelOpener):
    """The trader's half for keys of models, with the ring that opens exchange keys."""

    def __init__(self, private_b64s: Sequence[str], setting: str = "ENCRYPTION_KEY") -> None:
        self._ring = _Ring(private_b64s, setting)

    def open(self, sealed: str, bound: ModelSeal) -> str:
        key = self._ring.unsealed(sealed, MODEL_PURPOSE, _model_bound(bound)).decode()
        register_secret(key)
        return key


class AddressSealer(ChannelSealer):
    """The web's half for addresses of channels: the notifier's public key."""

    def __init__(self, public_b64: str, setting: str = "NOTIFIER_PUBLIC_KEY") -> None:
        self._public = X25519PublicKey.from_public_bytes(_key_bytes(public_b64, setting))

    def seal(self, address: str, user_id: int, service: str) -> str:
        return _sealed(self._public, address.encode(), ADDRESS_PURPOSE, _address_bound(user_id, service))


class AddressOpener(ChannelOpener):
    """The notifier's half: its private key."""

    def __init__(self, private_b64: str, setting: str = "NOTIFIER_KEY") -> None:
        self._ring = _Ring([private_b64], setting)

    def open(self, sealed: str, user_id: int, service: str) -> str:
        return self._ring.unsealed(sealed, ADDRESS_PURPOSE, _address_bound(user_id, service)).decode()


class _Ring:
    """Private keys by the names of their pairs."""

    def __init__(self, private_b64s: Sequence[str], setting: str) -> None:
        if not any(private_b64s):
            raise Halt(f"{setting} is missing: make one with `python -m services.keys` and keep it")
        keys = [X25519PrivateKey.from_private_bytes(_key_bytes(text, setting)) for text in private_b64s]
        for text in private_b64s:
            register_secret(text)
        self._keys = {_kid(key.public_key()): key for key in keys}

    def unsealed(self, sealed: str, purpose: str, bound: bytes) -> bytes:
        """What was sealed for *purpose* and *bound*; *Pause* for anything else."""
        private, blob = self._locate(sealed)
        sender, nonce, box = blob[:_KEY_BYTES], blob[_KEY_BYTES:][:_NONCE_BYTES], blob[_KEY_BYTES + _NONCE_BYTES :]
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(sender))
            content = _content_key(shared, sender, private.public_key(), purpose)
            return AESGCM(content).decrypt(nonce, box, bound)
        except (InvalidTag, ValueError):
            raise Pause(codes.KEY_SEALED_FOR_ANOTHER()) from None

    def _locate(self, sealed: str) -> tuple[X25519PrivateKey, bytes]:
        version, _, rest = sealed.partition(".")
        kid, _, text = rest.partition(".")
        if version != VERSION or kid not in self._keys:
            raise Pause(codes.KEY_OF_ANOTHER_INSTALLATION())
        try:
            blob = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (ValueError, binascii.Error):
            blob = b""
        if len(blob) < _KEY_BYTES + _NONCE_BYTES + _TAG_BYTES:
            raise Pause(codes.KEY_DAMAGED())
        return self._keys[kid], blob


def _bound_to(context: SealContext) -> bytes:
    parts = (PURPOSE, VERSION, context.user_id, context.venue, context.uid, context.key_version)
    return "|".join(map(str, parts)).encode()


def _address_bound(user_id: int, service: str) -> bytes:
    return "|".join((ADDRESS_PURPOSE, VERSION, str(user_id), service)).encode()


def _model_bound(bound: ModelSeal) -> bytes:
    parts = (MODEL_PURPOSE, VERSION, bound.owner_id, bound.name, bound.base_url, bound.key_version)
    return "|".join(map(str, parts)).encode()


def _sealed(public: X25519PublicKey, plain: bytes, purpose: str, bound: bytes) -> str:
    ephemeral = X25519PrivateKey.generate()
    sender, kid = ephemeral.public_key().public_bytes_raw(), _kid(public)
    content = _content_key(ephemeral.exchange(public), sender, public, purpose)
    nonce = os.urandom(_NONCE_BYTES)
    box = AESGCM(content).encrypt(nonce, plain, bound)
    return f"{VERSION}.{kid}.{base64.urlsafe_b64encode(sender + nonce + box).rstrip(b'=').decode()}"


def _content_key(shared: bytes, sender: bytes, recipient: X25519PublicKey, purpose: str) -> bytes:
    salt = sender + recipient.public_bytes_raw()
    return HKDF(SHA256(), _KEY_BYTES, salt, f"maemae/{purpose}/{VERSION}".encode()).derive(shared)


def _kid(public: X25519PublicKey) -> str:
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:8]


def _key_bytes(text: str, setting: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    # a placeholder such as AAAA...= decodes well; 32 random bytes never repeat this much
    if len(raw) != _KEY_BYTES or len(set(raw)) < 8:
        raise Halt(f"{setting} must be base64 of 32 random bytes: make one with `python -m services.keys`")
    return raw


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
