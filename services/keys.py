"""
The keys that seal exchange keys and lock second factors: make them, see who needs which, rotate them.

    python -m services.keys              print a fresh pair and a fresh WEB_SECRET; nothing is stored
    python -m services.keys standing     how many rows are under the keys in use; exit status 1 while one is not
    python -m services.keys rotate       seal every row that needs it anew; exit status 1 while one needs an old key
    python -m services.keys rotate --forget-old    with `make run`: also take the old pair out of var/secrets.json

ENCRYPTION_KEY opens: give it to the trader alone. ENCRYPTION_PUBLIC_KEY only seals: give it to the web, and WEB_SECRET,
which locks second factors. NOTIFIER_KEY opens addresses of channels: the notifier alone; NOTIFIER_PUBLIC_KEY goes to
the web. Lose the first and everybody must enter their exchange key again, lose the last and people
need their recovery codes. With DATABASE_URL the new keys come from the environment, where ENCRYPTION_KEYS_OLD and
WEB_SECRETS_OLD hold those of before (docs/runbooks/rotate-keys.md); with `make run`, which must be stopped, `rotate`
makes them itself.
"""

import argparse
import sys

from lib import bootstrap, log
from lib.bootstrap import Rotation
from lib.domain.errors import Halt
from services import local_secrets
from services.local import data_folder, deployment, is_local
from services.process import last_line


def main(words: list[str] | None = None) -> int:
    """Do what *words* (default: the command line) ask; the exit status."""
    parser = argparse.ArgumentParser(prog="keys", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    acts = parser.add_subparsers(dest="act")
    acts.add_parser("standing")
    acts.add_parser("rotate").add_argument("--forget-old", action="store_true")
    asked = parser.parse_args(words)
    if asked.act is None:
        return _print_fresh()
    log.setup("keys", "text", "CRITICAL")
    if asked.act == "standing":
        return _tell(bootstrap.standing(deployment()))
    return _rotate_here(forget=asked.forget_old) if is_local() else _tell(bootstrap.rotate(deployment()))


def _print_fresh() -> int:
    private, public = bootstrap.new_sealing_keys()
    sys.stdout.write(f"ENCRYPTION_KEY={private}\nENCRYPTION_PUBLIC_KEY={public}\n")
    sys.stdout.write(f"WEB_SECRET={bootstrap.new_web_secret()}\n")
    opens, seals = bootstrap.new_sealing_keys()
    sys.stdout.write(f"NOTIFIER_KEY={opens}\nNOTIFIER_PUBLIC_KEY={seals}\n")
    return 0


def _rotate_here(*, forget: bool) -> int:
    """As the others, of `make run`; a rotation that was cut off goes on with the pair it had made."""
    now = deployment()
    if bootstrap.trader_lives(now):
        raise Halt("`make run` is at work on this machine with the keys of before: stop it first")
    if not forget and not bootstrap.standing(now).waiting:
        local_secrets.renew(data_folder())
    done = bootstrap.rotate(deployment())
    status = _tell(done)
    if forget and done.is_done:
        local_secrets.forget_old(data_folder())
        sys.stdout.write("the old pair is out of var/secrets.json; backups made before need it\n")
    return status


def _tell(found: Rotation) -> int:
    sealed = f"{found.resealed} sealed anew, " if found.resealed else ""
    sys.stdout.write(f"{sealed}{found.fresh} under the keys in use, {found.waiting} still need an old one\n")
    for whose in found.unopened:
        sys.stdout.write(f"no key here opens {whose}\n")
    if found.is_done:
        old = " and ".join(local_secrets.ROTATED.values())
        sys.stdout.write(f"no row needs an old key: {old} can be taken away; backups made before still need them\n")
    return 0 if found.is_done else 1


if __name__ == "__main__":
    with last_line("keys"):
        sys.exit(main())
