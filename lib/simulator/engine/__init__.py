"""
A deterministic exchange for linear perpetuals: accounts, orders, fills, funding, stops.
"""
