"""The second factor and the passkey in a real browser: switched on, asked for, and good once."""

import re
import secrets

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.i18n import catalogue
from tests.browser.deployment import Deployment
from tests.browser.watching import watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

WORDS = catalogue("en")
PASSWORD = "four unrelated horses staple"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def register(context: BrowserContext, url: str) -> str:
    """A new person in *context*; their e-mail."""
    email = f"{secrets.token_hex(6)}@example.com"
    body = {"email": email, "password": PASSWORD, "accepted_risk": True, "locale": "en"}
    assert context.request.post(f"{url}/api/auth/register", data=body, headers={"Origin": url}).ok
    return email


def sign_out(page: Page) -> None:
    page.locator(".st-key-me button").first.click()
    page.get_by_role("button", name=WORDS["top.sign_out"], exact=True).click()
    expect(page.get_by_label(WORDS["sign_in.email"], exact=True)).to_be_visible()


def enter(page: Page, email: str, code: str = "") -> None:
    page.get_by_label(WORDS["sign_in.email"], exact=True).fill(email)
    page.get_by_label(WORDS["sign_in.password"], exact=True).fill(PASSWORD)
    if code:
        page.get_by_label(WORDS["sign_in.code"]).fill(code)
    page.get_by_role("button", name=WORDS["sign_in.enter"], exact=True).last.click()


def test_two_steps_are_switched_on_by_scanning_and_asked_for_at_the_next_sign_in(
    deployed: Deployment, browser: Browser
) -> None:
    with watched(browser, deployed.url, "en-GB") as seen:
        page = seen.page()
        email = register(seen.context, deployed.url)
        page.goto(f"{deployed.url}/account")
        page.get_by_role("button", name=WORDS["guard.factor_do"]).click()
        expect(page.get_by_alt_text(WORDS["guard.qr"])).to_be_visible()
        secret = page.locator(".told code").inner_text().replace(" ", "")
        assert re.fullmatch(r"[A-Z2-7]{32}", secret)
        app = pyotp.TOTP(secret)
        page.get_by_label(WORDS["guard.code"]).fill(app.at(deployed.now_ms // 1000))
        page.get_by_role("button", name=WORDS["guard.confirm"]).click()
        codes = page.locator(".codes li")
        expect(codes).to_have_count(10)
        recovery = codes.first.inner_text()
        page.get_by_role("button", name=WORDS["guard.kept"]).click()
        expect(page.get_by_text(WORDS["guard.on"], exact=True)).to_be_visible()
        sign_out(page)
        # a browser of theirs: the missing code is asked for
        enter(page, email)
        expect(page.get_by_role("alert").last).to_have_text(WORDS["refuse.code"])
        enter(page, email, recovery)
        expect(page.locator(".st-key-me")).to_be_visible()
        page.goto(f"{deployed.url}/account")
        expect(page.get_by_text(WORDS["guard.codes_left"].format(n=9))).to_be_visible()
        assert secret not in page.content()


def test_a_passkey_is_made_signs_in_and_proves_whose_session_it_is(deployed: Deployment, browser: Browser) -> None:
    # no browser makes a passkey for a bare address
    url = deployed.url.replace("127.0.0.1", "localhost")
    with watched(browser, url, "en-GB") as seen:
        context, page = seen.context, seen.page()
        register(context, url)
        devices = context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        page.goto(f"{url}/account")
        page.get_by_role("button", name=WORDS["guard.passkey_do"]).click()
        expect(page.locator("[class*=st-key-passkey_]").first).to_be_visible()
        sign_out(page)
        page.get_by_role("button", name=WORDS["sign_in.passkey"]).click()
        expect(page.locator(".st-key-me")).to_be_visible()
        page.goto(f"{url}/account")
        expect(page.get_by_text(WORDS["trail.signed_in_passkey"])).to_be_visible()
        answer = page.evaluate("fetch('/api/auth/me').then((reply) => reply.json())")
        assert answer["user"]["proved_ms"] > 0
