"""
How every process of the system begins and ends: settings, logs, one clear line for what cannot work.

*Halt* anywhere becomes one line on standard error and exit status 78, without a traceback; nothing is lost, because
nothing had begun. So does trouble with a file. A bug keeps its traceback in the log, whatever the log's level. Nothing
ever ends without a line.
"""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from lib import log, settings
from lib.domain.errors import EXIT_CONFIG, Halt, Retry
from lib.reason_text import told
from lib.settings import Settings

EXIT_INTERRUPTED = 130
NOT_FOR_THE_WEB = frozenset(
    {"ENCRYPTION_KEY", "ENCRYPTION_KEYS_OLD", "NOTIFIER_KEY", "NOTIFY_OPERATORS", "TELEGRAM_BOT_TOKEN"}
)


def run_process(service: str, main: Callable[[Settings], None]) -> None:
    """Load settings, set up logs, run *main*, and end as `last_line` says."""
    with last_line(service):
        loaded = settings.load()
        prepare_logs(service, loaded)
        main(loaded)


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
        _end(service, told(away, "en"), 1)
    except KeyboardInterrupt:
        _end(service, "interrupted", EXIT_INTERRUPTED)
    except OSError as trouble:
        if trouble.filename is None:
            raise
        _end(service, f"{trouble.filename} cannot be used: {trouble.strerror}", EXIT_CONFIG)


def _end(service: str, why: str, status: int) -> NoReturn:
    sys.stderr.write(f"{service}: {log.redact(' '.join(why.split()))}\n")
    raise SystemExit(status) from None


def prepare_logs(service: str, loaded: Settings) -> None:
    """Log lines as the settings want them; every secret they hold is kept out of every line."""
    log.setup(service, loaded.log_format, loaded.log_level, loaded.log_dir, settings.VERSION)
    for _, secret in loaded.own_secrets:
        log.register_secret(secret)


def refuse_key_that_opens(loaded: Settings) -> None:
    """
    *Halt* for a deployed web that holds what opens exchange keys or people's channels, or speaks for the platform: who
    breaks into it would have them all.
    """
    held = [name for name, _ in loaded.own_secrets if name in NOT_FOR_THE_WEB]
    if loaded.is_deployed and held:
        raise Halt(
            f"the web must not hold {held[0]}, which opens what people entered or speaks for the platform: start it as "
            f"the Procfile does, with `env -u {held[0]}`, or give it settings of its own"
        )


def refuse_busy_port(host: str, port: int, setting: str) -> None:
    """*Halt* with one line when *port* cannot be listened on; *setting* is what would choose another."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise Halt(f"port {port} is in use: stop what holds it, or choose {setting}=another") from None
