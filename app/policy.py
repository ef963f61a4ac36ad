"""
The response headers of every answer, errors included.

Scripts run from our own origin, from Streamlit's component blobs, and the inline ones of its index page by their hash,
computed from the installed file at start-up; no eval. Nobody frames us, no referrer leaves, nothing is sniffed.
"""

import base64
import hashlib
import re
from pathlib import Path

import streamlit

_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")
_YEAR_S = 31_536_000
_DAY_S = 86_400
_CACHED = ("/static/", "/assets/")
_VERSIONED = re.compile(r"/assets/[a-z]+-[0-9a-f]{10}/")
"""A folder whose version is part of the path."""

ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)


def inline_hashes(index: Path | None = None) -> tuple[str, ...]:
    """CSP sources of the inline scripts in Streamlit's index page."""
    path = index or Path(streamlit.__file__).parent / "static" / "index.html"
    scripts = _INLINE.findall(path.read_text(encoding="utf-8"))
    return tuple(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)


def content_policy(hashes: tuple[str, ...], host: str) -> str:
    """The Content-Security-Policy for pages asked of *host* (as the request says; anything odd is left out)."""
    # 'self' does not cover WebSockets in every browser
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' blob: {' '.join(hashes)}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src 'self'{sockets}",
            "worker-src 'self' blob:",
            "media-src 'self' blob:",
            "object-src 'none'",
            "frame-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        )
    )


def answer_headers(path: str, query: bytes, *, https: bool, policy: str) -> list[tuple[bytes, bytes]]:
    """Ours for an answer to *path*; they replace whatever was there by those names."""
    headers = [*ALWAYS, (b"content-security-policy", policy.encode("ascii"))]
    if https:
        headers.append((b"strict-transport-security", f"max-age={_YEAR_S}".encode()))
    if (path.startswith("/assets/") and query.startswith(b"v=")) or _VERSIONED.match(path):
        headers.append((b"cache-control", f"public, max-age={_YEAR_S}, immutable".encode()))
    elif path == "/favicon.png":
        headers.append((b"cache-control", f"public, max-age={_DAY_S}".encode()))
    elif not path.startswith(_CACHED):
        headers.append((b"cache-control", b"no-store"))
    return headers
