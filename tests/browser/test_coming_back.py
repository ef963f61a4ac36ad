"""A guest stays under an e-mail in the same browser, forgets the password, and comes back by the mailed link."""

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from app.i18n import catalogue
from lib.adapters.sql.tables.people import accounts
from tests.browser.deployment import Deployment, eventually
from tests.browser.test_account import sign_out
from tests.browser.test_browser import be_in
from tests.browser.watching import watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

WORDS = catalogue("en")
EMAIL = "comes.back@example.com"
OLD, NEW = "four unrelated horses staple", "seven quiet lanterns orbit"


def who(page: Page) -> tuple[int, bool]:
    """Who the browser is, and whether that is a guest."""
    me = page.evaluate("fetch('/api/auth/me').then((reply) => reply.json())")["user"]
    return me["user_id"], me["is_guest"]


def account_of(deployed: Deployment, user_id: int) -> int:
    with deployed.engine.connect() as connection:
        mine = sa.select(accounts.c.id).where(accounts.c.user_id == user_id, accounts.c.active)
        return int(connection.execute(mine).scalar_one())


def enter(page: Page, password: str) -> None:
    page.get_by_label(WORDS["sign_in.email"], exact=True).fill(EMAIL)
    page.get_by_label(WORDS["sign_in.password"], exact=True).fill(password)
    page.get_by_role("button", name=WORDS["sign_in.enter"], exact=True).last.click()


def test_a_guest_stays_in_place_and_comes_back_by_a_mailed_link(deployed: Deployment, browser: Browser) -> None:
    with watched(browser, deployed.url, "en-GB") as seen, watched(browser, deployed.url, "en-GB") as elsewhere:
        page = seen.page()
        be_in(page, deployed.url, "en")
        user_id, is_guest = who(page)
        assert is_guest
        account = account_of(deployed, user_id)

        # the guest becomes a person: the same one, with the same account
        page.get_by_role("link", name=WORDS["page.settings"]).first.click()
        page.get_by_label(WORDS["sign_in.email"], exact=True).fill(EMAIL)
        page.get_by_label(WORDS["sign_in.password"], exact=True).fill(OLD)
        page.get_by_role("button", name=WORDS["settings.keep_do"]).click()
        expect(page.locator(".st-key-me")).to_contain_text(EMAIL.split("@")[0])
        assert who(page) == (user_id, False)
        assert account_of(deployed, user_id) == account

        # signed in with the password in another browser, and out in this one
        other = elsewhere.page()
        other.goto(deployed.url)
        enter(other, OLD)
        expect(other.locator(".st-key-me")).to_be_visible()
        sign_out(page)

        # forgotten: the letter's link opens a new password, once
        page.get_by_role("link", name=WORDS["sign_in.forgot"]).click()
        page.get_by_label(WORDS["sign_in.email"], exact=True).fill(EMAIL)
        page.get_by_role("button", name=WORDS["sign_in.reset_ask"]).click()
        expect(page.get_by_text(WORDS["sign_in.reset_sent"])).to_be_visible()
        eventually("the letter comes", lambda: EMAIL in deployed.post.letters, 20)
        [letter] = deployed.post.letters[EMAIL]
        [link] = re.findall(rf"{re.escape(deployed.url)}/reset#\S+", letter.get_content())
        page.goto(link)
        page.get_by_label(WORDS["sign_in.reset_password"]).fill(NEW)
        page.get_by_role("button", name=WORDS["sign_in.reset_save"]).click()
        expect(page.get_by_text(WORDS["sign_in.reset_saved"])).to_be_visible()
        assert "#" not in page.url, "the token does not stay in the address"

        # every session is over, and the old password and the link open nothing
        expect(other.get_by_role("button", name=WORDS["sign_in.try"])).to_be_visible()
        assert other.request.get(f"{deployed.url}/api/auth/me").status == 401
        spent = page.request.post(
            f"{deployed.url}/api/auth/reset", data={"token": link.partition("#")[2], "password": OLD}
        )
        assert spent.status == 403
        page.get_by_role("link", name=WORDS["sign_in.reset_back"]).click()
        enter(page, OLD)
        expect(page.get_by_role("alert").last).to_have_text(WORDS["refuse.credentials"])
        enter(page, NEW)
        expect(page.locator(".st-key-me")).to_contain_text(EMAIL.split("@")[0])
        assert who(page) == (user_id, False)
        assert not seen.strays
