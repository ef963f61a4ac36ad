"""
The processes there are: how each is started, the secrets it is given, and the order in which they end. Pure.

One table for everything that starts processes: the supervisor, `python -m services.start NAME` (the Procfile), and the
tests that hold containers and systemd units to it. A secret that is not in a process' row is taken out of its
environment, and so is the file that would hold it; whoever breaks into the web finds nothing that opens exchange keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lib.settings import DATABASE_NAMES, REDIS_NAMES, SECRET_NAMES

_STORES = (*DATABASE_NAMES, *REDIS_NAMES)


@dataclass(frozen=True, slots=True)
class Process:
    """*module* is what `python -m` starts, *secrets* the settings among `SECRET_NAMES` that it is given."""

    module: str
    secrets: tuple[str, ...]
    end_s: float = 10.0
    """Seconds it may take to end before it is killed."""


PROCESSES: Mapping[str, Process] = {
    "migrate": Process("services.migrate", DATABASE_NAMES),
    "archive": Process("services.archive", DATABASE_NAMES),
    "preflight": Process("services.preflight", (*DATABASE_NAMES, "ENCRYPTION_KEY", "ENCRYPTION_KEYS_OLD")),
    "simulator": Process("services.simulator", ("SIMULATOR_TOKEN",)),
    "collector": Process("services.collector", REDIS_NAMES),
    "trader": Process(
        "services.trader",
        (*_STORES, "ENCRYPTION_KEY", "ENCRYPTION_KEYS_OLD", "OPENAI_API_KEY"),
        end_s=30.0,  # it may be waiting for an order's fate
    ),
    "worker": Process(
        "services.worker",
        (*_STORES, "ENCRYPTION_KEY", "ENCRYPTION_KEYS_OLD", "OPENAI_API_KEY"),
        end_s=30.0,
    ),
    "web": Process(
        "app.server",
        (
            *_STORES, "ENCRYPTION_PUBLIC_KEY", "NOTIFIER_PUBLIC_KEY", "WEB_SECRET", "WEB_SECRETS_OLD", "SMTP_URL",
            "SIMULATOR_TOKEN", "METRICS_TOKEN",
        ),
    ),
    "notifier": Process("services.notifier", (*_STORES, "NOTIFIER_KEY", "NOTIFY_OPERATORS", "HEARTBEAT_URL")),
    # started by the notifier for one question, at the lowest priority; it reads candles and knows nobody
    "backtester": Process("services.backtester", REDIS_NAMES),
    "telegram": Process(
        "services.telegram",
        (*_STORES, "ENCRYPTION_PUBLIC_KEY", "WEB_SECRET", "WEB_SECRETS_OLD", "TELEGRAM_BOT_TOKEN"),
    ),
    "watch": Process("services.watch", _STORES),
}  # fmt: skip

ENDING = ("watch", "web", "telegram", "worker", "trader", "notifier", "collector", "simulator")
"""
Who ends before whom. Web and bot first: nobody asks anything of a system that is ending. Workers and trader while their
candles, their exchange and their stores still answer, so that they can learn what became of what they sent. Then the
notifier, which still tells what the trader said; last the simulator, which is the exchange of everybody above it.
"""


FOR_STRANGERS = (
    "PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH",
)  # fmt: skip
"""What a program needs to be found and to run, and nothing that says anything about this deployment."""


def kept_from(name: str) -> frozenset[str]:
    """The secrets the process *name* must not be given; KeyError for a name of no process."""
    return frozenset(SECRET_NAMES) - frozenset(PROCESSES[name].secrets)


def narrowed(name: str, env: Mapping[str, str]) -> dict[str, str]:
    """*env* for the process *name*, without the secrets that are not its own; KeyError for a name of no process."""
    kept_back = {form for secret in kept_from(name) for form in (secret, f"{secret}_FILE")}
    return {key: value for key, value in env.items() if key not in kept_back}


def bare(env: Mapping[str, str]) -> dict[str, str]:
    """*env* for a program that is not ours (Redis): a list of what it gets, because what else is there nobody knows."""
    return {name: env[name] for name in FOR_STRANGERS if name in env}
