"""
How every process of the system begins and ends: settings, logs, one clear line for what cannot work.

*Halt* anywhere becomes one line on standard error and exit status 78, without a traceback; nothing is lost, because
nothing had begun. Every other exception is a bug and keeps its traceback.
"""

import socket
import sys
from collections.abc import Callable

from lib import log, settings
from lib.domain.errors import EXIT_CONFIG, Halt
from lib.settings import Settings


def run_process(service: str, main: Callable[[Settings], None]) -> None:
    """Load settings, set up logs, run *main*; exit 78 with one line on *Halt*."""
    try:
        loaded = settings.load()
        prepare_logs(service, loaded)
        main(loaded)
    except Halt as halt:
        sys.stderr.write(f"{service}: {log.redact(str(halt))}\n")
        raise SystemExit(EXIT_CONFIG) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def prepare_logs(service: str, loaded: Settings) -> None:
    """Log lines as the settings want them; every secret they hold is kept out of every line."""
    log.setup(service, loaded.log_format, loaded.log_level)
    for secret in (loaded.openai_api_key, loaded.encryption_key, loaded.simulator_token):
        log.register_secret(secret)


def refuse_busy_port(host: str, port: int, setting: str) -> None:
    """*Halt* with one line when *port* cannot be listened on; *setting* is what would choose another."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise Halt(f"port {port} is in use: stop what holds it, or choose {setting}=another") from None
