"""
A server of the Bot API on the loopback: the wire shapes of https://core.telegram.org/bots/api, what people write, what
they are told, and when.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

TOKEN = "123456789:AAcanaryTokenOfTheBotOfThisPlatform"
BOT = {"id": 123456789, "is_bot": True, "first_name": "Maemae", "username": "maemae_test_bot"}


@dataclass(frozen=True)
class Told:
    """A message of the bot, and when it came, epoch seconds."""

    chat_id: int
    text: str
    buttons: tuple[str, ...]
    at: float


def _read(raw: bytes) -> dict[str, Any]:
    """A body as JSON or as a form: clients send either."""
    if raw.startswith(b"{"):
        found: dict[str, Any] = json.loads(raw)
        return found
    return {name: values[0] for name, values in parse_qs(raw.decode()).items()}


class BotServer:
    """*told* is what the bot said; `write` is somebody writing to it."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.updates: list[dict[str, Any]] = []
        self.refusing: set[int] = set()
        """Chats that blocked the bot."""
        self.read_by_another = False
        """Whether a webhook is set, or another process polls."""
        self.repeats = False
        """Whether updates come again though they were confirmed."""
        self.telling: Callable[[Told], None] = lambda _: None
        """Told of each message that has arrived, before it is answered."""
        self.next_number = 1_000
        """Of what is written next."""
        self._confirmed: set[int] = set()
        self._changed = threading.Condition()
        self._stopping = False
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = _read(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                _, bot, method = self.path.split("/", 2)
                answer = server.answer(bot.removeprefix("bot"), method, body)
                raw = json.dumps(answer).encode()
                self.send_response(200 if answer["ok"] else answer["error_code"])
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                return

        self._http = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def write(
        self, chat_id: int, text: str, kind: str = "private", language: str = "ko", date: int | None = None
    ) -> int:
        """Somebody sends *text* at *date*, epoch seconds (None = now); the update's number."""
        with self._changed:
            number, self.next_number = self.next_number, self.next_number + 1
            sender = {"id": chat_id, "is_bot": False, "first_name": "Kim", "language_code": language}
            chat = {"id": chat_id, "type": kind, **({"first_name": "Kim"} if kind == "private" else {"title": "us"})}
            at = int(time.time()) if date is None else date
            message = {"message_id": number, "from": sender, "chat": chat, "date": at, "text": text}
            self.updates.append({"update_id": number, "message": message})
            self._changed.notify_all()
        return number

    def texts(self, chat_id: int) -> list[str]:
        return [one.text for one in self.told if one.chat_id == chat_id]

    def wait_for(self, chat_id: int, words: str, seconds: float, since: int = 0) -> Told:
        """The first message of the chat after *since* of them that holds *words*; AssertionError when none comes."""
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                for one in [told for told in self.told if told.chat_id == chat_id][since:]:
                    if words in one.text:
                        return one
                if (left := end - time.monotonic()) <= 0:
                    raise AssertionError(f"{words!r} did not come: {self.texts(chat_id)[since:]}")
                self._changed.wait(left)

    def answer(self, token: str, method: str, body: dict[str, Any]) -> dict[str, Any]:
        if token != TOKEN:
            return {"ok": False, "error_code": 401, "description": "Unauthorized"}
        if method == "getMe":
            return {"ok": True, "result": BOT}
        if method == "getUpdates" and self.read_by_another:
            words = (
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete it first"
            )
            return {"ok": False, "error_code": 409, "description": words}
        if method == "getUpdates":
            return {"ok": True, "result": self._updates(int(body.get("offset") or 0), float(body.get("timeout") or 0))}
        if method == "sendMessage":
            return self._send(body)
        return {"ok": False, "error_code": 404, "description": "Not Found"}

    def _updates(self, offset: int, timeout_s: float) -> list[dict[str, Any]]:
        end = time.monotonic() + timeout_s
        with self._changed:
            self._confirmed.update(one["update_id"] for one in self.updates if one["update_id"] < offset)
            while True:
                found = [one for one in self.updates if self.repeats or one["update_id"] not in self._confirmed]
                left = end - time.monotonic()
                if found or left <= 0 or self._stopping:
                    return found[:100]
                self._changed.wait(left)

    def _send(self, body: dict[str, Any]) -> dict[str, Any]:
        chat_id = int(body["chat_id"])
        if chat_id in self.refusing:
            return {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}
        markup = body.get("reply_markup") or {}
        markup = json.loads(markup) if isinstance(markup, str) else markup
        buttons = tuple(key["text"] for row in markup.get("keyboard", ()) for key in row)
        told = Told(chat_id, body["text"], buttons, time.time())
        with self._changed:
            self.told.append(told)
            number = len(self.told)
            self._changed.notify_all()
        self.telling(told)
        chat = {"id": chat_id, "type": "private", "first_name": "Kim"}
        result = {"message_id": number, "from": BOT, "chat": chat, "date": int(time.time()), "text": body["text"]}
        return {"ok": True, "result": result}
