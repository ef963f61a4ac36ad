"""
Candle files as people have them: text from anywhere in, one-minute candles out.

Rules, no list of makers: a column is known by its name or its place, a time by its size or its shape. It opens nothing
(`lib.adapters.unpacking` does) and guesses nothing about money: what can be read two ways is refused, with the line.
"""
