"""
Processes forked from one that has imported everything they run on: like any other, but ready at once.

There is one such process for all of a test run, and one list of what it imports: whoever sets another takes the first
away, and each fork imports for itself, two to three seconds of the processor.
"""

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

IMPORTED = (
    *("tests.torture.trader", "tests.torture.collector", "tests.torture.venue", "tests.torture.senders"),
    # found by `lib.bootstrap` when they are asked for
    *("lib.bootstrap.processes", "lib.bootstrap.trading", "lib.bootstrap.telling", "lib.bootstrap.chatting"),
    *("openai", "redis.asyncio", "sqlalchemy.dialects.mysql.pymysql", "sqlalchemy.dialects.sqlite.pysqlite"),
)

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(list(IMPORTED))


def fork(run: Callable[[Any], None], plan: object) -> BaseProcess:
    """Start *run* with *plan* as a process of its own."""
    process = _forks.Process(target=run, args=(plan,), daemon=True)
    process.start()
    return process
