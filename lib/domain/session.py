"""
How long a signed-in browser stays signed in. Pure; times in epoch ms.
"""

ABSOLUTE_MS = 24 * 3_600_000
"""However much it is used."""
IDLE_MS = 2 * 3_600_000
"""Without being used."""


def is_over(created_ms: int, seen_ms: int, now_ms: int) -> bool:
    """Whether a session begun at *created_ms* and last used at *seen_ms* has ended by itself."""
    return now_ms - created_ms >= ABSOLUTE_MS or now_ms - seen_ms >= IDLE_MS
