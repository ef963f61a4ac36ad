"""
A crowd of workers: one function over many items, on every core of this machine or wherever a scheduler has workers.

Results come as they are made, in any order. A worker that dies loses what it was at, nothing else: its items go to
another. The cluster of this machine listens on loopback alone and speaks TLS with a certificate of its own, since
whoever reaches a scheduler runs code as its user. A scheduler that is named by an address is its operator's to guard:
`tls://` with certificates by Dask's own configuration, `tcp://` only in a network nobody else is in.

The function is named, not sent: every worker needs this project in the same version (who calls looks after that).
"""

import os
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from lib.domain.errors import Halt

DEATHS = 10
"""How many workers may die over one item before it is the item's fault."""
CONNECT_S = 20
CRITICAL = 50
"""The level of what Dask logs, of which nothing is."""
Item = TypeVar("Item")
Made = TypeVar("Made")


class Crowd:
    """Workers of *scheduler*, or *workers* processes here (0 = one a core), within a `with` block."""

    def __init__(self, scheduler: str | None = None, workers: int = 0) -> None:
        self._scheduler, self._workers = scheduler, workers

    def __enter__(self) -> Self:
        """*Halt* when Dask is not installed or nobody answers at the address."""
        try:
            import dask

            # before it is first imported: what ends a grid is told by whoever asked for it
            dask.config.set({"distributed.logging": {"distributed": "critical", "tornado": "critical"}})
            import distributed
        except ImportError:
            raise Halt("Dask is not installed: pip install --require-hashes -r requirements-grid.txt") from None
        self._cluster = None if self._scheduler else _here(self._workers or os.cpu_count() or 1)
        try:
            self._client = distributed.Client(self._cluster or self._scheduler, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as away:
            raise Halt(f"no scheduler answers at {self._scheduler}: {away}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, mistake: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close(timeout=CONNECT_S)
        if self._cluster is not None:
            self._cluster.close(timeout=CONNECT_S)

    def each(self, work: Callable[[Item, bytes], Made], items: Sequence[Item], shared: bytes) -> Iterator[Made]:
        """
        What *work* makes of each item and *shared*, which every worker gets once. *Halt* when the scheduler goes away
        or too many workers died over one item.
        """
        import distributed

        # a task, not scattered data: made anew where the worker that had it has died
        held = self._client.submit(_as_it_is, shared, pure=False)
        asked = [self._client.submit(work, item, held, pure=False) for item in items]
        try:
            for future in distributed.as_completed(asked, loop=self._client.loop):
                yield future.result()
                asked.remove(future)
        except distributed.KilledWorker:
            raise Halt(f"{DEATHS} workers died over the same runs") from None
        except (distributed.client.FutureCancelledError, OSError, TimeoutError) as gone:
            raise Halt(f"the scheduler went away: {type(gone).__name__}") from None


def _as_it_is(shared: bytes) -> bytes:
    return shared


def _here(workers: int) -> Any:
    import dask
    from distributed import LocalCluster

    with dask.config.set({"distributed.scheduler.allowed-failures": DEATHS}):
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            protocol="tls",
            security=True,
            dashboard_address=None,
            silence_logs=CRITICAL,
        )
