"""
Installs locked requirements into the environment of the Python that runs it: `packages.py FILE FOLDER…`.

uv does it, in a tenth of pip's processor time, and pip where uv cannot be had or does not manage: each takes a package
only by the hash that is locked. uv reads nothing of pip's configuration: it is told the index and the certificates, and
whoever told pip more than it can be told has pip.

Afterwards what the sources in FOLDER… import is compiled once, by importing it; the rest of each package, most of it,
is compiled when somebody imports it. Standard library only: it is what runs before anything is installed.
"""

import ast
import compileall
import os
import re
import subprocess
import sys
from pathlib import Path

UV = "requirements-install.txt"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
EXACTLY = ("install", "--quiet", "--require-hashes")
TOLD = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}
"""Of pip's settings, what uv is told and by which variable."""
NEEDLESS = frozenset(
    {"constraint", "default-timeout", "disable-pip-version-check", "extra-index-url", "find-links", "no-input", "quiet"}
    | {"progress-bar", "require-virtualenv", "retries", "root-user-action", "timeout", "cache-dir", "no-cache-dir"}
)
"""What uv may do without: how pip speaks and waits, and more places for what one index has by the same hash."""
SCOPES = ("global", "install", ":env:")
"""Whose word counts, the last most."""
IMPORT = re.compile(r"^\s*(?:from|import) ([A-Za-z_][\w.]*)", re.MULTILINE)


def told_to_uv(listed: str) -> dict[str, str] | None:
    """The variables that say to uv what `pip config list` says in *listed*; None = that cannot be said to uv."""
    settings: dict[str, str] = {}
    for scope in SCOPES:
        for line in listed.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(f"{scope}."):
                settings[key.removeprefix(f"{scope}.")] = str(ast.literal_eval(value))
    if settings.keys() - TOLD.keys() - NEEDLESS:
        return None
    return {variable: settings[name] for name, variable in TOLD.items() if name in settings}


def install(locked: str) -> int:
    """Install what the file *locked* names; the exit status."""
    uv = Path(sys.executable).with_name("uv")
    told = told_to_uv(_said(*PIP, "config", "list"))
    if told is not None and (uv.exists() or _works(*PIP, *EXACTLY, "--no-compile", "-r", UV)):
        command = (str(uv), "pip", *EXACTLY, "--python", sys.executable, "-r", locked)
        # said by nobody: where uv does not manage, pip does, or says why not
        if _works(*command, **told):
            return 0
    return subprocess.run([*PIP, *EXACTLY, "--no-compile", "-r", locked], check=False).returncode


def compile_what_is_imported(folders: list[str]) -> None:
    """Import what the sources in *folders* import of other people, in a process of its own, and compile ours."""
    sources = [path for folder in folders for path in sorted(Path(folder).rglob("*.py"))]
    named = {name for path in sources for name in IMPORT.findall(path.read_text("utf-8"))}
    ours = {path.stem for path in Path().iterdir()}
    others = sorted(name for name in named if name.partition(".")[0] not in ours | sys.stdlib_module_names)
    _works(sys.executable, "-W", "ignore", "-c", IMPORTS_ALL, *others)
    for folder in folders:
        compileall.compile_dir(folder, rx=SERVED, quiet=2)


SERVED = re.compile(r"/assets/")
"""What the web serves as it lies there: nothing may lie beside it."""
IMPORTS_ALL = """
import contextlib, importlib, sys
for name in sys.argv[1:]:
    with contextlib.suppress(BaseException):
        importlib.import_module(name)
"""


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _works(*command: str, **variables: str) -> bool:
    environment = {**os.environ, **variables}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def main() -> int:
    """Install the file named first and compile for the folders named after it."""
    locked, *folders = sys.argv[1:]
    if status := install(locked):
        return status
    compile_what_is_imported(folders)
    return 0


if __name__ == "__main__":
    sys.exit(main())
