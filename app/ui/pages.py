"""Arithmetic of pages: how many there are."""


def page_count(total: int, limit: int) -> int:
    """Pages of *limit* rows that *total* rows fill; at least one."""
    return max(1, -(-total // limit))
