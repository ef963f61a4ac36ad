"""
Addresses as they are written in sockets and headers, read into one spelling, and whose tally an address is.

`::ffff:1.2.3.4` is 1.2.3.4, `1.2.3.4:5678` and `[2001:db8::1]:443` carry a port that is nobody's, and a zone
(`fe80::1%eth0`) names a cable. What is no address is None: nobody gets a tally of their own by inventing a name.
"""

import ipaddress

LONGEST = 60
NETWORK_BITS = 64
"""An IPv6 customer is given a network of at least these many bits and may choose every address in it."""


def written_address(text: str) -> str | None:
    """The one spelling of the address *text*, or None when it is none."""
    text = text.strip().strip('"')
    if len(text) > LONGEST or not text.isascii():
        return None
    try:
        address = ipaddress.ip_address(_without_port(text).partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def network(address: str) -> str:
    """Who shares a tally with *address* (in its one spelling): itself alone, or everybody of its IPv6 /64."""
    if ":" not in address:
        return address
    return str(ipaddress.IPv6Network((address, NETWORK_BITS), strict=False))


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    # one colon is a port, two and more are IPv6
    return text.partition(":")[0] if text.count(":") == 1 else text
