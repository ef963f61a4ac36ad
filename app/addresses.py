"""
Which addresses there are: our pages, the design's names for them, files. Whatever else is asked for is a real 404.

Streamlit answers every unknown address with its own page and 200, and that page names its scripts relatively: under an
address of two parts it stays blank for ever. So the page is answered here, with absolute addresses and the reader's
language in its `lang`, and an answer of Streamlit's that is a page nevertheless means that there is nothing.
"""

import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path

import streamlit
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from app.i18n import LANGUAGES, catalogue, preferred
from app.index_page import page_in
from app.navigation import ADDRESSES, HOME, OPERATORS
from app.security import App, Message, Receive, Scope, Send
from app.threads import in_thread
from app.ui.assets import address
from app.visit import LANGUAGE_COOKIE, header, query_value, visit_of
from lib.accounts.web import SessionUser
from lib.domain.errors import Retry

ROOM = OPERATORS.address
"""The operators' page; for everybody else nothing is there."""
RECORD = "/record"
"""A page of ours that is no page of Streamlit's: a record that its owner shows."""
PAST = "/past"
"""As `RECORD`, for a backtest."""
ELSEWHERE: Mapping[str, str] = {
    "/auth/login": HOME,
    "/auth/register": "/?door=register",
    "/dashboard": HOME,
    "/dashboard/api-key": "/api_keys",
    "/dashboard/settings": "/settings",
    "/dashboard/logs": "/trade_logs",
}
"""The design's addresses and where these pages are."""
ICON = "/favicon.png"
"""What Streamlit's front end shows until a page has said its own."""
SYMBOLS = "/static/media/MaterialSymbols-Rounded."
"""Streamlit's font of 4,000 icons; ours has those that are drawn somewhere."""
INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
IsOperator = Callable[[SessionUser], bool]


def nobody(user: SessionUser) -> bool:
    """Where there is no operators' room."""
    return False


class Addresses:
    """Pure ASGI around *app*, inside the security layer; *index* is Streamlit's own page."""

    def __init__(self, app: App, is_operator: IsOperator = nobody, index: Path = INDEX) -> None:
        self._app = app
        self._is_operator = is_operator
        text = index.read_text(encoding="utf-8")
        self._pages = {
            (one, known): page_in(one, text, signed_in=known) for one in LANGUAGES for known in (False, True)
        }

    @property
    def files(self) -> list[str]:
        """The addresses our pages name."""
        return [one for page in self._pages.values() for one in re.findall(r'(?:href|src)="([^"]+)"', page)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
        elif (target := ELSEWHERE.get(scope["path"])) is not None:
            await RedirectResponse(_with_query(target, scope))(scope, receive, send)
        elif scope["path"] in (RECORD, PAST):
            await self._app(scope, receive, send)
        elif scope["path"] == ICON:
            await RedirectResponse(address("favicon.svg"), 308)(scope, receive, send)
        elif scope["path"].startswith(SYMBOLS):
            await RedirectResponse(address("fonts/icons.woff2"))(scope, receive, send)
        elif scope["path"] in ADDRESSES or await self._is_for_them(scope):
            # an answer of its own for each: the middleware changes the headers of the one it is given
            page = HTMLResponse(self._pages[reader_language(scope), visit_of(scope).user is not None])
            await GZipMiddleware(page)(scope, receive, send)
        else:
            await self._app(scope, receive, _NoPage(scope, receive, send))

    async def _is_for_them(self, scope: Scope) -> bool:
        """Whether *scope* asks for the operators' page and its visitor is one."""
        user = visit_of(scope).user
        if scope["path"] != ROOM or user is None:
            return False
        try:
            return await in_thread(self._is_operator, user)
        except Retry:
            return False


class _NoPage:
    """A `send` that answers 404 where Streamlit would answer an unknown address with its page, or in English."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._replaced = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._replaced = _is_nothing(message)
            if self._replaced:
                await missing(self._scope)(self._scope, self._receive, self._send)
        if not self._replaced:
            await self._send(message)


def _is_nothing(start: Message) -> bool:
    kind = header(start.get("headers", ()), b"content-type")
    return kind.startswith("text/html") or (start["status"] == 404 and kind.startswith("text/plain"))


def missing(scope: Scope) -> Response:
    """The 404 of *scope*, in its reader's language."""
    words = catalogue(reader_language(scope))
    if "text/html" not in header(scope["headers"], b"accept"):
        return PlainTextResponse(words["missing.title"], 404)
    return HTMLResponse(
        _MISSING.format(
            lang=reader_language(scope), icon=address("favicon.svg"), fonts=address("fonts/fonts.css"), **_shown(words)
        ),
        404,
    )


def _shown(words: Mapping[str, str]) -> dict[str, str]:
    return {name: escape(words[f"missing.{name}"]) for name in ("title", "note", "home")}


_MISSING = """<!DOCTYPE html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Maemae</title><link rel="icon" href="{icon}"><link rel="stylesheet" href="{fonts}"><style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-content: center; gap: .6rem; padding: 1.5rem;
  box-sizing: border-box; font: 15px/1.6 "Maemae Sans", "Noto Sans KR", "Apple SD Gothic Neo", sans-serif;
  word-break: keep-all; background: light-dark(#fff, #0b0e11); color: light-dark(#1e2329, #eaecef); }}
h1 {{ font-size: 1.5rem; margin: 0; }} p {{ margin: 0; opacity: .75; }} a {{ color: light-dark(#8a6400, #f0b90b); }}
</style></head><body><h1>{title}</h1><p>{note}</p><p><a href="/">{home}</a></p></body></html>
"""


def reader_language(scope: Scope) -> str:
    """The account's language; of who has none of their own the one in the address, else chosen before, else asked."""
    user = visit_of(scope).user
    is_visitor = user is not None and user.read_only and user.scopes is None  # a program that reads is its person's
    if user is not None and not is_visitor and user.locale in LANGUAGES:
        return user.locale
    headers = scope["headers"]
    cookie = re.search(rf"(?:^|;\s*){LANGUAGE_COOKIE}=(\w+)", header(headers, b"cookie"))
    named = (query_value(scope, "lang"), cookie[1] if cookie else "")
    asked = re.match(r"[A-Za-z]{2,3}", header(headers, b"accept-language").strip())
    return next((one for one in named if one in LANGUAGES), None) or preferred(asked[0] if asked else None)


def _with_query(target: str, scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return target + ("&" if "?" in target else "?") + query if query else target
