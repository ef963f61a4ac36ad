"""
Passkeys checked by py_webauthn: `lib.ports.secrets.PasskeyCheck`.

User verification is required, so a passkey is two factors in one: the device, and whoever unlocked it. Attestation is
not asked for: who made the device is none of our business.
"""

import base64
import json
from typing import Any

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from lib.domain.passkey import NewPasskey, Passkey, RelyingParty
from lib.ports.secrets import PasskeyCheck

NAME = "Maemae"
TIMEOUT_MS = 120_000


class WebAuthnCheck(PasskeyCheck):
    """`lib.ports.secrets.PasskeyCheck`."""

    def registration(
        self, place: RelyingParty, challenge: bytes, handle: str, email: str, known: tuple[str, ...]
    ) -> str:
        options = generate_registration_options(
            rp_id=place.host,
            rp_name=NAME,
            user_name=email,
            user_id=handle.encode(),
            challenge=challenge,
            timeout=TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=_bytes(one)) for one in known],
        )
        return options_to_json(options)

    def authentication(self, place: RelyingParty, challenge: bytes) -> str:
        options = generate_authentication_options(
            rp_id=place.host,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def registered(self, place: RelyingParty, challenge: bytes, answer: str) -> NewPasskey | None:
        try:
            found = verify_registration_response(
                credential=_credential(answer),
                expected_challenge=challenge,
                expected_rp_id=place.host,
                expected_origin=place.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError):
            return None
        return NewPasskey(_text(found.credential_id), _text(found.credential_public_key), found.sign_count)

    def authenticated(self, place: RelyingParty, challenge: bytes, answer: str, known: Passkey) -> int | None:
        try:
            found = verify_authentication_response(
                credential=_credential(answer),
                expected_challenge=challenge,
                expected_rp_id=place.host,
                expected_origin=place.origin,
                credential_public_key=_bytes(known.public_key),
                credential_current_sign_count=known.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError):
            return None
        return found.new_sign_count


def _credential(answer: str) -> dict[str, Any]:
    read = json.loads(answer)
    if not isinstance(read, dict):
        raise ValueError("a credential is an object")
    return read


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
