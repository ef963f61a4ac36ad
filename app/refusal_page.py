"""
A refusal as a page, for whoever opened an address in a browser and would be shown raw JSON.

The same key and the same words as everywhere; no script, no file of ours, so that it can be shown to anybody who may
have nothing else.
"""

from collections.abc import Mapping
from html import escape

from app.i18n import catalogue, preferred
from app.visit import Headers, header
from lib.domain.filled import filled

_PAGE = """<!DOCTYPE html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Maemae 매매</title><style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-content: center; padding: 1.5rem; box-sizing: border-box;
  font: 1.05rem/1.7 "Noto Sans KR", "Apple SD Gothic Neo", sans-serif; word-break: keep-all;
  background: light-dark(#fff, #0b0e11); color: light-dark(#1e2329, #eaecef); }}
p {{ margin: 0; max-width: 34rem; }}
</style></head><body><p>{words}</p></body></html>
"""


def wants_page(method: str, path: str, headers: Headers) -> bool:
    """Whether this is somebody who opened an address, and no program and no script of a page."""
    opened = method == "GET" and not path.startswith("/api/")
    return opened and "text/html" in header(headers, b"accept")


def refusal_page(key: str, params: Mapping[str, int], headers: Headers) -> bytes:
    """The page that says *key*, in the language the browser asks for."""
    language = preferred(header(headers, b"accept-language").partition(",")[0].strip() or None)
    words = filled(catalogue(language).get(key, key), params)
    return _PAGE.format(lang=language, words=escape(words)).encode()
