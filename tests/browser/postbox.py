"""A mail server of the tests' own on the loopback: takes every letter, keeps it, and delivers none."""

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

ANSWERS = {b"DATA": "354 go on", b"QUIT": "221 bye", b"EHLO": "250 SMTPUTF8"}
"""Every other word is answered with yes."""


class Postbox(socketserver.ThreadingTCPServer):
    """Letters as they came, by the address they are to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.letters: dict[str, list[EmailMessage]] = {}

    @property
    def url(self) -> str:
        """What SMTP_URL says."""
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Talk(socketserver.StreamRequestHandler):
    server: Postbox

    def handle(self) -> None:
        self._say("220 the tests' postbox")
        while word := self.rfile.readline():
            command = word.strip().upper()[:4]
            self._say(ANSWERS.get(command, "250 yes"))
            if command == b"DATA":
                self._take()
                self._say("250 kept")
            elif command == b"QUIT":
                return

    def _take(self) -> None:
        lines = iter(self.rfile.readline, b".\r\n")
        raw = b"".join(line[1:] if line.startswith(b"..") else line for line in lines)
        letter = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.server.letters.setdefault(str(letter["To"]), []).append(letter)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def postbox() -> Iterator[Postbox]:
    """A running one, ended with the block."""
    with Postbox() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        try:
            yield made
        finally:
            made.shutdown()
