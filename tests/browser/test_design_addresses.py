"""The addresses of the design open their pages, the document says its language, and the unknown is a 404."""

import pytest
from playwright.sync_api import Browser, expect

from app.i18n import catalogue
from tests.browser.deployment import Deployment
from tests.browser.test_browser import be_in
from tests.browser.watching import watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

PAGES = {
    "/dashboard/api-key": "page.api_keys",
    "/dashboard/settings": "page.settings",
    "/dashboard/logs?outcome=sold": "page.trade_logs",
}


@pytest.mark.parametrize(("language", "locale"), [("ko", "ko-KR"), ("en", "en-GB")])
def test_a_person_opens_every_address_of_the_design(
    deployed: Deployment, browser: Browser, language: str, locale: str
) -> None:
    words = catalogue(language)
    with watched(browser, deployed.url, locale) as seen:
        page = seen.page()
        page.goto(f"{deployed.url}/auth/register")
        expect(page.get_by_role("tab", name=words["sign_in.register"], exact=True)).to_have_attribute(
            "aria-selected", "true"
        )
        page.goto(f"{deployed.url}/auth/login")
        expect(page.get_by_role("tab", name=words["sign_in.sign_in"], exact=True)).to_have_attribute(
            "aria-selected", "true"
        )
        be_in(page, deployed.url, language)
        for path, title in PAGES.items():
            page.goto(deployed.url + path)
            expect(page.get_by_role("heading", name=words[title], exact=True)).to_be_visible()
        outcome = page.get_by_role("combobox", name=words["filter.outcome"])
        expect(outcome).to_have_value(words["outcome.sold"])
        outcome.click()
        page.get_by_role("option", name=words["outcome.held"], exact=True).click()
        # at once, with the address the first click has not changed yet
        page.get_by_role("radio", name=words["filter.day"]).click()
        page.wait_for_url(f"{deployed.url}/trade_logs?outcome=held&span=day")
        page.goto(f"{deployed.url}/dashboard")
        expect(page.locator(".tvchart canvas").first).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", language)


def test_the_document_follows_a_switch_of_language(deployed: Deployment, browser: Browser) -> None:
    with watched(browser, deployed.url, "ko-KR") as seen:
        page = seen.page()
        page.goto(deployed.url)
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        page.get_by_role("radio", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        page.wait_for_function("document.cookie.includes('maemae_lang=en')")  # another part of the page keeps it
        page.reload()
        assert page.evaluate("document.documentElement.lang") == "en"  # before any script of ours has run
        seen.assert_clean()


def test_an_unknown_address_is_a_404_in_the_readers_language(deployed: Deployment, browser: Browser) -> None:
    with watched(browser, deployed.url, "en-GB") as seen:
        page = seen.page()
        answer = page.goto(f"{deployed.url}/dashboard/nowhere")
        assert answer is not None
        assert answer.status == 404
        expect(page.get_by_role("heading", name=catalogue("en")["missing.title"])).to_be_visible()
        page.get_by_role("link").click()
        expect(page.get_by_role("button", name=catalogue("en")["sign_in.try"])).to_be_visible()
