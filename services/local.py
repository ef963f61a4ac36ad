"""
What `make run` runs: the whole system on this machine, on embedded stores, with paper money.

Makes secrets and data under var/ once, starts Redis and brings the database up, gives the demo person a past, then
keeps Procfile.local running (services/supervisor.py) until it is told to end. A DATABASE_URL or REDIS_URL in the
environment wins. Nothing here is a default of the processes themselves: they only see what is handed to them.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lib import bootstrap, log, settings
from lib.clock import SystemClock
from lib.domain.analyst_name import RULES_MODEL
from lib.domain.errors import Halt, Retry
from services import local_secrets
from services.process import last_line, prepare_logs
from services.supervisor import supervise

ARCHIVE_S = 5.0
ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Set up, run, stop; the exit status."""
    env = environment()
    with _redis(env) as redis:
        loaded = settings.load(env)
        prepare_logs("local", loaded)
        log.setup("local", loaded.log_format, "WARNING")  # a day of past cycles is no news
        bootstrap.refuse_busy_port(loaded.simulator_host, loaded.simulator_port, "SIMULATOR_PORT")
        bootstrap.refuse_busy_port(loaded.web_host, loaded.web_port, "PORT")
        bootstrap.migrate(loaded)
        _keep_small(loaded)
        asyncio.run(bootstrap.ensure_demo(loaded, _say))
        page = f"http://{loaded.web_host}:{loaded.web_port}"
        _say(f"starting; open {page} in a browser in a few seconds. Ctrl-C stops everything")
        supervise(loaded, env, redis)
    _say("stopped")
    return 0


def _keep_small(loaded: settings.Settings) -> None:
    """Some seconds of the archive's daily work: a machine of one person has no timer for it."""
    try:
        with bootstrap.archivist(loaded) as archive:
            archive.run(SystemClock().now_ms(), ARCHIVE_S)
    except (Halt, Retry) as trouble:
        _say(f"the archive waits: {trouble}")


def _say(text: str) -> None:
    sys.stdout.write(f"maemae: {text}\n")
    sys.stdout.flush()


def is_local() -> bool:
    """Whether a command by hand is about `make run` on this machine: nobody named another database."""
    given = settings.inherited()
    return not any(name in given or f"{name}_FILE" in given for name in settings.DATABASE_NAMES)


def deployment() -> settings.Settings:
    """The deployment a command by hand is about: that of DATABASE_URL, or else that of `make run` on this machine."""
    if is_local() and not (data_folder() / local_secrets.NAME).exists():
        raise Halt(f"there is no deployment in {data_folder()} yet: set DATABASE_URL, or start `make run` once")
    if not is_local():
        return settings.load()
    env = environment()
    if not any(env.get(name) for name in settings.REDIS_NAMES):
        env["REDIS_URL"] = bootstrap.running_redis(Path(env["DATA_DIR"]) / "redis")
    return settings.load(env)


def data_folder() -> Path:
    """Where `make run` keeps everything."""
    return Path(settings.inherited().get("DATA_DIR", str(ROOT / "var"))).resolve()


def environment() -> dict[str, str]:
    """What the processes are told: this installation's own settings under what the environment says."""
    given = settings.inherited()
    data_dir = data_folder()
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (data_dir / local_secrets.NAME).exists():
        _say(f"making this installation's secrets: {data_dir / local_secrets.NAME}")
    own = {
        **local_secrets.kept_secrets(data_dir),
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": f"sqlite:///{data_dir / 'maemae.db'}",
        "LOG_DIR": str(data_dir / "logs"),
        "LOG_FORMAT": "text",
        "SIMULATOR_PORT": "18700",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    env = {**own, **given, "DATA_DIR": str(data_dir)}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}"
    if "OPENAI_API_KEY" not in given:
        # the local analyst answers on the simulator's port and takes any key
        env["OPENAI_BASE_URL"] = given.get("OPENAI_BASE_URL", f"http://127.0.0.1:{env['SIMULATOR_PORT']}/v1")
        env["OPENAI_API_KEY"] = "local-analyst"
        env["OPENAI_MODEL"] = given.get("OPENAI_MODEL", RULES_MODEL)
    return env


@contextmanager
def _redis(env: dict[str, str]) -> Iterator[bootstrap.EmbeddedRedis | None]:
    """REDIS_URL as given, or an embedded server for as long as this lasts."""
    if any(env.get(name) for name in settings.REDIS_NAMES):
        yield None
        return
    server = bootstrap.embedded_redis(Path(env["DATA_DIR"]) / "redis")
    env["REDIS_URL"] = server.url
    try:
        yield server
    finally:
        server.stop()


if __name__ == "__main__":
    with last_line("maemae"):
        sys.exit(main())
