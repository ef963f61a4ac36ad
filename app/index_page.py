"""
The page every address of ours is answered with: Streamlit's own, told at once what it would learn only later.

Its addresses are absolute, its language, title and icon ours. Fonts, the frame's rules and the theme
(app/assets/early.js) are there before the first script runs, so that the first thing drawn stands where the last one
will, and what a dashboard needs besides is fetched while somebody reads the front door. Nothing here is about anybody.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit
from streamlit import config

from app.i18n import catalogue
from app.ui.assets import address, folder_files
from app.ui.style import PAGE

RENAMED = {"font": "bodyFont"}
"""What Streamlit's front end calls a theme option where it has a word of its own."""
_FONTS = {"ko": ("latin", "korean"), "en": ("latin",)}
_MODULES = ("countdown.mjs", "leave.mjs")
_CHART = "/assets/lightweight-charts-5.2.1.mjs?v=5.2.1"
"""As app/assets/chart names it."""
_CHUNKS = ("moment", "numbro", "Slider", "TextArea", "Button", "PageLink", "sprintfjs", "formatNumber")
"""Parts of Streamlit's front end that a dashboard asks for and a front door does not, as far as they are there."""
_STATIC = Path(streamlit.__file__).parent / "static" / "static"
_SCRIPTS, _MEDIA = _STATIC / "js", _STATIC / "media"


def page_in(language: str, index: str, *, signed_in: bool = False) -> str:
    """Streamlit's page *index* in *language*; who is signed in needs a dashboard's scripts now, others soon."""
    page = index.replace('<html lang="en">', f'<html lang="{language}">').replace('"./', '"/')
    page = re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL)
    page = re.sub(r"<title>.*?</title>", "<title>Maemae 매매</title>", page)
    page = re.sub(r'<link\s+rel="preload"[^>]*SourceSans[^>]*>', "", page)
    page = page.replace('href="/favicon.png"', f'href="{address("favicon.svg")}"')
    page = re.sub(
        r"(?s)<noscript>.*?</noscript>", f"<noscript><p>{catalogue(language)['missing.script']}</p></noscript>", page
    )
    # first, for scripts run in their order; the rules last, for of two that are equal the later one counts
    page = page.replace("<title>", f"{''.join(_early(language))}<title>", 1)
    last = f'<link rel="stylesheet" href="{address("fonts/fonts.css")}">{"".join(_dashboard(signed_in))}'
    return page.replace("</head>", f"{last}</head>").replace("</body>", f"{PAGE}</body>")


def _early(language: str) -> Iterable[str]:
    yield f'<meta name="maemae" content="{escape(json.dumps(themes(), ensure_ascii=False))}">'
    yield f'<script src="{address("early.js")}"></script>'
    # the icons by the address that Streamlit's rules ask for, which leads to ours: another would be fetched in vain
    icons = (f"/static/media/{name}" for name in _named(_MEDIA, "MaterialSymbols-Rounded.*.woff2"))
    for one in (*(address(f"fonts/{name}.woff2") for name in _FONTS[language]), *icons):
        yield f'<link rel="preload" as="font" type="font/woff2" crossorigin href="{one}">'


def _dashboard(signed_in: bool) -> Iterable[str]:
    rel = "modulepreload" if signed_in else "prefetch"
    chunks = [f"/static/js/{name}" for chunk in _CHUNKS for name in _named(_SCRIPTS, f"{chunk}.*.js")]
    for one in (*folder_files("chart"), *folder_files("live"), *map(address, _MODULES), _CHART, *chunks):
        yield f'<link rel="{rel}" crossorigin href="{one}">'


@cache
def _named(folder: Path, pattern: str) -> tuple[str, ...]:
    """What Streamlit brings of these files: as long as a process runs, the same."""
    return tuple(sorted(path.name for path in folder.glob(pattern)))


def themes() -> dict[str, dict[str, Any]]:
    """The light and the dark theme of the configuration, as Streamlit's front end reads one."""
    return {
        kind: {**_theme("theme"), **_theme(f"theme.{kind}"), "sidebar": _sidebar(kind)} for kind in ("light", "dark")
    }


def _sidebar(kind: str) -> dict[str, Any]:
    return _theme("theme.sidebar") | _theme(f"theme.{kind}.sidebar")


def _theme(section: str) -> dict[str, Any]:
    options: Mapping[str, Any] = config.get_options_for_section(section)
    return {RENAMED.get(name, name): value for name, value in options.items() if value is not None and name != "base"}
