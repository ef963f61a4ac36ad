"""
What a form is told instead of yes: a catalogue key and the words of its sentence. A value, never an exception.
"""

from dataclasses import dataclass

from lib.domain.reason import NOTHING, Reason

Param = str | int | Reason | tuple[Reason, ...]


@dataclass(frozen=True, slots=True, init=False)
class Refusal:
    """
    Why not: *key* names a sentence of the catalogues ("refuse.credentials"), *params* fill it, reasons among them.

    Nothing in it is secret.
    """

    key: str
    params: dict[str, Param]

    def __init__(self, key: str, **params: Param) -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "params", params)

    @property
    def why(self) -> Reason:
        """The reason behind it, where there is one."""
        why = self.params.get("why", NOTHING)
        return why if isinstance(why, Reason) else NOTHING

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What an exchange listed under it."""
        listed = self.params.get("reasons", ())
        return listed if isinstance(listed, tuple) else ()
