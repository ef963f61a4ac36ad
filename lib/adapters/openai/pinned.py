"""
Connections to an address that a person gave: each is made to an address of the public internet, looked at once.

A name may lead anywhere by the time it is asked for, also into the installation's network. So the name is resolved
here, every address it has must be public, and the connection goes to one of those very addresses; TLS still checks the
name. No proxy of the environment is asked. Redirects are not followed, and each request comes through here anyway.
"""

import asyncio
import ipaddress
import socket

import httpx2
import openai

from lib.domain.model_profile import is_outer


class InnerAddress(openai.OpenAIError):
    """The name leads into a network that is not the public internet. The SDK lets its own errors pass unchanged."""


class Pinned(httpx2.AsyncHTTPTransport):
    """A transport to public addresses, and to those `host:port` of *inner*."""

    def __init__(self, inner: frozenset[str]) -> None:
        super().__init__(trust_env=False)
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        if f"{url.host}:{port}" not in self._inner:
            address = await public_address(url.host, port)
            request.extensions = {**request.extensions, "sni_hostname": url.host}
            request.url = url.copy_with(host=address)  # the Host header, set before, keeps the name
        return await super().handle_async_request(request)


async def public_address(host: str, port: int) -> str:
    """An address of *host*, all of whose addresses are public; *InnerAddress* otherwise."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as unknown:
        raise httpx2.ConnectError(f"{host} is not known") from unknown
    addresses = [str(sockaddr[0]).partition("%")[0] for *_, sockaddr in found]
    if not addresses or not all(is_outer(ipaddress.ip_address(address)) for address in addresses):
        raise InnerAddress(f"{host} leads into an inner network") from httpx2.ConnectError("not public")
    return addresses[0]
