"""
A process that was started by a supervisor does not outlive it, however that dies.

Two ways, because neither is enough alone. The read end of a pipe whose other end only the supervisor holds: when that
is gone the pipe ends, on every system, and a thread here asks its own process to end, then kills it. On Linux the
kernel sends the signal besides, also to a process whose Python cannot run just then. Without a supervisor nothing here
does anything.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence

NAME = "MAEMAE_LIFELINE"
"""The variable that names the pipe's end and the supervisor: `FD:PID`."""
GRACE_S = 30.0
"""How long an orphan may take to end what it began."""
_PR_SET_PDEATHSIG = 1


def told(read_end: int) -> str:
    """What `NAME` says to a child of this process that is given *read_end*."""
    return f"{read_end}:{os.getpid()}"


def tie(parent: int) -> None:
    """The kernel shall end this process when *parent* dies (Linux; it holds over exec). Ends it at once if it did."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(1)


def tie_to_supervisor(given: str) -> None:
    """`tie` to who started this process; *given* is what `NAME` says, "" = no supervisor did."""
    if given:
        tie(int(given.partition(":")[2]))


def hold(given: str, grace_s: float = GRACE_S) -> None:
    """
    From now on a thread watches the supervisor's pipe; when it ends this process is asked to end, then killed.

    *given* is what `NAME` says, "" = no supervisor started this process.
    """
    if given:
        read_end = int(given.partition(":")[0])
        threading.Thread(target=_watch, args=(read_end, grace_s), name="lifeline", daemon=True).start()


def _watch(read_end: int, grace_s: float) -> None:
    try:
        while os.read(read_end, 64):
            pass
    except OSError:
        return  # somebody closed it here: nothing to go by
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace_s)
    os.kill(os.getpid(), signal.SIGKILL)


def main(words: Sequence[str]) -> None:
    """`PID COMMAND …`: become COMMAND, tied to PID. For programs that are not ours."""
    tie(int(words[0]))
    os.execv(words[1], [*words[1:]])  # noqa: S606 - it becomes the program it was asked to tie


if __name__ == "__main__":
    main(sys.argv[1:])
