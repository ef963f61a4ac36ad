"""
Pictures of every page in both languages, themes and widths, and one sheet of them all: what a person looks at.

`python -m tests.browser.contact_sheet --url http://127.0.0.1:8501 --into docs/images` photographs a running system
(`make run`) as a visitor of its demo account, so nothing is changed. The sheet is `pages.webp`; with `--all` each
picture is kept too, in `pages/`.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.deployment import ROOT
from tests.browser.watching import chromium, running_browser, watched

DOOR, REGISTER, DECISION, NOWHERE = "sign_in", "register", "decision", "nowhere"
ROOM = "operator"
"""For operators alone; the demo's visitor has none."""
OUTSIDE = {DOOR: "", REGISTER: "?door=register", NOWHERE: "nothing-here"}
"""What a stranger sees, and where."""
PAGES = (
    *OUTSIDE,
    *sorted(path.stem for path in (ROOT / "app" / "pages").glob("[a-z]*.py") if path.stem not in (DOOR, ROOM)),
    DECISION,
)
LANGUAGES = {"ko": "ko-KR", "en": "en-GB"}
THEMES = ("dark", "light")
SIZES = {1440: 900, 390: 844}
DRAWN = ".bar .state[class*=' ']"
DRAWN_OUTSIDE = {DOOR: "input[type=password]", REGISTER: "input[type=checkbox]", NOWHERE: "h1"}
"""What our own part of a page draws last, inside and outside: figures come after Streamlit is done."""
SLOW_MS = 60_000
SHOWN_HEIGHT = 360
GAP = 12


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of one page."""

    page: str
    language: str
    theme: str
    width: int
    png: bytes

    @property
    def name(self) -> str:
        """Its file name."""
        return f"{self.page}-{self.language}-{self.theme}-{self.width}.png"


def shots(browser: Browser, url: str, pages: tuple[str, ...]) -> Iterator[Shot]:
    """Every one of *pages* of the system at *url*, in each language, theme and width."""
    for language, theme in product(LANGUAGES, THEMES):
        with watched(browser, url, LANGUAGES[language], theme="dark" if theme == "dark" else "light") as seen:
            page, inside = seen.page(), False
            for name in sorted(pages, key=PAGES.index):
                if name not in OUTSIDE and not inside:
                    inside = _enter(page, url)
                for width, height in SIZES.items():
                    page.set_viewport_size({"width": width, "height": height})
                    page.goto(f"{url}/{_place(page, url, name)}")
                    yield Shot(name, language, theme, width, _picture(page, name))


def _enter(page: Page, url: str) -> bool:
    headers = {"Origin": url, "Content-Type": "application/json"}
    reply = page.request.post(f"{url}/api/auth/demo", data={}, headers=headers)
    if not reply.ok:
        raise SystemExit(f"no demo account to look at: {reply.status} {reply.text()}")
    return True


def _place(page: Page, url: str, name: str) -> str:
    """Where the page *name* is; of a decision the newest one's."""
    if name != DECISION:
        return OUTSIDE.get(name, name)
    newest = page.request.get(f"{url}/api/logs").json()["rows"][0]["id"]
    return f"trade_logs?id={newest}"


def _picture(page: Page, name: str) -> bytes:
    if name != NOWHERE:
        expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")
        expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    expect(page.locator(DRAWN_OUTSIDE.get(name, DRAWN)).first).to_be_visible()
    return page.screenshot()


def sheet(found: list[Shot]) -> Image.Image:
    """All pictures side by side: a row a page and language, the wide ones before the narrow ones."""
    rows: dict[tuple[str, str], list[Image.Image]] = {}
    for shot in sorted(found, key=lambda one: (PAGES.index(one.page), one.language, -one.width, one.theme)):
        picture = Image.open(BytesIO(shot.png)).convert("RGB")
        small = picture.resize((round(picture.width * SHOWN_HEIGHT / picture.height), SHOWN_HEIGHT))
        rows.setdefault((shot.page, shot.language), []).append(small)
    width = max(sum(one.width + GAP for one in row) for row in rows.values()) + GAP
    whole = Image.new("RGB", (width, len(rows) * (SHOWN_HEIGHT + GAP) + GAP), "#808790")
    for number, row in enumerate(rows.values()):
        left = GAP
        for one in row:
            whole.paste(one, (left, GAP + number * (SHOWN_HEIGHT + GAP)))
            left += one.width + GAP
    return whole


def main() -> None:
    """The command of the module's docstring."""
    parser = argparse.ArgumentParser(description="pictures of every page in both languages, themes and widths")
    parser.add_argument("--url", default="http://127.0.0.1:8501", help="a running system with a demo account")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "images", help="the folder for the pictures")
    parser.add_argument("--pages", nargs="*", default=PAGES, choices=PAGES, help="only these")
    parser.add_argument("--all", action="store_true", help="keep each picture beside the sheet")
    asked = parser.parse_args()
    binary = chromium()
    if binary is None:
        raise SystemExit("no Chromium: install it or set TEST_CHROMIUM")
    expect.set_options(timeout=SLOW_MS)
    with running_browser(binary) as browser:
        found = list(shots(browser, asked.url, tuple(asked.pages)))
    asked.into.mkdir(parents=True, exist_ok=True)
    if asked.all:
        (asked.into / "pages").mkdir(exist_ok=True)
        for shot in found:
            (asked.into / "pages" / shot.name).write_bytes(shot.png)
    sheet(found).save(asked.into / "pages.webp", quality=80)


if __name__ == "__main__":
    main()
