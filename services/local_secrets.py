"""
The secrets of `make run`: made once, in a file of their owner's alone, rotated without a moment in which one is lost.

The file takes its new content whole or not at all; a pair that is rotated out stays in it until it is forgotten on
purpose.
"""

import json
import os
import secrets
from pathlib import Path

from lib import bootstrap
from lib.domain.errors import Halt

NAME = "secrets.json"
ROTATED = {"ENCRYPTION_KEY": "ENCRYPTION_KEYS_OLD", "WEB_SECRET": "WEB_SECRETS_OLD"}
"""A secret, and where those of before stand, comma-separated."""


def kept_secrets(data_dir: Path) -> dict[str, str]:
    """This installation's own secrets, made when there are none."""
    file = data_dir / NAME
    if not file.exists():
        own = {"INSTALLATION": secrets.token_hex(3), "SIMULATOR_TOKEN": secrets.token_urlsafe(24)}
        made = {**own, **_fresh(), **_notifiers()}
        _write(file, made)
        return made
    try:
        known = {str(name): str(value) for name, value in json.loads(file.read_text()).items()}
    except (ValueError, AttributeError):
        raise Halt(f"{file} is damaged: restore it, or move {data_dir} away to start afresh") from None
    of_older_releases = {"WEB_SECRET": _web_secret, "NOTIFIER_KEY": _notifiers}
    if missing := [make() for name, make in of_older_releases.items() if name not in known]:
        known = {name: value for made in (known, *missing) for name, value in made.items()}
        _write(file, known)
    return known


def renew(data_dir: Path) -> None:
    """A fresh pair and web secret come into use; those of before stay, to open what is still sealed for them."""
    known, fresh = kept_secrets(data_dir), _fresh()
    for name, old in ROTATED.items():
        fresh[old] = ",".join(filter(None, (known[name], known.get(old, ""))))
    _write(data_dir / NAME, known | fresh)


def forget_old(data_dir: Path) -> None:
    """Take those of before out of the file; the caller knows that no row needs them."""
    known = kept_secrets(data_dir)
    _write(data_dir / NAME, {name: value for name, value in known.items() if name not in ROTATED.values()})


def _fresh() -> dict[str, str]:
    private, public = bootstrap.new_sealing_keys()
    return {
        "ENCRYPTION_KEY": private,
        "ENCRYPTION_PUBLIC_KEY": public,
        "WEB_SECRET": bootstrap.new_web_secret(),
    }


def _web_secret() -> dict[str, str]:
    return {"WEB_SECRET": bootstrap.new_web_secret()}


def _notifiers() -> dict[str, str]:
    opens, seals = bootstrap.new_sealing_keys()
    return {"NOTIFIER_KEY": opens, "NOTIFIER_PUBLIC_KEY": seals}


def _write(file: Path, content: dict[str, str]) -> None:
    beside = file.with_name(f"{file.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(content, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    beside.rename(file)
