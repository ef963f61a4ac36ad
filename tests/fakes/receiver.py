"""A messenger's server on the loopback, over TLS: keeps what it is sent, byte for byte, and says when it came."""

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.certificates import Pair


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; header names in small letters."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


class Receiver:
    """*came* is every request in its order; *answering* is told of one before it is answered, with *answer*."""

    def __init__(self, pair: Pair, answer: bytes = b"ok") -> None:
        self.came: list[Request] = []
        self.answering: Callable[[Request], None] = lambda _: None
        lock, receiver = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.path, headers, body, time.time())
                with lock:
                    receiver.came.append(request)
                receiver.answering(request)
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that was killed is no trouble of the server's."""

        self._http = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.cert, pair.key)
        # a handshake belongs to its own thread: one that hangs holds up nobody
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return self._http.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
