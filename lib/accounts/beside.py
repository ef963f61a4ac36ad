"""
Work that nobody waits for: done beside the request that noticed it, one at a time, and left out while one is under way.

For notes that come again by themselves, such as a session's last use: a database that is locked for writing keeps this
thread waiting, and no reader and no pause with it.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from lib import log
from lib.domain.errors import Retry

Work = Callable[[], None]
_log = log.get("beside")


def at_once(work: Work) -> None:
    """Do *work* here and now, and let a busy database pass: for programs with one thread."""
    try:
        work()
    except Retry as busy:
        _log.warning("note.not_written", why=str(busy))


class Beside:
    """One thread of its own; callable from any."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "beside")
        self._busy = threading.Lock()

    def __call__(self, work: Work) -> None:
        """Do *work* soon, unless something is being done already."""
        if self._busy.acquire(blocking=False):
            self._thread.submit(self._do, work)

    def _do(self, work: Work) -> None:
        try:
            at_once(work)
        finally:
            self._busy.release()
