"""
By which names this server is asked, and which origin is its own.

A page of another site can let its own name point to our address (DNS rebinding) and is then "same-origin" with
itself: only the Host header tells. So names are an allow-list: this machine's, and those the settings name. An address
written in numbers is nobody's name, so it cannot be rebound and is always ours. Pure.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

ANY = "*"
LOOPBACK = ("localhost",)
_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://(.{1,260})")
_USUAL_PORT = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """A host and a port: *name* in lower case, an IPv6 address in brackets."""

    name: str
    port: int

    @property
    def is_number(self) -> bool:
        """Whether it is an address and no name."""
        try:
            ipaddress.ip_address(self.name.strip("[]"))
        except ValueError:
            return False
        return True


def usual_port(scheme: str) -> int:
    """The port that browsers leave out."""
    return _USUAL_PORT[scheme]


def read_place(host: str, scheme: str) -> Place | None:
    """The place a Host header names; None when it is none."""
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    port = int(found[2] or _USUAL_PORT[scheme])
    # a name may end in the dot of the root
    return Place(found[1].lower().removesuffix("."), port) if 0 < port < 65_536 else None


class Hosts:
    """The names this server answers to; "*" among them means every name."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(name.lower() for name in (*LOOPBACK, *names))

    def allow(self, place: Place | None) -> bool:
        """Whether a request for *place* is for us."""
        if ANY in self._names:
            return True
        return place is not None and (place.name in self._names or place.is_number)


def is_own_origin(origin: str, scheme: str, place: Place | None) -> bool:
    """Whether a page of *origin* came from *place* over *scheme* itself: scheme, name and port are the same."""
    found = _ORIGIN.fullmatch(origin.lower())
    return found is not None and found[1] == scheme and place is not None and read_place(found[2], scheme) == place


def differs_in_scheme_alone(origin: str, scheme: str, host: str) -> bool:
    """Whether *origin* would be ours if the other scheme were right: a proxy that ends TLS and is not counted."""
    other = "http" if scheme == "https" else "https"
    return is_own_origin(origin, other, read_place(host, other))
