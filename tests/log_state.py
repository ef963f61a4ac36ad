"""The process's logging as it was: for tests that call an entry point, which sets it up for good."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def logs_put_back() -> Iterator[None]:
    """Handlers, levels, the hook for uncaught exceptions and captured warnings are put back after the block."""
    root, ours, hook = logging.getLogger(), logging.getLogger("maemae"), sys.excepthook
    before = list(root.handlers), root.level, ours.level
    try:
        yield
    finally:
        logging.captureWarnings(False)
        sys.excepthook = hook
        root.handlers[:], level, our_level = before
        root.setLevel(level)
        ours.setLevel(our_level)
