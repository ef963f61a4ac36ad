"""Telegram's Bot API: `lib.ports.chat.BotApi`, and the way out for channels that are chats with the bot."""
