"""
What a channel is sent: a title and lines of text in its reader's language, their times and way of writing numbers; no
link, no secret. Pure.
"""

from datetime import datetime
from functools import partial

from lib.domain.events import MANNERS
from lib.domain.separators import separated
from lib.domain.time_zones import time_zone
from lib.ports.notifier import Batch, Message
from lib.reason_text import TIME_ZONES, said

NAMES = {"ko": "매매", "en": "Maemae"}


def composed(batch: Batch) -> tuple[str, str]:
    """*batch* as a title and a body; several messages are a line each, oldest first."""
    language = batch.language if batch.language in NAMES else "ko"
    first = batch.messages[0]
    if len(batch.messages) == 1:
        return f"{NAMES[language]} · {_title(first, language)}", _text(first, batch, language)
    lines = [f"{_time(one, batch)} {_title(one, language)}: {_text(one, batch, language)}" for one in batch.messages]
    return f"{NAMES[language]} · {len(lines)}", "\n".join(lines)


def _title(message: Message, language: str) -> str:
    return said(MANNERS[message.kind].title, language)


def _text(message: Message, batch: Batch, language: str) -> str:
    return said(message.why, language, partial(separated, numbers=batch.numbers))


def _time(message: Message, batch: Batch) -> str:
    zone = time_zone(batch.time_zone) or TIME_ZONES.get(batch.language, TIME_ZONES["ko"])
    return datetime.fromtimestamp(message.at_ms / 1000, tz=zone).strftime("%H:%M")
