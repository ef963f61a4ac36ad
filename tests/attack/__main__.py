"""
`make attack`: every attack, one after another, by what it is after; a line each, exit status 1 if one succeeded.

    python -m tests.attack [NAME…]      all of them, or those named

Most are tests that live with what they attack, and run with every change; here they are gathered, so that one command
says how the doors hold. What meets a whole web is tried on SQLite, and again on a MariaDB of its own. TEST_EFFORT=
nightly tries ten times as many values.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers import private_mariadb

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Attacks:
    """Attacks of one kind: what they try, and the tests that do it."""

    tries: str
    tests: tuple[str, ...]
    again: tuple[str, ...] = ()
    """Those of a whole web, which are tried on MariaDB too; other tests that meet a database go through both anyway."""


TOLD_NOTHING = "test_the_server_is_told_nothing_of_what_its_starter_knows"
ALL: dict[str, Attacks] = {
    "floods": Attacks(
        "a flood at each door, idle and half-open sockets, slow readers: another person is answered",
        ("tests/floods", "tests/accounts/test_floods.py", "tests/web/test_traffic.py", "tests/web/test_doorkeeper.py",
         "tests/metrics/test_metrics_server.py"),
        again=("tests/floods",),
    ),
    "protocols": Attacks(
        "sockets that promise and do not say, frames without end, assistants at the wrong door",
        ("tests/web/test_protocols.py", "tests/web/test_mcp.py"),
    ),
    "fuzz": Attacks(
        "every route, field, header, cookie, path and method with what no honest client sends",
        ("tests/web/test_hostile_requests.py", "tests/market/test_hostile_candles.py",
         "tests/adapters/test_hostile_completions.py", "tests/simulator/test_server.py"),
        again=("tests/web/test_hostile_requests.py",),
    ),
    "origins": Attacks(
        "pages of other sites, rebound names, invented proxies and addresses",
        ("tests/attack/test_origins.py", "tests/web/test_hosts.py", "tests/web/test_security.py",
         "tests/web/test_watching.py"),
        again=("tests/attack/test_origins.py",),
    ),
    "takeover": Attacks(
        "sessions planted, stolen, kept after sign-out or a new password; guesses; tokens of programs",
        ("tests/attack/test_takeover.py", "tests/web/test_people.py", "tests/web/test_second_factor.py",
         "tests/web/test_passkeys.py", "tests/web/test_resets.py", "tests/web/test_api_tokens.py"),
    ),
    "spellings": Attacks(
        "one address written in many ways, names that only look alike",
        ("tests/attack/test_spellings.py", "tests/domain/test_spelling.py"),
    ),
    "seals": Attacks(
        "sealed keys moved to another row, account or person, changed, replaced by junk",
        ("tests/attack/test_seals.py", "tests/adapters/test_vault.py"),
    ),
    "strangers": Attacks(
        "another person's rows by every route and page, with canaries in each",
        ("tests/web/test_two_people.py", "tests/pages/test_two_people.py", "tests/web/test_operators.py",
         "tests/adapters/test_queries.py"),
        # not again on MariaDB: canaries are numbers larger than its columns take
    ),
    "bot": Attacks(
        "strangers, crowds, forwarded codes and old messages at the Telegram bot",
        ("tests/accounts/test_chat.py", "tests/accounts/test_locked.py"),
    ),
    "canaries": Attacks(
        "secrets in logs, answers, files and process lists",
        ("tests/attack/test_canaries.py", "tests/adapters/test_log.py", "tests/adapters/test_private_files.py",
         "tests/web/test_live_accounts.py", "tests/web/test_plain.py", "tests/test_process_table.py",
         "tests/test_starting_checks.py", f"tests/adapters/test_embedded_redis.py::{TOLD_NOTHING}"),
    ),
    "rights": Attacks(
        "a web that was taken over: what its database user may not write", ("tests/adapters/test_room_rights.py",)
    ),
}  # fmt: skip


def tried(name: str, tests: Sequence[str], server: str = "") -> bool:
    """Try the attacks *name* by *tests*, whole webs on *server*; whether all of them failed, as they should."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    env = os.environ | {"WHOLE_ON": server}
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = done.stdout.decode(errors="replace").rstrip()
    if done.returncode:
        print(said)
    word, last = ("BROKEN" if done.returncode else "held"), said.rpartition("\n")[2].strip("= ")
    tries = "the same of a whole web, on MariaDB" if server else ALL[name].tries
    print(f"{word:<7} {name:<10} {tries} · {last} · {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode == 0


def all_tried(names: Sequence[str]) -> bool:
    """Try the attacks *names*, one after another; whether all held."""
    held = [tried(name, ALL[name].tests) for name in names]
    if again := [name for name in names if ALL[name].again]:
        with private_mariadb("--max-connections=200") as server:
            held += [tried(name, ALL[name].again, server) for name in again]
    return all(held)


def main() -> int:
    """Try what is named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=(__doc__ or "").strip().split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ALL))
    names = parser.parse_args().names
    if strange := set(names) - set(ALL):
        parser.error(f"there is no attack {sorted(strange)[0]}: {', '.join(ALL)}")
    return int(not all_tried(names or tuple(ALL)))


if __name__ == "__main__":
    raise SystemExit(main())
