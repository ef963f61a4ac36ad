"""
Every page, in both themes and at both widths, has no serious finding of axe-core; in every run each page is looked at
once in each theme and once at each width, at night in all four ways.

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
from tests.effort import EFFORT

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => violations
  .filter(({impact}) => impact === "serious" || impact === "critical")
  .flatMap(({id, nodes}) => nodes.map(({html, any}) => `${id}: ${any[0]?.message ?? ""} in ${html}`.slice(0, 400))))"""
DOOR = "sign_in"
ROOM = "operator"
"""For operators alone: looked at in tests/browser/test_operator.py."""
PAGES = sorted(path.stem for path in (ROOT / "app" / "pages").glob("[a-z]*.py") if path.stem not in (DOOR, ROOM))
Theme = Literal["dark", "light"]
THEMES: tuple[Theme, ...] = ("dark", "light")
EACH = 2 if EFFORT.one_in == 1 else 1
WIDTHS: dict[Theme, tuple[int, ...]] = {"dark": (1440, 390)[:EACH], "light": (390, 1440)[:EACH]}
"""At which width a page is loaded in each theme, and at night the one it then comes to."""
AT_REST = """() => Promise.allSettled(document.getAnimations()
  .filter((one) => Number.isFinite(one.effect?.getComputedTiming().endTime)).map((one) => one.finished))"""
"""Whatever glides to its place has come there."""


def findings(page: Page) -> list[str]:
    """What axe-core calls serious or critical on *page* as it stands."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found: list[str] = page.evaluate(RUN)
    return found


def widen(page: Page, width: int) -> None:
    """Make the window of *page* as wide; what is loaded in it adapts."""
    page.set_viewport_size({"width": width, "height": 900})


def enter(context: BrowserContext, url: str, language: str = "ko") -> None:
    """Sign in as a new guest who reads *language*; the cookie stays in *context*."""
    headers = {"Origin": url, "Content-Type": "application/json"}
    wish = {"accepted_risk": True, "locale": language}
    reply = context.request.post(f"{url}/api/auth/try", data=wish, headers=headers)
    assert reply.ok, reply.text()


def settled(page: Page) -> None:
    """Wait until the page's script has ended and what it drew stands."""
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)
    page.evaluate(AT_REST)


@pytest.fixture(scope="module", params=THEMES)
def visited(request: pytest.FixtureRequest, deployed: Deployment, browser: Browser) -> Iterator[tuple[Theme, Page]]:
    """A theme, and a signed-in guest's tab in it."""
    with watched(browser, deployed.url, "ko-KR", theme=request.param) as seen:
        enter(seen.context, deployed.url)
        yield request.param, seen.page()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_serious_finding(deployed: Deployment, visited: tuple[Theme, Page], name: str) -> None:
    theme, page = visited
    widen(page, WIDTHS[theme][0])
    page.goto(f"{deployed.url}/{name}")
    for width in WIDTHS[theme]:
        widen(page, width)
        settled(page)
        if name == "dashboard":  # its controls say nothing before they know how they stand
            expect(page.locator("button[role=switch][aria-checked]").first).to_be_visible()
        expect(page.locator("button:is([role=switch], [role=radio]):not([aria-checked])")).to_have_count(0)
        assert "\n".join(findings(page)) == "", f"{name}, {theme}, {width} px wide"


@pytest.mark.parametrize("theme", THEMES)
def test_the_door_has_no_serious_finding(deployed: Deployment, browser: Browser, theme: Theme) -> None:
    with watched(browser, deployed.url, "ko-KR", theme=theme) as seen:
        page = seen.page()
        widen(page, WIDTHS[theme][0])
        page.goto(deployed.url)
        for width in WIDTHS[theme]:
            widen(page, width)
            settled(page)
            assert "\n".join(findings(page)) == "", f"{theme}, {width} px wide"
