"""
A browser that is watched: every address it asks for, every policy it finds violated, every error of a page.

Names other than loopback do not resolve for it, so a stray request fails as well as being told.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--js-flags=--no-opt --no-maglev",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
"""No test stays on a page for long enough that code optimised as it grows hot would repay its making."""
TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
WASM_PROBE = re.compile(r"policy violated: script-src wasm-eval \S+/static/js/protobuf\.\w+\.js")
"""Streamlit's decoder tries WebAssembly for 64-bit numbers and goes on without it; we allow no kind of eval."""
LOOKING_FOR_ITS_ROOT = re.compile(r"/\w+/_stcore/(health|host-config)")
"""On a deep link Streamlit asks below the page's own address first and is told 404; then at the root."""
_PEOPLE = count(1)
"""Everybody comes from a network of their own, where the deployment believes what a proxy says: what is counted by
address is not what these tests are about."""
LOCAL = ("data", "blob", "about", "chrome-error")
NO_LONGER_IN = "the server responded with a status of 401"
"""What Chromium itself notes of an answer that a signed-out page is meant to get."""


def chromium() -> str | None:
    """
    The one TEST_CHROMIUM names, else Debian's: its headless shell first, which draws no window of the browser's own
    and so takes a third less of the processor.
    """
    found = (shutil.which(name) for name in ("chromium-headless-shell", "chromium", "chromium-browser"))
    return os.environ.get("TEST_CHROMIUM") or next(filter(None, found), None)


@dataclass
class Watched:
    """A browser context and what happened in its pages."""

    context: BrowserContext
    host: str
    strays: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    """What our own WebSocket brought."""

    def page(self) -> Page:
        """A new tab."""
        page = self.context.new_page()
        page.on("websocket", lambda socket: self._socket(socket.url, socket))
        return page

    def _socket(self, url: str, socket: object) -> None:
        self._asked(url)
        if urlsplit(url).path == "/api/ws":
            socket.on("framereceived", lambda text: self.frames.append(str(text)))  # type: ignore[attr-defined]

    def _asked(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme not in LOCAL and address.netloc != self.host:
            self.strays.append(url)

    def _said(self, message: ConsoleMessage) -> None:
        text, path = message.text, urlsplit(message.location.get("url", "")).path
        expected = NO_LONGER_IN in text or WASM_PROBE.fullmatch(text) or LOOKING_FOR_ITS_ROOT.fullmatch(path)
        if message.type == "error" and not expected:
            self.errors.append(f"{text} ({path})")

    def assert_clean(self) -> None:
        """Nothing left this machine, no policy was violated, no page failed."""
        assert not self.strays, self.strays
        assert not self.errors, self.errors


@contextmanager
def watched(
    browser: Browser, url: str, locale: str, theme: Literal["dark", "light"] = "dark", *, is_still: bool = True
) -> Iterator[Watched]:
    """
    A context of its own, as a person with that language and theme has it, *is_still* = who wants no motion: drawing
    places that pulse until something stands there took a fifth of a page's processor time.
    """
    context = browser.new_context(
        locale=locale,
        viewport={"width": 1440, "height": 1000},
        color_scheme=theme,
        reduced_motion="reduce" if is_still else "no-preference",
        extra_http_headers={"X-Forwarded-For": f"198.18.{next(_PEOPLE) % 256}.7"},
    )
    context.set_default_timeout(20_000)
    context.add_init_script(TELL_VIOLATIONS)
    made = Watched(context, urlsplit(url).netloc)
    context.on("request", lambda request: made._asked(request.url))
    context.on("console", made._said)
    context.on("weberror", lambda error: made.errors.append(str(error.error)))
    try:
        yield made
    finally:
        context.close()


@contextmanager
def running_browser(binary: str) -> Iterator[Browser]:
    """One headless Chromium; its back-forward cache stays on, as people have it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=binary, args=FLAGS, ignore_default_args=["--disable-back-forward-cache"]
        )
        try:
            yield browser
        finally:
            browser.close()
