"""
The seats of trader and worker on this machine: who sat here before and is dead for certain need not be waited for.

A file under DATA_DIR is locked for as long as its process lives; the operating system lets go of it at a kill as well.
Whoever gets the lock knows that the process whose name is in the file is gone, and may give back what that one
held. It is efficiency alone: without a disk of its own a process waits until the old leases have run out.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TRADERS, WORKERS = "trader.seat", "worker.seat"


@contextmanager
def take_seat(folder: Path, holder: str, name: str) -> Iterator[str]:
    """Sit on the seat *name* as *holder* inside the block; yields who sat there and is dead, "" = nobody."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (folder / name).open("a+")
    except OSError:
        yield ""
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield ""  # another one lives here
            return
        file.seek(0)
        before = file.read().strip()
        file.seek(0)
        file.truncate()
        file.write(holder)
        file.flush()
        yield before
