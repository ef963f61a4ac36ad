"""
The supervisor, wired: which processes, what each is told, where its figures and its state are shown.

Its state stands in a file under DATA_DIR for as long as it lives, for the web beside it (`/readyz`). A full disk costs
that file and nothing else.
"""

import json
import os
import shlex
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from lib import log
from lib.adapters.redis.embedded import EmbeddedRedis
from lib.bootstrap.local import KeptRedis, embedded_redis
from lib.domain.errors import Halt
from lib.metrics import catalogue as m
from lib.ports.metrics import Metrics, Sample
from lib.process_table import ENDING, PROCESSES, narrowed
from lib.supervision import child, lifeline
from lib.supervision.lasting import LastingThread
from lib.supervision.screen import Screen
from lib.supervision.supervisor import Post, Supervisor

REDIS = "redis"
STATE = "supervisor.json"
_log = log.get("supervisor")


def read_procfile(file: Path) -> dict[str, list[str]]:
    """The command of each process *file* names, in its order; *Halt* for one that is not of ours."""
    said = (line.partition(":") for line in file.read_text("utf-8").splitlines() if line.strip() and line[0] != "#")
    commands = {name.strip(): shlex.split(command) for name, _, command in said}
    if unknown := [name for name, words in commands.items() if name not in PROCESSES or not words]:
        raise Halt(f"{file.name} names {unknown[0]!r}: the processes there are stand in lib/process_table.py")
    return {name: [sys.executable, *words[1:]] if words[0] == "python" else words for name, words in commands.items()}


def supervisor(
    commands: Mapping[str, list[str]],
    env: Mapping[str, str],
    screen: Screen,
    metrics: Metrics | None,
    redis: EmbeddedRedis | None = None,
) -> Supervisor:
    """Keeps *commands*, each with its part of *env*, and the embedded *redis* where there is one."""
    read_end, _ = os.pipe()  # the other end stays open until this process is no more
    posts = [
        Post(name, _starter(name, words, env, read_end, screen), PROCESSES[name].end_s)
        for name, words in commands.items()
    ]
    if redis is not None:
        posts.insert(0, Post(REDIS, _redis_starter(redis, Path(env["DATA_DIR"]) / REDIS)))
    made = Supervisor(posts, (*ENDING, REDIS), changed=lambda: _write(made, Path(env["DATA_DIR"]) / STATE))
    if metrics is not None:
        metrics.read_from("processes", lambda: post_samples(made))
    return made


def _starter(
    name: str, words: list[str], env: Mapping[str, str], read_end: int, screen: Screen
) -> Callable[[], Awaitable[child.Running]]:
    told = {**narrowed(name, env), lifeline.NAME: lifeline.told(read_end)}
    return partial(child.start, words, told, read_end, partial(screen.say, name))


def _redis_starter(first: EmbeddedRedis, folder: Path) -> Callable[[], Awaitable[child.Running]]:
    at_hand, thread = [first], LastingThread("redis-start")

    async def start() -> child.Running:
        # it reads what it kept first, which may take many seconds: everybody else is kept meanwhile
        return KeptRedis(at_hand.pop() if at_hand else await thread.do(partial(embedded_redis, folder)))

    return start


def post_samples(kept: Supervisor) -> Iterator[Sample]:
    """Each process as it stands now."""
    for post in kept.posts:
        yield Sample(m.PROCESS_UP, bool(post.pid), (post.name,))
        yield Sample(m.PROCESS_LOOPS, post.is_looping(kept.rule), (post.name,))


def _write(kept: Supervisor, file: Path) -> None:
    state = {
        post.name: {"pid": post.pid, "restarts": post.restarts, "loops": post.is_looping(kept.rule)}
        for post in kept.posts
    }
    beside = file.with_suffix(".new")
    try:
        beside.write_text(json.dumps({"pid": os.getpid(), "processes": state}, indent=1))
        beside.replace(file)
    except OSError as trouble:
        _log.debug("supervisor.state_not_written", why=trouble.strerror or type(trouble).__name__)


def forget_state(folder: Path) -> None:
    """Nobody is supervised here any more."""
    for name in (STATE, "supervisor.new"):
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)


def looping(folder: Path) -> Iterable[str] | None:
    """The processes in a crash loop by the supervisor of *folder*; None where none is at work there."""
    try:
        said = json.loads((folder / STATE).read_text())
        os.kill(int(said["pid"]), 0)
        return [name for name, one in said["processes"].items() if one["loops"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
