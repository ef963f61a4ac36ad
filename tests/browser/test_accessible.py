"""
Every page, in both themes and at both widths, has no serious finding of axe-core.

Screen readers, keyboards and weak eyes: what a machine can find of it. Findings that axe itself is not sure of are not
counted, and what only a person can judge is not found here.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.deployment import ROOT, Deployment
from tests.browser.watching import watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => violations
  .filter(({impact}) => impact === "serious" || impact === "critical")
  .flatMap(({id, nodes}) => nodes.map(({html, any}) => `${id}: ${any[0]?.message ?? ""} in ${html}`.slice(0, 400))))"""
DOOR = "sign_in"
ROOM = "operator"
"""For operators alone: looked at in tests/browser/test_operator.py."""
PAGES = sorted(path.stem for path in (ROOT / "app" / "pages").glob("[a-z]*.py") if path.stem not in (DOOR, ROOM))
WIDTHS = (1440, 390)
Theme = Literal["dark", "light"]
THEMES: tuple[Theme, ...] = ("dark", "light")


def findings(page: Page) -> list[str]:
    """What axe-core calls serious or critical on *page* as it stands."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(RUN)
    return found


def enter(context: BrowserContext, url: str) -> None:
    """Sign in as a new guest; the cookie stays in *context*."""
    headers = {"Origin": url, "Content-Type": "application/json"}
    reply = context.request.post(f"{url}/api/auth/try", data={"accepted_risk": True, "locale": "ko"}, headers=headers)
    assert reply.ok, reply.text()


def settled(page: Page) -> None:
    """Wait until the page's script has ended and what it drew stands."""
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)


@pytest.fixture(scope="module", params=THEMES)
def visitor(request: pytest.FixtureRequest, deployed: Deployment, browser: Browser) -> Iterator[BrowserContext]:
    """A signed-in guest's browser in one theme."""
    with watched(browser, deployed.url, "ko-KR", theme=request.param) as seen:
        enter(seen.context, deployed.url)
        yield seen.context


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_serious_finding(deployed: Deployment, visitor: BrowserContext, name: str, width: int) -> None:
    page = visitor.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{deployed.url}/{name}")
    settled(page)
    if name == "dashboard":  # its controls say nothing before they know how they stand
        expect(page.locator("button[role=switch][aria-checked]").first).to_be_visible()
    expect(page.locator("button:is([role=switch], [role=radio]):not([aria-checked])")).to_have_count(0)
    assert "\n".join(findings(page)) == ""
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_the_door_has_no_serious_finding(deployed: Deployment, browser: Browser, theme: Theme, width: int) -> None:
    with watched(browser, deployed.url, "ko-KR", theme=theme) as seen:
        page = seen.page()
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(deployed.url)
        settled(page)
        assert "\n".join(findings(page)) == ""
