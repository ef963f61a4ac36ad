"""
The real system over a candle file, on a stepped clock: `make replay` and the demo's past.
"""
