"""The embedded stores of `make run`."""

from pathlib import Path

from lib.adapters.redis.embedded import EmbeddedRedis, ensure, running


def embedded_redis(data_dir: Path) -> EmbeddedRedis:
    """A real redis-server on a private socket under *data_dir*, started here or joined; *Halt* when none can be had."""
    return ensure(data_dir)


def running_redis(data_dir: Path) -> str:
    """The URL of the server `embedded_redis` started under *data_dir* and that still runs, "" for none."""
    return running(data_dir)
