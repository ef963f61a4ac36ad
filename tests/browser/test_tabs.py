"""Two tabs of one person say the same, neither writes back what the other saved, and nothing typed is lost."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from app.i18n import catalogue
from tests.browser.deployment import Deployment
from tests.browser.watching import watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

WORDS = catalogue("ko")
SOON_MS = 20_000
"""The pages promise a second; a busy machine gets more before the test gives up."""
SAVE = ".st-key-save button"
PROMPT = ".st-key-custom_prompt textarea"
SWITCH = ".st-key-switches [role=switch]"
HANDS_OVER_LATE = """
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...args) {
    super(...args);
    this.addEventListener("message", () => {
      if (!window.leaving) return;
      const area = document.querySelector(window.leaving);
      window.leaving = "";
      area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true }));
    });
  }
};
"""
"""Hands over what is typed in the field `leaving` with the first word of the server's, before the page has heard it."""
WATCH_TITLE = """
() => {
  const look = () => { window.lost ||= !document.querySelector("h1"); };
  window.lost = false;
  look();
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}
"""


def enter(page: Page, url: str, name: str = "tabs") -> None:
    """Become a person with an account: a guest has no instructions of their own."""
    wish = {"email": f"{name}@example.com", "password": "plum orbit 42 lantern", "accepted_risk": True, "locale": "ko"}
    answer = page.request.post(f"{url}/api/auth/register", data=wish)
    assert answer.ok, answer.text()


def level(page: Page, name: str) -> Locator:
    """The chosen risk level, if it is *name*."""
    return page.locator(".st-key-switches [aria-checked=true]").filter(has_text=WORDS[f"risk.{name}"])


def choose(page: Page, name: str) -> None:
    page.locator(f".st-key-switches button[value={name}]").click()


def test_tabs_agree_and_neither_writes_over_the_other(deployed: Deployment, browser: Browser) -> None:
    with watched(browser, deployed.url, "ko-KR") as seen:
        one, other = seen.page(), seen.page()
        enter(one, deployed.url)
        for page in (one, other):
            page.goto(deployed.url)
            expect(page.locator(PROMPT)).to_be_enabled()
            expect(level(page, "medium")).to_be_visible()

        # typed and saved by one click, and there in the other tab
        one.locator(PROMPT).fill("추세만")
        one.locator(SAVE).click()
        expect(one.locator("[data-testid=stToast]")).to_contain_text(WORDS["control.saved"])
        expect(other.locator(PROMPT)).to_have_value("추세만", timeout=SOON_MS)

        # the other has begun to write when the first chooses another level: no conflict, and nothing is written back
        other.locator(PROMPT).fill("횡보장은 쉬기")
        other.locator(PROMPT).blur()
        choose(one, "low")
        expect(level(one, "low")).to_be_visible()
        expect(level(other, "low")).to_be_visible(timeout=SOON_MS)
        expect(other.locator(PROMPT)).to_have_value("횡보장은 쉬기")
        expect(other.locator(".st-key-control [data-testid=stAlert]")).to_have_count(0)

        # the same text saved in the first tab is one: told, refused once, and saved when it is meant
        one.locator(PROMPT).fill("짧게만")
        one.locator(SAVE).click()
        expect(other.locator(".st-key-control [data-testid=stAlert]")).to_contain_text("짧게만", timeout=SOON_MS)
        other.locator(SAVE).click()
        expect(other.get_by_text(WORDS["refuse.settings.stale"])).to_be_visible()
        other.locator(SAVE).click()
        expect(other.locator(".st-key-control [data-testid=stAlert]")).to_have_count(0)
        expect(one.locator(PROMPT)).to_have_value("횡보장은 쉬기", timeout=SOON_MS)
        expect(level(one, "low")).to_be_visible()
        expect(level(other, "low")).to_be_visible()

        # what is not saved survives another page and a reload
        one.locator(PROMPT).fill("아직 쓰는 중")
        one.locator(PROMPT).blur()
        expect(one.locator(".st-key-control").get_by_text(WORDS["control.unsaved"])).to_be_visible()
        one.get_by_role("link", name=WORDS["page.settings"]).first.click()
        expect(one.get_by_role("heading", name=WORDS["page.settings"])).to_be_visible()
        one.goto(deployed.url)
        expect(one.locator(PROMPT)).to_have_value("아직 쓰는 중")

        # the switch and the pause
        one.locator(SWITCH).click()
        expect(other.locator(SWITCH)).to_have_attribute("aria-checked", "true", timeout=SOON_MS)
        one.locator(".st-key-bar .pause").click()
        expect(other.locator(".st-key-bar .resume")).to_be_visible(timeout=SOON_MS)
        expect(other.locator(".st-key-bar .pause")).to_be_hidden()
        expect(other.locator(".st-key-bar .why")).to_contain_text(WORDS["stops.own"])
        seen.assert_clean()


def test_a_choice_that_another_tab_made_first_is_refused_and_taken_back(deployed: Deployment, browser: Browser) -> None:
    with watched(browser, deployed.url, "ko-KR") as seen:
        page = seen.page()
        enter(page, deployed.url, "first")
        page.goto(deployed.url)
        expect(level(page, "medium")).to_be_visible()
        version = page.request.get(f"{deployed.url}/api/settings").json()["settings_version"]

        def meanwhile(body: dict[str, object]) -> None:
            """Another tab saves between this tab's click and its request."""

            def handle(route: Route) -> None:
                assert page.request.post(f"{deployed.url}/api/settings", data=body).ok
                route.continue_()

            page.route("**/api/settings", handle, times=1)

        # something else was changed: the choice is made all the same
        meanwhile({"max_leverage": 3, "settings_version": version})
        choose(page, "high")
        expect(page.locator(".st-key-bar .note.done")).to_have_text(WORDS["control.saved"])
        settings = page.request.get(f"{deployed.url}/api/settings").json()
        assert (settings["settings"]["risk_level"], settings["settings"]["max_leverage"]) == ("high", 3)
        expect(level(page, "high")).to_be_visible()

        # the very same choice was: refused, told, and what stands is shown
        meanwhile({"risk_level": "medium", "settings_version": settings["settings_version"]})
        choose(page, "low")
        expect(page.locator(".st-key-bar .note.refused")).to_have_text(WORDS["refuse.settings.stale"])
        expect(level(page, "medium")).to_be_visible(timeout=SOON_MS)
        assert page.request.get(f"{deployed.url}/api/settings").json()["settings"]["risk_level"] == "medium"


def test_a_page_left_in_the_moment_of_typing_does_not_take_the_next_one_with_it(
    deployed: Deployment, browser: Browser
) -> None:
    with watched(browser, deployed.url, "ko-KR") as seen:
        seen.context.add_init_script(HANDS_OVER_LATE)
        page = seen.page()
        enter(page, deployed.url, "leaving")
        page.goto(deployed.url)
        for span in ("7d", "90d", "1y"):
            page.locator(PROMPT).fill(f"아직 쓰는 중 {span}")
            page.evaluate("(field) => { window.leaving = field; }", PROMPT)
            page.get_by_role("link", name=WORDS["page.results"]).first.click()
            expect(page.get_by_role("heading", name=WORDS["page.results"])).to_be_visible()
            page.evaluate(WATCH_TITLE)
            expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")
            # one run more: whatever was asked before it has had its turn
            page.get_by_role("radio", name=WORDS[f"period.{span}"], exact=True).click()
            expect(page).to_have_url(re.compile(f"period={span}"))
            assert not page.evaluate("window.lost"), "the page gone to was cleared"
            page.get_by_role("link", name=WORDS["page.dashboard"]).first.click()
            expect(page.locator(PROMPT)).to_have_value(f"아직 쓰는 중 {span}")
        seen.assert_clean()
