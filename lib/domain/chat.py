"""
A person's chat with the platform's bot: what may be asked there, by which words, and how long what it waits for holds.

A chat may look, pause and close everything; whatever loosens something is the page's. Pure.
"""

from dataclasses import dataclass
from enum import StrEnum

from lib.domain.account import NUMBERS, Numbers

BOT = "bot"
"""The service of the channel that is a person's chat with the platform's own bot."""
OFFER_MS = 600_000
"""How long a code that binds a chat is good for."""
CLOSE_MS = 120_000
"""How long the bot waits for the second factor before it forgets that everything was to be closed."""
LATE_MS = 300_000
"""How old a message may be to be done: an older one was written about what is no more, while the bot was away."""
LONGEST_TEXT = 200


class Ask(StrEnum):
    """What a chat asks; each has a button and a command."""

    STATUS = "status"
    POSITIONS = "positions"
    PAUSE = "pause"
    CLOSE = "close"
    RESUME = "resume"
    CANCEL = "cancel"
    HELP = "help"


ACTS = frozenset({Ask.PAUSE, Ask.CLOSE})
"""What is done, and not looked at or said."""

WORDS: dict[str, Ask] = {
    word: ask
    for ask, words in {
        Ask.STATUS: ("/status", "status", "상태", "/상태"),
        Ask.POSITIONS: ("/positions", "/position", "positions", "포지션", "/포지션"),
        Ask.PAUSE: ("/pause", "pause", "일시정지", "/일시정지", "/stop"),
        Ask.CLOSE: ("/close", "/closeall", "close everything", "모두 종료", "전체 종료", "/종료"),
        Ask.RESUME: ("/resume", "resume", "재개", "/재개"),
        Ask.CANCEL: ("/cancel", "cancel", "취소", "/취소"),
        Ask.HELP: ("/help", "/start", "help", "도움말", "/도움말"),
    }.items()
    for word in words
}


def read_ask(text: str) -> Ask | None:
    """What *text* asks; None for anything else. A command may name the bot: /status@name."""
    word = " ".join(text.split()).lower()
    return WORDS.get(word.partition("@")[0] if word.startswith("/") else word)


def read_code(text: str) -> str:
    """
    The code in *text*; "" for a command. `/start CODE` is what one touch of anybody's link sends: who made the link
    would choose whose account the chat is bound to.
    """
    return "" if text.lstrip().startswith("/") else text.strip()


@dataclass(frozen=True, slots=True)
class Incoming:
    """
    One message to the bot. *language* is what its writer's app speaks ("" = not told), *sent_ms* when Telegram took it
    (epoch ms; 0 = not told, which is long ago); text and chat are in no repr.
    """

    update_id: int
    chat_id: int
    is_private: bool
    text: str
    language: str = ""
    sent_ms: int = 0

    def __repr__(self) -> str:
        return f"Incoming({self.update_id})"

    def is_late(self, now_ms: int) -> bool:
        """Whether it came too late for anything to be done by it."""
        return now_ms - self.sent_ms > LATE_MS


@dataclass(frozen=True, slots=True)
class BoundChat:
    """
    A chat and whose it is. Until *close_until_ms* it waits for the second factor; *awaits_ms* is when everything was
    last closed from it (0 = never), *told_ms* when that was told to be proved.
    """

    user_id: int
    chat_id: int
    email: str
    locale: str
    time_zone: str
    is_guest: bool
    close_until_ms: int = 0
    awaits_ms: int = 0
    told_ms: int = 0
    numbers: Numbers = NUMBERS

    def __repr__(self) -> str:
        return f"BoundChat({self.user_id})"
