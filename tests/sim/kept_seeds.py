"""Seeds that once broke a promise, each with what it found; they are tried for ever."""

KEPT: tuple[int, ...] = (
    137,  # the database lost the entry of an account that was switched off since: no sweep ever looked there again
)
