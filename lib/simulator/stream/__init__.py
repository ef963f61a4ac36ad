"""
Bybit's v5 WebSockets over the engine.
"""
