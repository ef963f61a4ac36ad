"""
Backtesting libraries beside the event engine: each in a virtual environment of its own, with an equivalent rule.

A peer is installed when it is first asked for, under var/peers, and never into ours. What is compared is time: their
fills, fees and sizes are their own, so their money is only shown.
"""
