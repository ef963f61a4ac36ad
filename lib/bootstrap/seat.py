"""
The trader's seat on this machine: who sat here before and is dead for certain need not be waited for.

A file under DATA_DIR is locked for as long as its process lives; the operating system lets go of it at a kill as well.
Whoever gets the lock knows that the trader whose name is in the file is gone, and may give that one's lease back. It is
efficiency alone: without a disk of its own a trader waits until the old lease has run out.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "trader.seat"


@contextmanager
def take_seat(folder: Path, holder: str) -> Iterator[str]:
    """Sit down as *holder* inside the block; yields the dead holder before, "" when nobody is known to be dead."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (folder / NAME).open("a+")
    except OSError:
        yield ""
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield ""  # another trader lives here
            return
        file.seek(0)
        before = file.read().strip()
        file.seek(0)
        file.truncate()
        file.write(holder)
        file.flush()
        yield before
