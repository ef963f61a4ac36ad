"""
How every process of the system begins: settings, logs, and what is refused before anything starts.

How it ends is `lib.last_line`.
"""

import socket
from collections.abc import Callable

from lib import log, settings, unsafe_settings
from lib.domain.errors import Halt
from lib.last_line import last_line
from lib.process_table import kept_from
from lib.settings import Settings
from lib.supervision import lifeline


def run_process(service: str, main: Callable[[Settings], None]) -> None:
    """Load settings, set up logs, run *main*, and end as `last_line` says."""
    with last_line(service):
        lifeline.hold(settings.inherited().get(lifeline.NAME, ""))
        loaded = settings.load()
        prepare_logs(service, loaded)
        main(loaded)


def prepare_logs(service: str, loaded: Settings) -> None:
    """Log lines as the settings want them; every secret they hold is kept out of every line."""
    log.setup(service, loaded.log_format, loaded.log_level, loaded.log_dir, settings.VERSION)
    for _, secret in loaded.own_secrets:
        log.register_secret(secret)


def refuse_key_that_opens(loaded: Settings) -> None:
    """
    *Halt* for a deployed web that holds a secret of another process (`lib.process_table`), such as what opens exchange
    keys or people's channels, speaks for the platform or pays for the analyst: who breaks into it would have them all.
    """
    held = [name for name, _ in loaded.own_secrets if name in kept_from("web")]
    if loaded.is_deployed and held:
        raise Halt(
            f"the web must not hold {held[0]}, a secret of another process: start it as "
            "the Procfile does, by `python -m services.start web`, or give it settings of its own"
        )


def refuse_careless_web(loaded: Settings) -> None:
    """*Halt* for a web beside real money that is not fit to be proved to."""
    if loaded.has_real_money:
        unsafe_settings.refuse_careless_web(loaded.public_url, loaded.most_guests)


def refuse_foreign_address(ip: str) -> None:
    """*Halt* with one line when *ip* is no address of this machine, and so nothing can leave from it; "" is any."""
    if not ip:
        return
    with socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET) as probe:
        try:
            probe.bind((ip, 0))
        except OSError:
            raise Halt(f"WORKER_ADDRESS={ip} is no address of this machine: name one of its own, or a word") from None


def refuse_busy_port(host: str, port: int, setting: str) -> None:
    """*Halt* with one line when *port* cannot be listened on; *setting* is what would choose another."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise Halt(f"port {port} is in use: stop what holds it, or choose {setting}=another") from None
