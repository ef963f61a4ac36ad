"""A mail server of the tests' own on the loopback: takes every letter, keeps it, and delivers none."""

import email
import email.policy
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from tests.certificates import Pair

ANSWERS = {
    b"DATA": "354 go on", b"QUIT": "221 bye", b"STAR": "220 go on", b"AUTH": "235 welcome",
    b"EHLO": "250-the tests' postbox\r\n250-STARTTLS\r\n250 AUTH PLAIN",
}  # fmt: skip
"""Every other word is answered with yes."""


class Postbox(socketserver.ThreadingTCPServer):
    """Letters as they came, by the address they are to; *raw* is each as bytes. With *pair* it speaks TLS."""

    daemon_threads = True

    def __init__(self, pair: Pair | None = None, *, tls_first: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.letters: dict[str, list[EmailMessage]] = {}
        self.raw: list[bytes] = []
        self.secured: list[bytes] = []
        """The commands that came over TLS."""
        self.context: ssl.SSLContext | None = None
        if pair is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(pair.cert, pair.key)
        self.tls_first = tls_first

    @property
    def url(self) -> str:
        """What SMTP_URL says."""
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Talk(socketserver.StreamRequestHandler):
    server: Postbox
    is_secure = False

    def handle(self) -> None:
        if self.server.tls_first:
            self._secure()
        self._say("220 the tests' postbox")
        while word := self.rfile.readline():
            command = word.strip().upper()[:4]
            if self.is_secure:
                self.server.secured.append(command)
            self._say(ANSWERS.get(command, "250 yes"))
            if command == b"STAR":
                self._secure()
            if command == b"DATA":
                self._take()
                self._say("250 kept")
            elif command == b"QUIT":
                return

    def _take(self) -> None:
        lines = iter(self.rfile.readline, b".\r\n")
        raw = b"".join(line[1:] if line.startswith(b"..") else line for line in lines)
        self.server.raw.append(raw)
        letter = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.server.letters.setdefault(str(letter["To"]), []).append(letter)

    def _secure(self) -> None:
        assert self.server.context is not None
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.is_secure = True
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def postbox(pair: Pair | None = None, *, tls_first: bool = False) -> Iterator[Postbox]:
    """A running one, ended with the block."""
    with Postbox(pair, tls_first=tls_first) as made:
        threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield made
        finally:
            made.shutdown()
