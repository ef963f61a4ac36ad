"""
The Bot API over HTTPS: getMe, getUpdates, sendMessage (https://core.telegram.org/bots/api).

The token stands in every address, so no address is in an error: what failed is told by its kind alone. Answers are read
to a limit, no proxy and no redirect is followed. A message that is no text of a person is left out, but its number
counts. Not here: webhooks, which would want a public address of this process.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests

from lib import log
from lib.domain import reason_codes as codes
from lib.domain.chat import LONGEST_TEXT, Incoming
from lib.domain.errors import Retry
from lib.ports.chat import BotApi, BotName
from lib.ports.notifier import Courier

CONNECT_S, READ_S = 5.0, 10.0
MOST_BYTES = 1_000_000
PIECE = 16 * 1024
AT_ONCE = 20
LONGEST_MESSAGE = 4_000
"""Characters; Telegram takes 4,096."""
CUT = "…"
CALLS_A_PERSON = {401: "telegram.token_refused", 404: "telegram.token_refused", 409: "telegram.read_elsewhere"}
"""Refusals that end only when somebody mends them: another token, and whoever else reads this bot's messages."""
_log = log.get("telegram")


class TelegramApi(BotApi):
    """Safe from any thread: a connection a call."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base = f"{base_url}/bot{token}"
        self._alerted = 0
        log.register_secret(token)

    def me(self) -> BotName:
        told = self._call("getMe", {})
        if not (isinstance(told, dict) and isinstance(told.get("id"), int) and isinstance(told.get("username"), str)):
            raise Retry(codes.CHANNEL_SILENT())
        return BotName(told["id"], told["username"][:64])

    def updates(self, first: int, wait_s: int) -> list[Incoming]:
        asked = {"offset": first, "timeout": wait_s, "limit": AT_ONCE, "allowed_updates": ["message"]}
        told = self._call("getUpdates", asked, wait_s)
        return sorted(_read(told if isinstance(told, list) else []), key=lambda one: one.update_id)

    def say(self, chat_id: int, text: str, buttons: Sequence[Sequence[str]] = ()) -> None:
        cut = text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + CUT
        message: dict[str, Any] = {"chat_id": chat_id, "text": cut, "link_preview_options": {"is_disabled": True}}
        if buttons:
            rows = [[{"text": word} for word in row] for row in buttons]
            message["reply_markup"] = {"keyboard": rows, "resize_keyboard": True, "is_persistent": True}
        self._call("sendMessage", message)

    def _call(self, method: str, body: Mapping[str, Any], wait_s: int = 0) -> object:
        try:
            return self._answer(method, body, wait_s)
        except (requests.RequestException, ValueError, OSError) as failed:
            _log.warning("telegram.failed", method=method, type=type(failed).__name__)
            raise Retry(codes.CHANNEL_SILENT()) from None

    def _answer(self, method: str, body: Mapping[str, Any], wait_s: int) -> object:
        with requests.Session() as session:
            session.trust_env = False
            with session.post(
                f"{self._base}/{method}", json=body, timeout=(CONNECT_S, READ_S + wait_s), stream=True,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                told = json.loads(_body(answer))
        if not (isinstance(told, dict) and told.get("ok") is True):
            code = told.get("error_code") if isinstance(told, dict) else 0
            self._refused(method, code if isinstance(code, int) else 0)
            raise Retry(codes.CHANNEL_SILENT())
        if method == "getUpdates":
            self._alerted = 0
        return told.get("result")

    def _refused(self, method: str, code: int) -> None:
        _log.warning("telegram.refused", method=method, code=code)
        if code in CALLS_A_PERSON and self._alerted != code:
            self._alerted = code  # once, until messages can be read again
            _log.alert(CALLS_A_PERSON[code], code=code)


def _body(answer: requests.Response) -> bytes:
    body = b""
    for piece in answer.iter_content(PIECE):
        body += piece
        if len(body) > MOST_BYTES:
            raise ValueError("the answer is too long")
    return body


def _read(told: Sequence[object]) -> Iterator[Incoming]:
    """Each update's number; what is no text of a person has none and no chat."""
    for update in told:
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            continue
        message = update.get("message")
        yield _incoming(update["update_id"], message if isinstance(message, dict) else {})


def _incoming(update_id: int, message: Mapping[str, Any]) -> Incoming:
    chat, text, sender = message.get("chat"), message.get("text"), message.get("from")
    if not (isinstance(chat, dict) and isinstance(chat.get("id"), int) and isinstance(text, str)):
        return Incoming(update_id, 0, False, "")
    language = str(sender.get("language_code") or "") if isinstance(sender, dict) else ""
    is_private = chat.get("type") == "private"
    date = message.get("date")
    sent_ms = date * 1000 if isinstance(date, int) else 0
    return Incoming(update_id, chat["id"], is_private, text[:LONGEST_TEXT], language[:8], sent_ms)


class BotCourier(Courier):
    """Notifications to a chat with the bot; the address is the chat's number."""

    def __init__(self, api: BotApi) -> None:
        self._api = api

    def send(self, address: str, title: str, body: str) -> None:
        self._api.say(int(address), f"{title}\n{body}")
