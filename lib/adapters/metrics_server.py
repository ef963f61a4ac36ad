"""
The door at which a process shows its figures: few places, each for a short time.

It stands inside processes that hold positions, so whoever reaches it may at most keep others from looking: a stranger
who opens sockets and says nothing, or a byte a second, gets no thread and no descriptor that orders would lack. When
every place is taken the one that has been there longest goes.
"""

import socket
import threading
import time
from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from lib import log

PLACES = 8
LONGEST_S = 10.0
_log = log.get("metrics")
Application = Callable[..., Any]


class _Handler(WSGIRequestHandler):
    """Without a line on standard error for each look."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


class MetricsServer(ThreadingMixIn, WSGIServer):
    """Serves *application* on *host* (a name or an address of either kind) and *port*; OSError = it is taken."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, application: Application, longest_s: float = LONGEST_S) -> None:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        self.address_family = family
        self._longest_s = longest_s
        self._until: dict[socket.socket, float] = {}
        super().__init__((str(address[0]), port), _Handler)
        self.set_app(application)

    def start(self) -> None:
        """Serve from now on, on a thread of its own."""
        threading.Thread(target=self.serve_forever, name="metrics", daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        while len(self._until) >= PLACES:
            self._end(min(self._until, key=self._until.__getitem__))
        self._until[request] = time.monotonic() + self._longest_s
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._until.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Called between requests, twice a second at least."""
        now = time.monotonic()
        for request in [one for one, until in list(self._until.items()) if until <= now]:
            self._end(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.debug("metrics.request_lost")

    def _end(self, request: socket.socket) -> None:
        """Its thread meets a socket that is shut, and ends."""
        self._until.pop(request, None)
        try:
            request.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side, or the thread, was first
