"""
Any process of a deployment with real money, with a simulator in the place of Bybit; told by a `RealPlan`.

No setting can do this, and none shall. In this process alone, before it starts, names of Bybit's lead to this machine
and its list of hosts says the simulator's port and no TLS; hosts keep their names, so that what judges a host by its
name judges these. The clock is the warp's, and the collector keeps hours beside its minutes and no days. Everything
else is the process as it is deployed, with its own secrets alone.
"""

import importlib
import os
import socket
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from lib.bootstrap import processes
from lib.domain.account import Venue
from lib.domain.bybit_sites import SITES, Site, is_bybits
from lib.process_table import narrowed
from services.process import last_line, run_process
from tests.torture.trader import speak_into
from tests.torture.warp import Warp

COMMANDS = {"preflight": "preflight", "control": "trader"}
"""What an operator runs at a terminal, and the process whose secrets it is given."""
BESIDE_THE_SCREENS = {"web": "app.server"}
WIDE = ("1h",)


@dataclass(frozen=True, slots=True)
class RealPlan:
    """
    Which process, its environment, the clock's file, where to write, and the simulator's port; of a command its *words*
    and the file with what is *typed* at it.
    """

    service: str
    env: Mapping[str, str]
    warp: str
    log: str
    port: int
    words: tuple[str, ...] = ()
    typed: str = os.devnull


@dataclass(frozen=True, slots=True)
class HereSite(Site):
    """Bybit's main site under its own names, at *port* of this machine."""

    port: int = 0

    @property
    def rest_urls(self) -> dict[Venue, str]:
        return {venue: self._here(url) for venue, url in SITES["bytick"].rest_urls.items()} | {"mainnet": self.rest}

    @property
    def private_urls(self) -> dict[Venue, str]:
        theirs: dict[Venue, str] = SITES["bytick"].private_urls
        return {venue: self._here(url) for venue, url in theirs.items()}

    def _here(self, url: str) -> str:
        parts = urlsplit(url)
        scheme = {"https": "http", "wss": "ws"}[parts.scheme]
        return f"{scheme}://{parts.hostname}:{self.port}{parts.path}"


def run(plan: RealPlan) -> None:
    """Be that process, to its end."""
    os.environ.clear()
    os.environ.update(narrowed(COMMANDS.get(plan.service, plan.service), plan.env))
    speak_into(Path(plan.log))
    _listen_to(plan.typed)
    Warp(Path(plan.warp)).install()
    _lead_here(plan.port)
    processes.KEPT = WIDE  # type: ignore[assignment, attr-defined]
    module = importlib.import_module(BESIDE_THE_SCREENS.get(plan.service, f"services.{plan.service}"))
    if plan.service in COMMANDS:
        with last_line(plan.service):
            sys.exit(module.main(list(plan.words)))
    run_process(plan.service, module.main)


def _listen_to(typed: str) -> None:
    descriptor = os.open(typed, os.O_RDONLY)
    os.dup2(descriptor, 0)
    os.close(descriptor)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - it lives as long as the process


def _lead_here(port: int) -> None:
    """Bybit's names, and the main site's hosts, lead to *port* of this machine."""
    there = socket.getaddrinfo

    def found(host: Any, *about: Any, **more: Any) -> Any:
        return there("127.0.0.1" if isinstance(host, str) and is_bybits(host) else host, *about, **more)

    socket.getaddrinfo = found
    rest, stream = (urlsplit(url).hostname for url in (SITES["com"].rest, SITES["com"].stream))
    here = HereSite(f"http://{rest}:{port}", f"ws://{stream}:{port}", port=port)
    cast("MutableMapping[str, Site]", SITES)["com"] = here
