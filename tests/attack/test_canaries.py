"""What a person types in secret stands in no row, no answer and no line of the log, however what they did ended."""

import base64
import hashlib
import logging

import pytest
import sqlalchemy as sa

from lib.adapters.sql.tables.models import metadata
from tests.attack.conftest import Target

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

PASSWORD, NEW_PASSWORD = "canary horse battery 71", "violet tractor canary 94 soup"
WRONG = "canary-horse-mistyped"
KEY, SECRET = "CanaryKey0123456789", "CanarySecretCanarySecretCanarySecret"
KIM = {"email": "kim@example.com", "password": PASSWORD, "accepted_risk": True, "locale": "ko"}


def forms_of(secret: str) -> tuple[str, ...]:
    """*secret* as it might lie somewhere: as it is, packed, or merely hashed."""
    raw = secret.encode()
    packed = base64.b64encode(raw).decode().rstrip("=")
    return secret, raw.hex(), packed, hashlib.sha256(raw).hexdigest(), hashlib.sha1(raw).hexdigest()  # noqa: S324


def rows(target: Target) -> str:
    with target.engine.connect() as connection:
        return "\n".join(
            repr(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(sa.select(table))
        )


def test_secrets_stand_nowhere(target: Target, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client, answers = target.client, list[str]()

    def ask(method: str, path: str, **given: object) -> int:
        answer = client.request(method, path, **given)  # type: ignore[arg-type]
        answers.append(f"{answer.text}\n{answer.headers}")
        return answer.status_code

    assert ask("POST", "/api/auth/register", json=KIM) == 200
    ask("POST", "/api/auth/register", json=KIM | {"password": WRONG})
    ask("POST", "/api/auth/login", json={"email": KIM["email"], "password": WRONG})
    for venue in ("paper", "demo", "mainnet", "nowhere"):
        ask("POST", "/api/apikey", json={"venue": venue, "api_key": KEY, "api_secret": SECRET})
        ask("PUT", "/api/apikey", json={"venue": venue, "api_key": KEY, "api_secret": SECRET})
    assert ask("POST", "/api/account/password", json={"old": PASSWORD, "new": NEW_PASSWORD}) == 200, answers[-1]
    ask("POST", "/api/account/password", json={"old": WRONG, "new": NEW_PASSWORD})
    ask("POST", "/api/account/prove", json={"password": NEW_PASSWORD})
    # sent to the wrong place, or in a form nobody reads
    ask("GET", f"/api/logs?q={NEW_PASSWORD}")
    ask("POST", "/api/auth/login", content=f'{{"email": "kim@example.com", "password": "{WRONG}"'.encode())
    ask("POST", "/api/settings", json={"password": WRONG, "api_secret": SECRET})
    ask("GET", "/api/account/export")
    token = next(cookie.value for cookie in client.cookies.jar if cookie.name == "maemae")
    assert token
    kept = rows(target)
    # the asking client's own lines are not ours
    logged = "\n".join(f"{vars(one)} {one.getMessage()}" for one in caplog.records if not one.name.startswith("httpx"))
    for secret in (PASSWORD, NEW_PASSWORD, WRONG, KEY, SECRET):
        for form in forms_of(secret):
            assert form not in kept, f"{secret} in the database"
            assert form not in logged, f"{secret} in the log"
        assert all(secret not in answer for answer in answers), f"{secret} in an answer"
    assert token not in kept
    assert token not in logged
