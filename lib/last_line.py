"""
How every process of the system ends: one clear line for what cannot work.

*Halt* anywhere becomes one line on standard error and exit status 78, without a traceback; nothing is lost, because
nothing had begun. So does trouble with a file. Where the disk is full or a store is away the status is 1: whoever
starts this shall start it again. A bug keeps its traceback in the log, whatever the log's level. Nothing ever ends
without a line.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from lib import log
from lib.domain.errors import EXIT_CONFIG, Halt, Retry
from lib.reason_text import told

EXIT_INTERRUPTED = 130
EXIT_AWAY = 1
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""A disk that takes nothing now: there may be room later, so whoever starts this shall start it again."""


@contextmanager
def last_line(service: str) -> Iterator[None]:
    """
    Whatever ends the block early ends the process with one line on standard error.

    Exit status 78 for *Halt* and files that cannot be used, 1 for what is away (*Retry*), 130 for Ctrl-C. What it and
    its children write from here on is their user's alone.
    """
    os.umask(0o077)
    try:
        yield
    except Halt as halt:
        _end(service, str(halt), EXIT_CONFIG)
    except Retry as away:
        log.get("process").debug("process.away", why=str(away))
        _end(service, told(away, "en"), EXIT_AWAY)
    except KeyboardInterrupt:
        _end(service, "interrupted", EXIT_INTERRUPTED)
    except OSError as trouble:
        if trouble.filename is None:
            raise
        status = EXIT_AWAY if trouble.errno in _DISK else EXIT_CONFIG
        _end(service, f"{trouble.filename} cannot be used: {trouble.strerror}", status)


def _end(service: str, why: str, status: int) -> NoReturn:
    sys.stderr.write(f"{service}: {log.redact(' '.join(why.split()))}\n")
    raise SystemExit(status) from None
