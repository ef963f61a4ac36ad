"""
How long to wait before the next attempt after failures in a row: the rule of every stream and loop that tries again.

It doubles and stops growing, and a share of it is drawn at random, so that many who failed together do not come back
together. It draws nothing itself and counts nothing: whoever tries hands both in.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """
    From *first_s* to *cap_s* seconds. *jitter* is the share by which a draw may lengthen a pause: 1 = up to twice.

    ValueError when a pause could be longer than *cap_s* or none at all.
    """

    first_s: float
    cap_s: float
    jitter: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.first_s * (1 + self.jitter) <= self.cap_s or self.jitter < 0:
            raise ValueError("a backoff needs 0 < first x (1 + jitter) <= cap")

    def pause_s(self, failures: int, draw: float = 0.0) -> float:
        """Seconds to wait after *failures* in a row (none counts as one); *draw* is at least 0 and below 1."""
        doubled = self.first_s * 2.0 ** min(max(failures - 1, 0), 30)
        return min(doubled, self.cap_s / (1 + self.jitter)) * (1 + self.jitter * draw)
