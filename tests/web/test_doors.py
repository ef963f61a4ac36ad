"""Registration as an operator set it holds by REST too, whoever asks and whatever they send."""

import pytest

from lib.accounts.invites import code_sha256, new_code
from lib.domain.platform_settings import Admission, GuestDoor, Registration
from tests.fakes.platform import InviteRow
from tests.web.conftest import GOOD, START, Web

SHUT = Admission(Registration.CLOSED, GuestDoor.CLOSED)
FORM = {"email": "kim@example.com", "password": GOOD, "accepted_risk": True}
KEEP = {"email": "kim@example.com", "password": GOOD}


def post(web: Web, path: str, body: dict[str, object]) -> tuple[int, str]:
    answer = web.client().post(path, json=body)
    return answer.status_code, answer.json().get("error", "")


def test_closed_doors_are_closed_by_rest(web: Web) -> None:
    guest = web.client()
    assert guest.post("/api/auth/try", json={"accepted_risk": True}).status_code == 200
    web.admission = SHUT
    assert post(web, "/api/auth/register", FORM) == (403, "refuse.registration")
    assert post(web, "/api/auth/register", FORM | {"invite": new_code()}) == (403, "refuse.registration")
    assert post(web, "/api/auth/try", {"accepted_risk": True}) == (403, "refuse.guests.closed")
    kept = guest.post("/api/auth/keep", json=KEEP)
    assert (kept.status_code, kept.json()["error"]) == (403, "refuse.registration")
    assert post(web, "/api/auth/demo", {}) == (200, "")


def test_an_invitation_is_asked_for_by_rest_and_good_once(web: Web) -> None:
    code = new_code()
    web.logins.invites.rows[code_sha256(code)] = InviteRow(START + 1_000)
    web.admission = Admission(Registration.INVITE)
    assert post(web, "/api/auth/register", FORM) == (403, "refuse.invite")
    assert post(web, "/api/auth/register", FORM | {"invite": "x" * 40}) == (403, "refuse.invite")
    assert post(web, "/api/auth/register", FORM | {"invite": code}) == (200, "")
    assert post(web, "/api/auth/register", FORM | {"email": "lee@example.com", "invite": code}) == (
        403,
        "refuse.invite",
    )


@pytest.mark.parametrize("code", [7, None, ["x"], {"a": 1}, "x" * 65, "a\nb"])
def test_a_code_that_is_no_line_of_text_is_refused_as_input(web: Web, code: object) -> None:
    status, _ = post(web, "/api/auth/register", FORM | {"invite": code})
    assert 400 <= status < 500
    assert web.logins.find("kim@example.com") is None
