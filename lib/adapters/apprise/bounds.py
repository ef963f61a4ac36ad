"""
What a stranger's server may take of this process: a minute for a whole send, and 64 kB for an answer.

A read's own time limit is no limit of a send: a server that answers a byte a second keeps it for ever, and one that
answers without an end fills the memory. So the connections a send opens are kept in view and shut when its time is
over, whatever they are doing (a handshake, a header, a body), and no more than so much of an answer is read. A proxy
of the environment, which would be asked to call what `outward` refuses, is not used. All of it holds for the whole
process: the notifier's alone.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests

MOST_BYTES = 64 * 1024
PIECE = 8 * 1024

_here = threading.local()
_send_whole = requests.Session.send


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What this thread connects to within the block is cut off after *seconds*, and the block has failed then."""
    connections: list[socket.socket] = []
    _here.connections = connections
    is_over = threading.Event()
    clock = threading.Timer(seconds, _cut, (connections, is_over))
    clock.daemon = True
    clock.start()
    try:
        yield
        if is_over.is_set():  # an answer whose head was cut off looks like a short one
            raise requests.ConnectionError("cut off")
    finally:
        clock.cancel()
        _here.connections = None
        for connection in connections:
            connection.close()


def noted(connection: socket.socket) -> socket.socket:
    """*connection*, kept in view by a handle of its own: TLS takes the first one over."""
    kept = getattr(_here, "connections", None)
    if kept is not None:
        kept.append(connection.dup())
    return connection


def _cut(connections: list[socket.socket], is_over: threading.Event) -> None:
    is_over.set()
    for connection in list(connections):
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def short_answers_only() -> None:
    """From now on an answer of more than `MOST_BYTES` is a failed request, and no proxy is used."""
    requests.Session.send = _send  # type: ignore[method-assign]


def _send(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
    answer = _send_whole(self, request, **{**options, "stream": True, "proxies": {}})
    body = b""
    for piece in answer.iter_content(PIECE):
        body += piece
        if len(body) > MOST_BYTES:
            answer.close()
            raise requests.ConnectionError("the answer is too long")
    answer._content = body
    return answer
