"""
RSS and Atom over HTTP: a source is asked for one bounded document, which feedparser reads without touching a network.

At most `MOST_BYTES` as they arrive, uncompressed, within `MOST_S` altogether, at most three redirects. A document that
declares entities is refused unread. What has no date is not shown: nobody could tell whether it is of before T.
"""

import calendar
import io
import ipaddress
import time
from collections.abc import Iterator, Sequence

import feedparser
import httpx2

from lib.adapters.news.outward import OutwardOnly, place_of
from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.domain.model_profile import is_outer
from lib.domain.news import Headline, headline
from lib.ports.news import NewsSources

MOST_BYTES = 500_000
MOST_S = 15.0
MOST_ENTRIES = 200
MOST_REDIRECTS = 3
_PATIENCE = httpx2.Timeout(5.0)
_ASKS = {
    "User-Agent": "maemae",
    "Accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9",
    "Accept-Encoding": "identity",
}


class FeedSources(NewsSources):
    """The sources at *addresses* (http or https URLs)."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._urls = {address: httpx2.URL(address) for address in addresses}
        inner = frozenset(place_of(url) for url in self._urls.values() if _is_inner(url.host))
        self._client = httpx2.Client(
            transport=OutwardOnly(inner),
            headers=_ASKS,
            timeout=_PATIENCE,
            follow_redirects=True,
            max_redirects=MOST_REDIRECTS,
            trust_env=False,
        )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._urls)

    def read(self, name: str) -> list[Headline]:
        url = self._urls[name]
        return headlines_of(self._document(url), url.host)

    def _document(self, url: httpx2.URL) -> tuple[bytes, str]:
        try:
            with self._client.stream("GET", url) as reply:
                if reply.status_code != httpx2.codes.OK:
                    raise Retry(codes.NEWS_UNREAD(problem=f"it answers {reply.status_code}"))
                if reply.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
                    raise Retry(codes.NEWS_UNREAD(problem="its answer is packed"))
                return b"".join(_bounded(reply)), reply.headers.get("content-type", "")
        except httpx2.HTTPError as trouble:
            raise Retry(codes.NEWS_UNREAD(problem=f"{type(trouble).__name__}")) from None


def _bounded(reply: httpx2.Response) -> Iterator[bytes]:
    left, ends = MOST_BYTES, time.monotonic() + MOST_S
    for part in reply.iter_raw():
        left -= len(part)
        if left < 0:
            raise Retry(codes.NEWS_UNREAD(problem=f"more than {MOST_BYTES} bytes"))
        if time.monotonic() > ends:
            raise Retry(codes.NEWS_UNREAD(problem=f"slower than {MOST_S:.0f} s"))
        yield part


def _is_inner(host: str) -> bool:
    try:
        return not is_outer(ipaddress.ip_address(host))
    except ValueError:
        return host == "localhost"


def headlines_of(document: tuple[bytes, str], source: str) -> list[Headline]:
    """The dated entries of *document* (its bytes and its media type) as they may be kept; *Retry* for no feed."""
    raw, media = document
    if b"<!ENTITY" in raw.replace(b"\x00", b"").upper():
        raise Retry(codes.NEWS_UNREAD(problem="it declares entities"))
    try:
        read = feedparser.parse(io.BytesIO(raw), response_headers={"content-type": media})
    except Exception as trouble:  # noqa: BLE001 whatever a hostile document does to the parser is the document's fault
        raise Retry(codes.NEWS_UNREAD(problem=f"no feed: {type(trouble).__name__}")) from None
    if not read.get("version"):
        raise Retry(codes.NEWS_UNREAD(problem="no feed"))
    dated = (_headline(entry, source) for entry in read.entries[:MOST_ENTRIES])
    return [one for one in dated if one is not None]


def _headline(entry: feedparser.FeedParserDict, source: str) -> Headline | None:
    # asked by `in`: reading one that is missing warns
    moments = (entry[key] for key in ("published_parsed", "updated_parsed") if key in entry)
    moment = next((one for one in moments if one is not None), None)
    title = entry.get("title")
    if moment is None or not isinstance(title, str):
        return None
    try:
        return headline(calendar.timegm(moment) * 1000, source, title)
    except (ValueError, OverflowError):  # a year no calendar knows
        return None
