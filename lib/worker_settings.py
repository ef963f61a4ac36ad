"""
Reading what concerns workers: whether accounts are divided, and the address a process calls the exchange from. Pure.

WORKERS is one word for a whole deployment: its trader and all its workers are told the same. An address is a name of a
request budget; where it is an IP address too, connections to the exchange are made from it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from lib.domain.errors import Halt
from lib.setting_values import choice, number

MOST_ACCOUNTS = 100_000
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Workers:
    """
    *are_wanted* = accounts are divided among the trader and the workers; *address* names the budget of calls to the
    exchange, "" = the one nobody named; *capacity* is how many accounts this process may own.
    """

    are_wanted: bool = False
    address: str = ""
    capacity: int = MOST_ACCOUNTS

    @property
    def local_ip(self) -> str:
        """The address of this machine that connections to the exchange are made from, "" = as it routes."""
        try:
            return str(ip_address(self.address))
        except ValueError:
            return ""


def read_workers(source: Mapping[str, str]) -> Workers:
    """The settings together. *Halt* names what is wrong."""
    address = source.get("WORKER_ADDRESS", "").strip()
    if address and not _ADDRESS.fullmatch(address):
        raise Halt("WORKER_ADDRESS is an IP address of this machine, or a name of at most 64 of A-Z a-z 0-9 . : _ -")
    return Workers(
        choice(source, "WORKERS", "false", ("true", "false")) == "true",
        address,
        int(number(source, "WORKER_CAPACITY", MOST_ACCOUNTS, 0, MOST_ACCOUNTS)),
    )
