"""
Bybit's v5 WebSockets.
"""
