"""
An operator stops everybody, sees the proof, and lets everybody go on; the person concerned sees it on their own page.
And no section of the room has a serious finding of axe-core.
"""

import pytest
from playwright.sync_api import Browser, Page, expect

from app.i18n import catalogue
from lib.adapters.sql.forms.operator_register import SqlOperatorRegister
from tests.browser.deployment import Deployment
from tests.browser.test_accessible import THEMES, WIDTHS, Theme, findings, settled, widen
from tests.browser.test_browser import be_in
from tests.browser.watching import Watched, watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

PASSWORD = "correct horse battery"
PROOF_MS = 90_000
"""A stop is proved after 17 to 20 seconds of the venue's time."""
SECTIONS = ("status", "people", "stopping", "review", "platform", "logs", "audit")


def operator(deployed: Deployment, seen: Watched, email: str) -> Page:
    """A signed-in operator's browser, in the room."""
    headers = {"Origin": deployed.url, "Content-Type": "application/json"}
    body = {"email": email, "password": PASSWORD, "accepted_risk": True, "locale": "ko"}
    reply = seen.context.request.post(f"{deployed.url}/api/auth/register", data=body, headers=headers)
    assert reply.ok, reply.text()
    SqlOperatorRegister(deployed.engine).grant(email, "the test")
    return seen.page()


def test_an_operator_stops_everybody_and_the_person_sees_it(deployed: Deployment, browser: Browser) -> None:
    words = catalogue("ko")
    with watched(browser, deployed.url, "ko-KR") as desk, watched(browser, deployed.url, "ko-KR") as home:
        person = home.page()
        be_in(person, deployed.url, "ko")
        room = operator(deployed, desk, "operator@example.com")
        room.goto(f"{deployed.url}/operator?section=stopping")
        try:
            room.get_by_role("button", name=words["room.pause_all"]).click()
            everybody = room.locator(".st-key-stop_all")
            expect(everybody).to_contain_text(words["state.stopping"])
            expect(everybody).to_contain_text(words["state.stopped"], timeout=PROOF_MS)
            concerned = person.locator(".st-key-bar")
            expect(concerned).to_contain_text(words["state.stopped"])
            expect(concerned).to_contain_text("운영자가 매매를 멈췄습니다.")
        finally:
            room.locator(".st-key-resume_all button").click()
            room.get_by_role("button", name=words["room.resume_yes"]).click()
        expect(room.locator(".st-key-stop_all")).to_contain_text(words["room.trading_note"])
        expect(person.locator(".st-key-bar")).not_to_contain_text(words["state.stopped"])
        desk.assert_clean()
        home.assert_clean()


@pytest.mark.parametrize("theme", THEMES)
def test_no_section_of_the_room_has_a_serious_finding(deployed: Deployment, browser: Browser, theme: Theme) -> None:
    with watched(browser, deployed.url, "ko-KR", theme=theme) as seen:
        page = operator(deployed, seen, f"operator-{theme}@example.com")
        for section in SECTIONS:
            widen(page, WIDTHS[theme][0])
            page.goto(f"{deployed.url}/operator?section={section}")
            for width in WIDTHS[theme]:
                widen(page, width)
                expect(page.locator(".st-key-room")).to_be_visible()
                settled(page)
                assert "\n".join(findings(page)) == "", f"{section}, {theme}, {width} px wide"
                beside = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert beside <= 0, f"{section} is wider than the window, {theme}, {width} px"
