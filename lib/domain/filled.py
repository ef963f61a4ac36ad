"""
A sentence with its figures in it, where one is not many: `{n} {n:try|tries}` is "1 try" and "2 tries".

Every catalogue of ours is filled here. A figure comes as its reader writes it; Korean nouns stay as they are and need
no such place.
"""

from collections.abc import Mapping


class Told(str):
    """What stands for a name; its format `one|many` is the noun beside it."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        if "|" not in spec:
            return super().__format__(spec)
        one, many = spec.split("|")
        return one if self == "1" else many


class _Given(dict[str, object]):
    """A sentence may ask for more than it is given; the gap is shown, not raised."""

    def __getitem__(self, name: str) -> Told:
        return Told(super().__getitem__(name)) if name in self else Told(f"{{{name}}}")


def filled(sentence: str, given: Mapping[str, object]) -> str:
    """*sentence* with what is *given* by name; a name that is not given shows itself."""
    return sentence.format_map(_Given(given))
