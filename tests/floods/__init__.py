"""Floods against a real web process over real sockets; `python -m tests.floods` prints what another person waited."""
