"""
The notifier and the bot as they are deployed, with failpoints around their ports: processes of `tests.torture.telling`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import services.notifier
import services.telegram
from lib import bootstrap
from lib.settings import Settings
from services.process import run_process
from tests.torture.failpoints import Failpoints, Trap, Watched
from tests.torture.trader import speak_into

SENDING = {"hand_out": "hand_out", "take": "take", "delivered": "mark", "open": "open", "send": "send"}
TALKING = {"updates": "updates", "claim": "taken", "say": "answer"}
ARRIVED = "send.arrived"
"""The messenger has the message, and its sender has no answer yet."""
POINTS = {
    service: [ARRIVED, *(f"{name}.{when}" for name in names for when in ("before", "after"))]
    for service, names in (
        ("notifier", SENDING.values()),
        ("telegram", (*SENDING.values(), *TALKING.values())),
    )
}


@dataclass(frozen=True, slots=True)
class Life:
    """What one process is told: its service, environment, files, and where it dies."""

    service: str
    env: dict[str, str]
    log: str
    hits: str
    trap: Trap | None


def live(life: Life) -> None:
    """Be that process, to its end."""
    os.environ.clear()
    os.environ.update(life.env)
    speak_into(Path(life.log))
    points = Failpoints(life.trap, Path(life.hits))
    notifying, chatting = bootstrap.notifying, bootstrap.chat_bot

    @contextmanager
    def watched_notifying(settings: Settings) -> Iterator[Any]:
        with notifying(settings) as made:
            _watch_sender(made.sender, points)
            yield made

    @contextmanager
    def watched_chatting(settings: Settings) -> Iterator[Any]:
        with chatting(settings) as made:
            _watch_sender(made.sender, points)
            made.bot._api = Watched(made.bot._api, TALKING, points)
            made.bot._chats = Watched(made.bot._chats, TALKING, points)
            yield made

    bootstrap.notifying, bootstrap.chat_bot = watched_notifying, watched_chatting
    run_process(life.service, {"notifier": services.notifier, "telegram": services.telegram}[life.service].main)


def _watch_sender(sender: Any, points: Failpoints) -> None:
    for port in ("deliveries", "opener", "courier"):
        setattr(sender, port, Watched(getattr(sender, port), SENDING, points))
