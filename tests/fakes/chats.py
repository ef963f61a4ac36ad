"""Chats with the bot, in memory, and a bot that remembers what it said."""

from collections.abc import Sequence

from lib.domain import reason_codes as codes
from lib.domain.chat import BoundChat, Incoming
from lib.domain.errors import Retry
from lib.ports.chat import BotApi, BotName, Chats, Glance, Glances


class MemoryChats(Chats):
    """`lib.ports.chat.Chats`; *people* are (email, locale) by number."""

    def __init__(self) -> None:
        self.people: dict[int, tuple[str, str]] = {}
        self.codes: dict[str, tuple[int, int]] = {}
        self.bound: dict[int, int] = {}
        self.waits: dict[int, int] = {}
        self.awaited: dict[int, tuple[int, int]] = {}
        self.next: dict[int, int] = {}

    def offer(self, user_id: int, code_sha256: str, until_ms: int) -> None:
        self.codes = {code: held for code, held in self.codes.items() if held[0] != user_id}
        self.codes[code_sha256] = (user_id, until_ms)

    def bind(self, code_sha256: str, chat_id: int, name: str, now_ms: int) -> int | None:
        user_id, until_ms = self.codes.get(code_sha256, (0, 0))
        if until_ms <= now_ms:
            return None
        del self.codes[code_sha256]
        self.bound = {chat: owner for chat, owner in self.bound.items() if owner != user_id and chat != chat_id}
        self.bound[chat_id] = user_id
        return user_id

    def owner(self, chat_id: int) -> BoundChat | None:
        user_id = self.bound.get(chat_id)
        if user_id is None:
            return None
        email, locale = self.people.get(user_id, ("a@example.com", "en"))
        awaits, told = self.awaited.get(user_id, (0, 0))
        return BoundChat(user_id, chat_id, email, locale, "", False, self.waits.get(user_id, 0), awaits, told)

    def chat_of(self, user_id: int) -> BoundChat | None:
        return next((self.owner(chat) for chat, owner in self.bound.items() if owner == user_id), None)

    def wait_for_code(self, user_id: int, until_ms: int) -> None:
        self.waits[user_id] = until_ms

    def await_proof(self, user_id: int, switched_ms: int) -> None:
        self.awaited[user_id] = (switched_ms, 0)

    def owed(self) -> list[BoundChat]:
        found = [self.owner(chat) for chat in self.bound]
        return [one for one in found if one and one.awaits_ms and not one.told_ms]

    def proof_told(self, user_id: int, now_ms: int) -> None:
        self.awaited[user_id] = (self.awaited[user_id][0], now_ms)

    def serve(self, bot: BotName, now_ms: int) -> int:
        return self.next.setdefault(bot.bot_id, 0)

    def claim(self, bot_id: int, update_id: int) -> bool:
        is_new = self.next.get(bot_id, 0) <= update_id
        self.next[bot_id] = max(self.next.get(bot_id, 0), update_id + 1)
        return is_new


class ToldGlances(Glances):
    """`lib.ports.chat.Glances`, as the test tells them."""

    def __init__(self) -> None:
        self.of: dict[int, Glance] = {}

    def glance(self, user_id: int) -> Glance | None:
        return self.of.get(user_id)


class ScriptedBot(BotApi):
    """*waiting* is what comes next; *said* is (chat, text)."""

    def __init__(self) -> None:
        self.waiting: list[Incoming] = []
        self.said: list[tuple[int, str]] = []
        self.asked: list[int] = []
        """From which number messages were asked for."""
        self.refusing: set[int] = set()
        """Chats that take nothing."""

    def me(self) -> BotName:
        return BotName(77, "maemae_test_bot")

    def updates(self, first: int, wait_s: int) -> list[Incoming]:
        self.asked.append(first)
        return [one for one in self.waiting if one.update_id >= first]

    def say(self, chat_id: int, text: str, buttons: Sequence[Sequence[str]] = ()) -> None:
        if chat_id in self.refusing:
            raise Retry(codes.CHANNEL_SILENT())
        self.said.append((chat_id, text))
