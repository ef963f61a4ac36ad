"""
Brotli's packings, kept on disk under what they pack: seconds of a processor, paid once a machine and not at each start.

Nothing read is trusted: it is unpacked and compared with what it should hold, and packed again where it differs. Who
may not write there packs in memory as ever. What nobody read for a month goes.
"""

import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import brotli

from lib.clock import SystemClock

KEPT_MS = 30 * 86_400_000
"""How long after its last reader a packing stays."""


def packed(body: bytes, folder: Path) -> bytes:
    """*body* as small as Brotli makes it, kept in *folder*."""
    path = folder / f"{sha256(body).hexdigest()}.br"
    if (found := _read(path, body)) is not None:
        return found
    made = bytes(brotli.compress(body))
    with suppress(OSError):
        _write(path, made)
        _drop_older(folder)
    return made


def _read(path: Path, body: bytes) -> bytes | None:
    """What *path* holds, if that is *body* packed."""
    try:
        found = path.read_bytes()
        if brotli.decompress(found) != body:
            return None
    except (OSError, brotli.error):
        return None
    with suppress(OSError):
        path.touch()
    return found


def _write(path: Path, made: bytes) -> None:
    """Whole or not at all, whoever else writes the same now."""
    for each in (path.parent.parent, path.parent):
        each.mkdir(mode=0o700, exist_ok=True)  # the outer one may be where `make run` will keep its secrets
    part = path.with_suffix(f".{secrets.token_hex(8)}")
    try:
        part.write_bytes(made)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _drop_older(folder: Path) -> None:
    oldest_ms = SystemClock().now_ms() - KEPT_MS
    for path in folder.iterdir():
        if path.stat().st_mtime * 1000 < oldest_ms:
            path.unlink(missing_ok=True)
