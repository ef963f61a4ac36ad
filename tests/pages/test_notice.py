"""The operator's banner stands over every page, letter by letter; the front door shows the doors that are open."""

from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.i18n import catalogue
from lib.domain.platform_settings import Admission, Banner, GuestDoor, Registration
from tests.pages.conftest import Visit
from tests.pages.test_pages import PAGES, component
from tests.worlds.pages import HOSTILE

SHUT = Admission(Registration.CLOSED, GuestDoor.CLOSED)
SAYS = Banner("오늘 22시에 10분 동안 점검합니다", "Maintenance at 22:00 KST for ten minutes")


def banners(at: AppTest) -> list[str]:
    return [one.value.replace("\u2060", "").replace("\\", "") for one in at.info if "campaign" in one.icon]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("token", "language"), [("t-owner", "ko"), ("t-owner", "en"), ("t-demo", "ko")])
def test_the_banner_stands_over_every_page_in_its_language(
    visit: Visit, staged: SimpleNamespace, page: str, token: str, language: str
) -> None:
    staged.shelf.says = SAYS
    at = visit(token, page, language=language)
    assert not at.exception
    assert banners(at) == [SAYS.in_language(language)]
    staged.shelf.says = None
    assert banners(at.run()) == []


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_banner_stands_over_the_front_door(visit: Visit, staged: SimpleNamespace, language: str) -> None:
    staged.shelf.says = SAYS
    assert banners(visit(None, language=language)) == [SAYS.in_language(language)]


def test_markup_in_a_banner_is_letters(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.says = Banner(HOSTILE, HOSTILE)
    at = visit(None)
    assert banners(at) == [HOSTILE]
    [shown] = [one.value for one in at.info if "campaign" in one.icon]
    assert "<script>" not in shown
    assert "**bold**" not in shown


def door(at: AppTest) -> dict[str, Any]:
    return component(at, "door")


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        (Admission(), ("open", True)),
        (Admission(Registration.INVITE), ("invite", False)),
        (Admission(Registration.INVITE, GuestDoor.OPEN), ("invite", True)),
        (SHUT, ("closed", False)),
    ],
)
def test_the_front_door_shows_what_is_open(
    visit: Visit, staged: SimpleNamespace, held: Admission, shown: tuple[str, bool]
) -> None:
    staged.shelf.doors = held
    data = door(visit(None))
    assert (data["registration"], data["guests"]) == shown
    assert data["text"]["invite"] == catalogue("ko")["sign_in.invite"]


def test_a_guest_who_would_stay_is_shown_the_same_door(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.doors = SHUT
    data = door(visit("t-guest", "settings"))
    assert (data["mode"], data["registration"]) == ("keep", "closed")
    assert data["text"]["closed"] == catalogue("ko")["settings.keep_closed"]


def test_a_database_that_is_away_takes_no_page_with_it(visit: Visit, staged: SimpleNamespace) -> None:
    staged.shelf.away = True
    at = visit(None)
    assert not at.exception
    assert (banners(at), door(at)["registration"]) == ([], "open")
