"""Apprise: the library that knows how each messenger is spoken to."""
