"""The platform's bot, wired: messages are answered, and notifications for chats with it go out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lib.accounts.chat_talk import Talk, TalkPorts
from lib.accounts.safety import Safety
from lib.adapters.sql.forms.chats import ChatOpener, SqlChats
from lib.adapters.sql.forms.deliveries import SqlDeliveries
from lib.adapters.sql.forms.leaving import SqlLeaving
from lib.adapters.telegram.bot_api import BotCourier, TelegramApi
from lib.bootstrap import stores
from lib.bootstrap.web import people_stores, trading_desk
from lib.clock import SystemClock
from lib.queries.glances import GlanceReadings
from lib.settings import Settings
from lib.telling.bot import Bot
from lib.telling.letters import composed
from lib.telling.sender import Sender


@dataclass(frozen=True, slots=True)
class Chatting:
    """The two works of the bot's process."""

    bot: Bot
    sender: Sender


@contextmanager
def chat_bot(settings: Settings) -> Iterator[Chatting]:
    """The bot over live ports: the acts are the page's own."""
    settings.require("DATABASE_URL", "REDIS_URL", "ENCRYPTION_PUBLIC_KEY", "INSTALLATION", "WEB_SECRET")
    engine, clock = stores.database(settings), SystemClock()
    chats, api = SqlChats(engine), TelegramApi(settings.notify.bot_api, settings.notify.bot_token)
    kept = people_stores(settings, engine)
    glances = GlanceReadings(engine, stores.candle_store(settings))
    ports = TalkPorts(chats, glances, kept.throttles, kept.trail, kept)
    talk = Talk(ports, Safety(kept, clock, SqlLeaving(engine)), trading_desk(settings, engine, clock), clock)
    sending = SqlDeliveries(engine, bot=True)
    try:
        yield Chatting(
            Bot(api, chats, talk, clock), Sender(sending, ChatOpener(chats), BotCourier(api), composed, clock)
        )
    finally:
        engine.dispose()
