"""Two tabs of one person say the same, neither writes back what the other saved, and nothing typed is lost."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.i18n import catalogue
from tests.browser.deployment import Deployment
from tests.browser.watching import watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

WORDS = catalogue("ko")
SOON_MS = 20_000
"""The pages promise two seconds; a busy machine gets more before the test gives up."""
SAVE = ".st-key-save button"
PROMPT = ".st-key-custom_prompt textarea"


def enter(page: Page, url: str) -> None:
    """Become a person with an account: a guest has no instructions of their own."""
    wish = {"email": "tabs@example.com", "password": "plum orbit 42 lantern", "accepted_risk": True, "locale": "ko"}
    answer = page.request.post(f"{url}/api/auth/register", data=wish)
    assert answer.ok, answer.text()


def level(page: Page, name: str) -> Locator:
    """The chosen risk level, if it is *name*."""
    return page.locator(".st-key-risk_level [aria-checked=true]").filter(has_text=WORDS[f"risk.{name}"])


def test_tabs_agree_and_neither_writes_over_the_other(deployed: Deployment, browser: Browser) -> None:
    with watched(browser, deployed.url, "ko-KR") as seen:
        one, other = seen.page(), seen.page()
        enter(one, deployed.url)
        for page in (one, other):
            page.goto(deployed.url)
            expect(page.locator(PROMPT)).to_be_enabled()

        # typed and saved by one click, and there in the other tab
        one.locator(PROMPT).fill("추세만")
        one.locator(SAVE).click()
        expect(one.get_by_text(WORDS["control.saved"])).to_be_visible()
        expect(other.locator(PROMPT)).to_have_value("추세만", timeout=SOON_MS)

        # the other has begun to write when the first chooses another level
        other.locator(PROMPT).fill("횡보장은 쉬기")
        other.locator(PROMPT).blur()
        one.locator(".st-key-risk_level button").filter(has_text=WORDS["risk.low"]).click()
        one.locator(SAVE).click()
        expect(level(other, "low")).to_be_visible(timeout=SOON_MS)
        expect(other.locator(".st-key-control [data-testid=stAlert]")).to_contain_text("추세만")
        other.locator(SAVE).click()
        expect(other.get_by_text(WORDS["refuse.settings.stale"])).to_be_visible()
        other.locator(SAVE).click()
        expect(other.locator(".st-key-control [data-testid=stAlert]")).to_have_count(0)
        expect(one.locator(PROMPT)).to_have_value("횡보장은 쉬기", timeout=SOON_MS)
        expect(level(one, "low")).to_be_visible()

        # what is not saved survives another page and a reload
        one.locator(PROMPT).fill("아직 쓰는 중")
        one.get_by_role("link", name=WORDS["page.settings"]).first.click()
        expect(one.get_by_role("heading", name=WORDS["page.settings"])).to_be_visible()
        one.goto(deployed.url)
        expect(one.locator(PROMPT)).to_have_value("아직 쓰는 중")

        # the switch and the pause
        one.locator(".st-key-auto_trade label").first.click()
        expect(other.locator(".st-key-auto_trade input")).to_be_checked(timeout=SOON_MS)
        one.locator(".st-key-stops_pause button").click()
        expect(other.locator(".st-key-stops_resume button")).to_be_visible(timeout=SOON_MS)
        expect(other.locator(".st-key-control")).to_contain_text(WORDS["state.stopping"])
        seen.assert_clean()
