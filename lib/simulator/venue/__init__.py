"""
Bybit's v5 REST over the engine: requests and answers as bytes, with its limits, codes and faults.
"""
