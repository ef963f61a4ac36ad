"""
Connections of this process go outward: what people type cannot reach this machine or its network.

urllib3 resolves a name and connects to what it found in one function, which is replaced by one that drops every address
that is not of the public internet. So neither a name that points inward, nor one that changes between being looked at
and being called, nor a redirect gets anywhere. It holds for the whole process: the notifier's alone.
"""

import ipaddress
import socket
from typing import Any

import urllib3.util.connection

from lib.adapters.apprise.bounds import noted
from lib.domain import reason_codes as codes
from lib.domain.errors import Retry

UNICAST = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
WRAPPING = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"))
"""Teredo and 6to4."""


def outward_only(*, private_hosts: bool) -> None:
    """From now on urllib3 connects to public addresses alone, or to any with *private_hosts*."""
    urllib3.util.connection.create_connection = _anywhere if private_hosts else _connected


_library = urllib3.util.connection.create_connection


def _anywhere(*args: Any, **options: Any) -> socket.socket:
    return noted(_library(*args, **options))


def _connected(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
    """As urllib3's, to the first public address of the name; *Retry* for a name that has none."""
    host, port = address
    failed: OSError | None = None
    for place in public_places(host.strip("[]"), port):
        try:
            return _anywhere((place, port), *args, **options)
        except OSError as error:
            failed = error
    if failed is not None:
        raise failed
    raise Retry(codes.CHANNEL_ADDRESS_BAD())


def public_places(host: str, port: int) -> list[str]:
    """The addresses *host* stands for that are public, each once, in the resolver's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    places = dict.fromkeys(str(entry[4][0]) for entry in found)
    return [place for place in places if is_public(place)]


def is_public(place: str) -> bool:
    """
    Whether *place*, an address, is one of the public internet.

    Of IPv6 that is 2000::/3 alone, and nothing in it that only wraps another address (Teredo, 6to4): a machine of this
    network may stand behind it. An IPv4 address written as IPv6 (mapped, NAT64) counts as what it is.
    """
    known = ipaddress.ip_address(place.partition("%")[0])
    if isinstance(known, ipaddress.IPv6Address):
        if known in NAT64 or known.ipv4_mapped:
            return is_public(str(ipaddress.IPv4Address(int(known) & 0xFFFF_FFFF)))
        if known not in UNICAST or any(known in wrapping for wrapping in WRAPPING):
            return False
    return known.is_global and not known.is_multicast
