"""
How many tokens a text is, estimated. Pure.

A token is taken as two bytes of UTF-8, rather too many tokens than too few: candles are mostly digits, of which
tokenizers take one to three at a time.
"""

BYTES_PER_TOKEN = 2


def estimated(text: str) -> int:
    """About how many tokens *text* is."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
