"""
Connections to sources of news go to the public internet alone: every request and every redirect is looked at anew.

A name is resolved here, all its addresses must be public, and the connection goes to one of those; TLS still checks the
name. Only what the operator wrote as an inner address itself (`host:port` of *inner*) may be one.
"""

import ipaddress
import socket

import httpx2

from lib.domain.model_profile import is_outer


class OutwardOnly(httpx2.HTTPTransport):
    """A transport to public addresses, and to those `host:port` of *inner*."""

    def __init__(self, inner: frozenset[str]) -> None:
        super().__init__(trust_env=False)
        self._inner = inner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        if place_of(url) in self._inner:
            return super().handle_request(request)
        pinned = httpx2.Request(
            request.method,
            url.copy_with(host=_public_address(url.host, port_of(url))),
            headers=request.headers,  # Host, set before, keeps the name
            extensions={**request.extensions, "sni_hostname": url.host},
        )
        return super().handle_request(pinned)


def port_of(url: httpx2.URL) -> int:
    """The port that *url* names or means."""
    return url.port or (443 if url.scheme == "https" else 80)


def place_of(url: httpx2.URL) -> str:
    """*url*'s `host:port`."""
    return f"{url.host}:{port_of(url)}"


def _public_address(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as unknown:
        raise httpx2.ConnectError(f"{host} is not known") from unknown
    addresses = [str(sockaddr[0]).partition("%")[0] for *_, sockaddr in found]
    if not addresses or not all(is_outer(ipaddress.ip_address(one)) for one in addresses):
        raise httpx2.ConnectError(f"{host} leads into an inner network")
    return addresses[0]
