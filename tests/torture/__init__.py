"""Real processes, killed, frozen and cut off at every step of an order; the exchange's own books are the judge."""
