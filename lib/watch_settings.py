"""
Reading what concerns figures for whoever watches: where each process shows them, and the token for the web's. Pure.

Without a port a process shows none and counts none. They stand on the loopback unless METRICS_HOST says otherwise: who
can reach them there may read them, so that host belongs to a private network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lib.domain.errors import Halt

SHORTEST_TOKEN = 16
PROCESSES = ("collector", "trader", "worker", "simulator", "notifier", "telegram", "supervisor")


@dataclass(frozen=True, slots=True)
class Watching:
    """*ports* has the processes that show figures; an empty *token* = the web shows none."""

    host: str = "127.0.0.1"
    ports: Mapping[str, int] = field(default_factory=dict)
    token: str = field(default="", repr=False)


def read_watching(source: Mapping[str, str], token: str) -> Watching:
    """The settings together. *Halt* names what is wrong."""
    if token and len(token) < SHORTEST_TOKEN:
        raise Halt(f"METRICS_TOKEN must have {SHORTEST_TOKEN} characters or more: anybody may try it")
    ports = {name: _port(source, f"METRICS_PORT_{name.upper()}") for name in PROCESSES}
    shown = {name: port for name, port in ports.items() if port}
    if len(set(shown.values())) < len(shown):
        raise Halt(
            "METRICS_PORT_COLLECTOR, _TRADER, _SIMULATOR and _SUPERVISOR must differ: each process listens on its own"
        )
    return Watching(source.get("METRICS_HOST", "").strip() or "127.0.0.1", shown, token)


def _port(source: Mapping[str, str], name: str) -> int:
    text = source.get(name, "").strip() or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535):
        raise Halt(f"{name}={text[:20]!r} must be a port from 1 to 65535, or empty")
    return int(text)
