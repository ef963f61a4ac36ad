"""Which figures the system has, and how what the logs tell becomes them."""
