"""
How many calls to Bybit leave, and which of them go first.
"""
