"""
Secrets handed over as files, as containers do: NAME_FILE names a file whose content is NAME.

Only for the settings that hold secrets. A file that cannot be read stops the process, and so does a secret given twice.
"""

from collections.abc import Mapping
from pathlib import Path

from lib.domain.errors import Halt

MOST_BYTES = 65_536


def with_secret_files(source: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """*source* with what its files for *names* say. *Halt* names the setting, never what is in the file."""
    found = dict(source)
    for name in names:
        if not (file := source.get(f"{name}_FILE", "").strip()):
            continue
        if source.get(name, "").strip():
            raise Halt(f"{name} and {name}_FILE are both set: keep one")
        found[name] = _content(name, Path(file))
    return found


def _content(name: str, file: Path) -> str:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except OSError as trouble:
        # not the name: somebody may have put the secret itself there
        raise Halt(f"{name}_FILE names a file that cannot be read: {trouble.strerror}") from None
    if len(raw) > MOST_BYTES:
        raise Halt(f"{name}_FILE names a file that is too long for a secret")
    try:
        return raw.decode().strip()
    except UnicodeDecodeError:
        raise Halt(f"{name}_FILE names a file that is not text") from None
