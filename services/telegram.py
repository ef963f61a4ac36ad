"""
The bot's process: people ask by Telegram how their account stands, pause it and close everything, until SIGTERM.

A process of its own, because it holds what no other may hold together: the bot's token, and what opens second factors.
It can open no exchange key and no address of a channel. Without TELEGRAM_BOT_TOKEN there is no bot, and it waits, so
that a Procfile may name it.
"""

import asyncio
import signal

from lib import bootstrap, log
from lib.settings import Settings
from services.process import run_process


def main(settings: Settings) -> None:
    """Entry point under `run_process`."""
    with bootstrap.measured("telegram", settings):
        asyncio.run(_chat(settings))


async def _chat(settings: Settings) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if not settings.notify.bot_token:
        log.get("bot").info("bot.none")
        await stop.wait()
        return
    with bootstrap.chat_bot(settings) as chatting:
        await asyncio.gather(chatting.bot.run(stop), chatting.sender.run(stop))


if __name__ == "__main__":
    run_process("telegram", main)
