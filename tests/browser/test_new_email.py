"""Another e-mail to sign in by: asked for in one browser, confirmed by the mailed link in another, good once."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from app.i18n import catalogue
from tests.browser.deployment import Deployment, eventually
from tests.browser.test_account import PASSWORD, enter, register
from tests.browser.watching import watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

WORDS = catalogue("en")
NEW = "somewhere.else@example.com"


def ask(page: Page, url: str) -> None:
    """The account page's form for another e-mail, filled and sent."""
    page.goto(f"{url}/account")
    page.get_by_text(WORDS["guard.email"], exact=True).first.click()
    form = page.locator(".st-key-guard_email, [class*=st-key-guard_email]").last
    form.locator("input[type=email]").fill(NEW)
    form.locator("input[type=password]").fill(PASSWORD)
    form.get_by_role("button", name=WORDS["guard.email_do"]).click()


def test_a_new_email_signs_in_once_its_link_is_followed_and_confirmed(deployed: Deployment, browser: Browser) -> None:
    with watched(browser, deployed.url, "en-GB") as seen, watched(browser, deployed.url, "en-GB") as elsewhere:
        page = seen.page()
        old = register(seen.context, deployed.url)
        ask(page, deployed.url)
        expect(page.get_by_text(WORDS["guard.email_sent"])).to_be_visible()
        eventually("both letters come", lambda: {old, NEW} <= deployed.post.letters.keys(), 20)
        [told], [letter] = deployed.post.letters[old], deployed.post.letters[NEW]
        assert told["Subject"] == WORDS["letter.email_asked_subject"]
        assert "#" not in told.get_content()
        [link] = re.findall(rf"{re.escape(deployed.url)}/email#\S+", letter.get_content())

        # opening the link shows what it does, and does nothing
        mail = elsewhere.page()
        mail.goto(link)
        expect(mail.get_by_text(NEW)).to_be_visible()
        assert "#" not in mail.url, "the token does not stay in the address"
        assert page.evaluate("fetch('/api/auth/me').then((reply) => reply.json())")["user"]["email"] == old

        # confirmed: every other session is over, the old address is told, and the new one signs in
        mail.get_by_role("button", name=WORDS["sign_in.email_do"]).click()
        expect(mail.get_by_text(WORDS["sign_in.email_moved"].format(email=NEW))).to_be_visible()
        expect(page.get_by_label(WORDS["sign_in.email"], exact=True)).to_be_visible()
        eventually("the old address is told", lambda: len(deployed.post.letters[old]) == 2, 20)
        assert deployed.post.letters[old][1]["Subject"] == WORDS["letter.email_done_subject"]
        enter(page, old)
        expect(page.get_by_role("alert").last).to_have_text(WORDS["refuse.credentials"])
        enter(page, NEW)
        expect(page.locator(".st-key-me")).to_be_visible()

        # a second time the link says so, whoever opens it
        page.goto(link)
        expect(page.get_by_text(WORDS["refuse.email.link"])).to_be_visible()
        assert not seen.strays
        assert not elsewhere.strays
