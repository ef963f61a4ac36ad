"""
What decisions were worth: replayed over candles by events, with the functions that trade.
"""
