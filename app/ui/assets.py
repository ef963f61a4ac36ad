"""
Static files of ours by address: content-versioned, so a browser never runs yesterday's module after a release.

A components-v2 module arrives as a blob and is sent again with every message, so it is a stub that imports the real
one from our own origin once. Modules that import each other live in a folder, whose version is part of their path: what
they import from beside them has it too.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).resolve().parents[1] / "assets"
PATH = "/assets"
"""Where the server mounts FOLDER."""
FOLDERS = ("chart", "live")

_STUB = """
const arrived = import(new URL("{url}", window.location.origin).href);
export default function (args) {{
  let leave, gone = false;
  arrived.then((module) => {{ if (!gone) leave = module.default(args); }});
  return () => {{ gone = true; leave?.(); }};
}}
"""


@cache
def address(name: str) -> str:
    """The versioned address of the file *name*."""
    digest = sha256((FOLDER / name).read_bytes()).hexdigest()
    return f"{PATH}/{name}?v={digest[:10]}"


@cache
def folder_address(name: str) -> str:
    """The versioned address of the folder *name* of FOLDERS."""
    digest = sha256(b"".join(path.read_bytes() for path in sorted((FOLDER / name).iterdir()))).hexdigest()
    return f"{PATH}/{name}-{digest[:10]}"


def folder_files(name: str) -> tuple[str, ...]:
    """The versioned address of every file in the folder *name* of FOLDERS."""
    return tuple(f"{folder_address(name)}/{path.name}" for path in sorted((FOLDER / name).iterdir()))


def component(name: str, css: str = "", folder: str = "") -> Any:
    """The mount call of the browser module `<name>.mjs`. Streamlit gives it no type worth repeating."""
    url = f"{folder_address(folder)}/{name}.mjs" if folder else address(f"{name}.mjs")
    return st.components.v2.component(f"maemae_{name}", js=_STUB.format(url=url), css=css or None)
