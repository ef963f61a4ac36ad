"""The REST and WebSocket routes: thin, over the same use-cases and readings as the pages."""
