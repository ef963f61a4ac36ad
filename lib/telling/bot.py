"""
The platform's bot: takes each message once, has it answered, and tells who closed everything when that is proved.

A message is claimed before it is answered, so a process that dies in between has not done it, and its writer, who got
no answer, asks again; nothing is done twice. An answer the Bot API does not take is lost. Messages wait for nobody:
while nothing comes the API is asked with a long wait, and proofs are looked for meanwhile by a task of their own. A
chat that takes none (its person blocked the bot) holds up nobody else's.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from lib import log
from lib.clock import Clock
from lib.domain.chat import BoundChat, Incoming
from lib.domain.errors import Retry
from lib.ports.chat import BotApi, BotName, Chats

WAIT_S = 5
"""How long the Bot API holds a question while nothing comes; so long this process may take to end."""
PAUSE_S = 3.0
"""After a failure."""
PROOFS_S = 1.0
PROOF_AGAIN_MS = 15_000
"""After a chat did not take its proof."""
T = TypeVar("T")
_log = log.get("bot")


class Said(Protocol):
    """What a chat is told."""

    @property
    def text(self) -> str: ...

    @property
    def buttons(self) -> Sequence[Sequence[str]]: ...


class Conversation(Protocol):
    """What the bot answers; see `lib.accounts.chat_talk`."""

    def answer(self, told: Incoming) -> Said | None: ...

    def proofs(self) -> Sequence[tuple[BoundChat, Said]]: ...

    def told(self, chat: BoundChat) -> None: ...


class Bot:
    """Over ports."""

    def __init__(self, api: BotApi, chats: Chats, talk: Conversation, clock: Clock) -> None:
        self._api = api
        self._chats = chats
        self._talk = talk
        self._clock = clock
        self._me: BotName | None = None
        self._came_some = False
        self._proof_after: dict[int, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until *stop*; the thread that holds a question then ends with its answer."""
        looking = [asyncio.create_task(self._again(work, stop)) for work in (self.take, self.prove)]
        await stop.wait()
        await asyncio.wait(looking, timeout=1.0)

    async def _again(self, work: Callable[[], float], stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                pause = await asyncio.to_thread(work)
            except Retry as away:
                _log.warning("bot.waits", why=str(away))
                pause = PAUSE_S
            except Exception as mistake:  # noqa: BLE001 - one message's trouble ends no other's
                _log.error("bot.failed", mistake)
                pause = PAUSE_S
            if pause:
                await _pause(stop, pause)

    def take(self) -> float:
        """Take and answer what has come; the seconds to wait before the next time."""
        self._me = self._me or self._api.me()
        first = self._chats.serve(self._me, self._clock.now_ms())
        # a number confirms what came before it, and is sent for that alone: after a quiet week they begin anywhere
        came = self._api.updates(first if self._came_some else 0, WAIT_S)
        self._came_some = False
        for told in came:
            if self._chats.claim(self._me.bot_id, told.update_id):
                self._answer(told)
        self._came_some = bool(came)
        return 0.0

    def _answer(self, told: Incoming) -> None:
        said = self._talk.answer(told)
        if said is None:
            return
        try:
            self._api.say(told.chat_id, said.text, said.buttons)
        except Retry as away:
            _log.warning("bot.unanswered", update=told.update_id, why=str(away))

    def prove(self) -> float:
        """Tell what is proved by now; the seconds to wait before the next time."""
        now = self._clock.now_ms()
        for chat, said in self._talk.proofs():
            if self._proof_after.get(chat.user_id, 0) <= now:
                self._tell_proof(chat, said, now)
        return PROOFS_S

    def _tell_proof(self, chat: BoundChat, said: Said, now_ms: int) -> None:
        try:
            self._api.say(chat.chat_id, said.text, said.buttons)
        except Retry as away:
            self._proof_after[chat.user_id] = now_ms + PROOF_AGAIN_MS
            _log.warning("bot.proof_waits", user_id=chat.user_id, why=str(away))
            return
        self._proof_after.pop(chat.user_id, None)
        self._talk.told(chat)
        _log.info("bot.proof_told", user_id=chat.user_id)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
