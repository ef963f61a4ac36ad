"""Every attack thought of, in one command: `python -m tests.attack`. New ones, on real databases, live here."""
