"""The embedded stores of `make run`."""

from pathlib import Path

from lib.adapters.redis.embedded import EmbeddedRedis, ensure


def embedded_redis(data_dir: Path) -> EmbeddedRedis:
    """A real redis-server on a private socket under *data_dir*, started here or joined; *Halt* when none can be had."""
    return ensure(data_dir)
