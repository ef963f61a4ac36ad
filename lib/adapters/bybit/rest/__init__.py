"""
Bybit's v5 REST: signed calls, and its rows as our values.
"""
