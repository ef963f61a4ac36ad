"""
What one page of a watched browser costs: every answer with its bytes on the wire, and what moved while it was drawn.

Bytes are Chromium's own count of an answer, headers and body as they travelled; an answer of its cache weighs nothing.
A WebSocket's frames are counted apart, as text and before any packing. Shift is the layout instability that browsers
report: the sum of all shifts nobody caused by a click or a key.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

WATCH_SHIFTS = """
window.__shifts = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    if (one.hadRecentInput) continue;
    const place = (rect) => [rect.x, rect.y, rect.width, rect.height].map(Math.round).join(",");
    const name = ({ node }) => node ? `${node.nodeName}.${node.className ?? ""}#${node.dataset?.testid ?? ""}` : "gone";
    const moved = one.sources.map((s) => `${name(s)} ${place(s.previousRect)} to ${place(s.currentRect)}`);
    window.__shifts.push({ value: one.value, at: one.startTime, moved });
  }
}).observe({ type: "layout-shift", buffered: true });
"""


@dataclass(slots=True)
class Answer:
    """One answer the page waited for."""

    url: str
    packing: str = ""
    size: int = 0
    """Bytes on the wire; 0 = out of the browser's cache."""

    @property
    def path(self) -> str:
        """Its address without host and query."""
        return urlsplit(self.url).path


@dataclass
class Weighed:
    """What *page* was sent since this was made."""

    page: Page
    socket_bytes: int = 0
    _answers: dict[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._wire = wire = self.page.context.new_cdp_session(self.page)
        self.page.add_init_script(WATCH_SHIFTS)
        wire.on("Network.responseReceived", self._begun)
        wire.on("Network.requestServedFromCache", self._cached)
        wire.on("Network.loadingFinished", self._ended)
        wire.on("Network.webSocketFrameReceived", self._frame)
        wire.send("Network.enable")

    def slow_down(self, mbit: float, round_trip_ms: float) -> None:
        """Have the page's line be no better than this, both ways."""
        rate = mbit * 1_000_000 / 8
        condition = {"offline": False, "latency": round_trip_ms, "downloadThroughput": rate, "uploadThroughput": rate}
        self._wire.send("Network.emulateNetworkConditions", condition)

    def _begun(self, event: dict[str, Any]) -> None:
        answer = event["response"]
        if answer["url"].startswith("http"):
            headers = {name.lower(): value for name, value in answer["headers"].items()}
            self._answers[event["requestId"]] = Answer(answer["url"], headers.get("content-encoding", ""))

    def _cached(self, event: dict[str, Any]) -> None:
        self._answers.pop(event["requestId"], None)

    def _ended(self, event: dict[str, Any]) -> None:
        if (answer := self._answers.get(event["requestId"])) is not None:
            answer.size = int(event["encodedDataLength"])

    def _frame(self, event: dict[str, Any]) -> None:
        self.socket_bytes += len(event["response"]["payloadData"])

    @property
    def sent(self) -> list[Answer]:
        """What travelled."""
        return [one for one in self._answers.values() if one.size]

    @property
    def total(self) -> int:
        """Bytes of all answers on the wire."""
        return sum(one.size for one in self.sent)

    def shifts(self) -> list[dict[str, Any]]:
        """What moved in the page as it stands, each with its share and what moved."""
        found: list[dict[str, Any]] = self.page.evaluate("window.__shifts")
        return found

    def shift(self) -> float:
        """The sum of them."""
        return sum(float(one["value"]) for one in self.shifts())
