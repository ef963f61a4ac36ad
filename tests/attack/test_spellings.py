"""One address is one person however it is written, and one that only looks alike is another's, on every database."""

import pytest

from tests.attack.conftest import Target

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

PASSWORD = "correct horse battery"
SAME = (
    "KIM@EXAMPLE.COM",
    " kim@example.com ",
    "Kim@Example.Com",
    "\uff4b\uff49\uff4d@example.com",
    "kim\uff20example.com",
    "\u212aim@example.com",
)
"""Capitals, spaces, full-width letters, the sign of Kelvin."""
ALIKE = ("k\u0456m@example.com", "k\u0131m@example.com", "kím@example.com", "ki\u200bm@example.com", "kim@example.co")
"""A Cyrillic і, an ı without its dot, an accent, a letter nobody sees, another name."""


def register(target: Target, email: str) -> int:
    target.client.cookies.clear()
    coming = {"email": email, "password": PASSWORD, "accepted_risk": True, "locale": "ko"}
    return target.client.post("/api/auth/register", json=coming).status_code


def signed_in_as(target: Target, email: str) -> str:
    """Whose session a sign-in with *email* begins; "" = none."""
    target.client.cookies.clear()
    answer = target.client.post("/api/auth/login", json={"email": email, "password": PASSWORD})
    if answer.status_code != 200:
        return ""
    return str(target.client.get("/api/auth/me").json()["user"]["email"])


def test_no_spelling_registers_the_same_address_again(unpaced: Target) -> None:
    assert register(unpaced, "kim@example.com") == 200
    for spelled in SAME:
        assert register(unpaced, spelled) in (400, 409, 422), ascii(spelled)


def test_a_lookalike_is_never_taken_for_the_person(unpaced: Target) -> None:
    assert register(unpaced, "kim@example.com") == 200
    for spelled in ALIKE:
        assert signed_in_as(unpaced, spelled) == "", ascii(spelled)
        if register(unpaced, spelled) == 200:
            assert signed_in_as(unpaced, spelled) != "kim@example.com", ascii(spelled)
    assert signed_in_as(unpaced, "kim@example.com") == "kim@example.com"
