"""
The dashboard as its person feels it: frames a second while nobody touches it, and how long a click takes.

A deployment of its own, a headless Chromium, two tabs of one person with paper money. A click counts as shown when the
DOM holds the state that was wished for, in the same task; as confirmed when the server's word has replaced the wish; in
the other tab when that tab shows it. Start: `python -m bench.cockpit`.
"""

import argparse
import statistics
import tempfile
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.browser.deployment import Deployment, deployment
from tests.browser.watching import chromium, running_browser, watched

SETTLED_MS = 5_000
FIND = """
window.found = (selector) => {
  for (const element of document.querySelectorAll("*")) {
    const inside = element.shadowRoot?.querySelector(selector);
    if (inside) return inside;
  }
};
window.soon = (holds) => new Promise((done) => {
  const look = () => (holds() ? done(performance.timeOrigin + performance.now()) : setTimeout(look, 1));
  look();
});
"""
CLICK = """
async ([button, wanted]) => {
  const began = performance.timeOrigin + performance.now();
  found(button).click();
  const shown = await soon(() => found(wanted));
  const confirmed = await soon(() => !found(".pending"));
  return [began, shown - began, confirmed - began];
}
"""
CLICKS = (
    (".switches [role=switch]", ".switches [aria-checked=true][role=switch]"),
    (".bar .pause", ".bar .state.stopping"),
    (".bar .resume", ".bar .state.on"),
    (".switches [value=low]", ".switches [value=low][aria-checked=true]"),
    (".switches [value=medium]", ".switches [value=medium][aria-checked=true]"),
    (".switches [role=switch]", ".switches [aria-checked=false][role=switch]"),
)
"""What is clicked, and what the DOM holds then, in this tab at once and in the other soon."""


def open_dashboard(page: Page, url: str) -> None:
    """The dashboard with every live part drawn."""
    page.add_init_script(FIND)
    page.goto(url)
    page.locator(".st-key-switches [role=switch]").wait_for()
    page.locator(".tvchart-legend").wait_for()
    page.wait_for_timeout(SETTLED_MS)


def idle(page: Page, url: str, seconds: int) -> Counter[str]:
    """Frames that came in *seconds*, by the socket's address."""
    frames: Counter[str] = Counter()
    page.on(
        "websocket", lambda socket: socket.on("framereceived", lambda _: frames.update([urlsplit(socket.url).path]))
    )
    open_dashboard(page, url)
    frames.clear()
    page.wait_for_timeout(seconds * 1000)
    return frames


def clicks(page: Page, other: Page, rounds: int) -> dict[str, list[float]]:
    """Ms from each click until it was shown, confirmed, and in the other tab."""
    taken: dict[str, list[float]] = {"shown": [], "confirmed": [], "other tab": []}
    for _ in range(rounds):
        for button, wanted in CLICKS:
            began, shown, confirmed = page.evaluate(CLICK, [button, wanted])
            seen = other.evaluate("(wanted) => soon(() => found(wanted))", wanted)
            for name, ms in (("shown", shown), ("confirmed", confirmed), ("other tab", max(0.0, seen - began))):
                taken[name].append(ms)
            page.wait_for_timeout(500)
    return taken


def measure(deployed: Deployment, rounds: int, seconds: int) -> None:
    """Both, printed."""
    binary = chromium()
    if binary is None:
        raise SystemExit("no Chromium here")
    with running_browser(binary) as browser, watched(browser, deployed.url, "en-GB") as seen:
        page, other = seen.page(), seen.page()
        body = {"email": "bench@example.com", "password": "plum orbit 42 lantern", "accepted_risk": True}
        assert page.request.post(f"{deployed.url}/api/auth/register", data=body).ok
        frames = idle(page, deployed.url, seconds)
        each = ", ".join(f"{path} {count / seconds:.2f}" for path, count in sorted(frames.items()))
        print(f"idle dashboard: {sum(frames.values()) / seconds:.2f} frames a second ({each})")
        open_dashboard(other, deployed.url)
        page.bring_to_front()
        for name, values in clicks(page, other, rounds).items():
            print(f"click to {name:<10} median {statistics.median(values):6.1f} ms, slowest {max(values):6.1f} ms")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, deployment(Path(folder)) as deployed:
        measure(deployed, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
