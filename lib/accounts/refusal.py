"""
What a form is told instead of yes: a catalogue key and the words of its sentence. A value, never an exception.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, init=False)
class Refusal:
    """Why not: *key* names a sentence of the catalogues ("refuse.credentials"), *params* fill it; nothing secret."""

    key: str
    params: dict[str, str | int]

    def __init__(self, key: str, **params: str | int) -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "params", params)
