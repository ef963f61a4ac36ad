"""
The five-minute cycle, from the candles of T to each account's plan and its orders.
"""
