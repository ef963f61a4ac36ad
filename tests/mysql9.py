"""
A real MySQL beside the system's MariaDB: Debian's `mysql-server-core` of its unstable suite, unpacked into a folder.

Nothing is installed. The packages, libc among them, are fetched by an apt of their own from the mirror this machine
already uses, unpacked under the user's cache, and started by the loader that came with them; the folder is kept between
runs. `python -m tests.mysql9` fetches it; where it cannot be had, `Unavailable` says why in one line. Standard library
only: `make servers` runs it before the virtual environment is complete.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGE = "mysql-server-core"
SUITE = "sid"
FETCH_S = 300
"""Seconds for one step of fetching."""


class Unavailable(Exception):
    """MySQL cannot be had on this machine, and why."""


def cache_folder() -> Path:
    """Where it is kept: under $XDG_CACHE_HOME, else ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "maemae" / "mysql"


def installed() -> Path:
    """The unpacked root, fetched on first use by one process while others wait; *Unavailable* when it cannot be."""
    cache = cache_folder()
    root = cache / "root"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _alone(cache / "lock"):
            if not (cache / "complete").exists():
                _fetch(cache, root)
                (cache / "complete").touch()
    except OSError as problem:
        raise Unavailable(f"{cache} cannot be written ({type(problem).__name__})") from None
    return root


def server_command(root: Path) -> list[str]:
    """How mysqld is called: through its own loader, with its own libraries, reading no file of the system's."""
    libraries = _loader(root).parent
    paths = f"{libraries}:{libraries / 'mysql' / 'private'}:{root / 'usr/lib/mysql/private'}"
    return [
        *(str(_loader(root)), "--library-path", paths, str(root / "usr/sbin/mysqld"), "--no-defaults"),
        *(f"--basedir={root / 'usr'}", f"--lc-messages-dir={root / 'usr/share/mysql'}"),
        *(f"--plugin-dir={root / 'usr/lib/mysql/plugin'}", f"--character-sets-dir={root / 'usr/share/mysql/charsets'}"),
        *("--secure-file-priv=NULL", "--mysqlx=OFF"),
    ]


def _loader(root: Path) -> Path:
    found = sorted((root / "usr/lib").glob("*/ld-linux*.so.*"))
    if not found:
        raise Unavailable("the fetched packages hold no loader")
    return found[0]


def _fetch(cache: Path, root: Path) -> None:
    for tool in ("apt-get", "apt-cache", "dpkg"):
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is missing: only Debian and its kin have this MySQL")
    shutil.rmtree(root, ignore_errors=True)
    apt = _private_apt(cache / "apt")
    _run(["apt-get", *apt, "update", "-qq", "--error-on=any"], cache)
    packages = cache / "packages"
    shutil.rmtree(packages, ignore_errors=True)
    packages.mkdir()
    _run(["apt-get", *apt, "download", "-qq", *_needed(apt, cache)], packages)
    for package in sorted(packages.glob("*.deb")):
        _run(["dpkg", "-x", str(package), str(root)], cache)
    shutil.rmtree(packages)


def _needed(apt: list[str], cache: Path) -> list[str]:
    plain = ["--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances"]
    listed = _run(["apt-cache", *apt, "depends", "--recurse", *plain, PACKAGE], cache)
    # dependencies are indented and virtual packages bracketed: a package of its own begins a line
    return sorted({name for name in re.findall(r"^([a-z0-9][a-z0-9.+-]*)$", listed, re.MULTILINE)})


def _private_apt(folder: Path) -> list[str]:
    """Options for an apt that shares only the machine's mirror, proxy and keys, and knows of no installed package."""
    for name in ("lists/partial", "cache/archives/partial", "state"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"deb [signed-by={_keyring()}] {_mirror()} {SUITE} main\n")
    options = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferences": "-",
        "Dir::Etc::preferencesparts": "-",
        "Dir::State": folder / "state",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "",
    }
    return [part for name, value in options.items() for part in ("-o", f"{name}={value}")]


def _mirror() -> str:
    """The address this machine's own apt has for Debian; its security archive has no unstable suite."""
    texts = [path.read_text(errors="replace") for path in _source_files()]
    addresses: list[str] = re.findall(r"^(?:URIs:\s*|deb\s+(?:\[[^\]]*\]\s*)?)(\S+)", "\n".join(texts), re.MULTILINE)
    for address in addresses:
        if address.rstrip("/").endswith("/debian"):
            return address
    raise Unavailable("this machine's apt has no Debian mirror")


def _source_files() -> list[Path]:
    etc = Path("/etc/apt")
    return [path for path in (etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))) if path.is_file()]


def _keyring() -> Path:
    keyring = next(iter(sorted(Path("/usr/share/keyrings").glob("debian-archive-keyring.*"))), None)
    if keyring is None:
        raise Unavailable("the keys of Debian's archive are not on this machine")
    return keyring


def _run(command: list[str], folder: Path) -> str:
    try:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True, timeout=FETCH_S
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as problem:
        said = str(problem.stderr or "").strip().splitlines()
        raise Unavailable(f"{' '.join(command[:1])}: {said[-1][:200] if said else type(problem).__name__}") from None
    return done.stdout


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Fetch it ahead of the tests; 1 where a run in CI needs it and cannot have it."""
    try:
        sys.stdout.write(f"MySQL for the tests: {installed()}\n")
    except Unavailable as why:
        sys.stderr.write(f"MYSQL WAS NOT TRIED: {why}\n")
        return 1 if os.environ.get("CI") == "true" else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
