"""
The simulation: real traders, virtual time, faults at every port, and a referee at the exchange.

`python -m tests.sim --seeds N` runs N worlds. One integer seed fixes everything of a world: interleavings, latencies,
faults, prices, views and people, so a failing seed fails again, for ever, on every machine.
"""
