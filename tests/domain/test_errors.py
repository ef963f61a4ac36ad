"""The four reactions, and that nothing is more than one of them."""

from itertools import permutations

from lib.domain.errors import EXIT_CONFIG, Halt, MaemaeError, Pause, Retry, Skip


def test_there_are_four_reactions_and_none_is_another() -> None:
    reactions = (Retry, Skip, Pause, Halt)
    assert all(issubclass(reaction, MaemaeError) for reaction in reactions)
    assert not any(issubclass(one, other) for one, other in permutations(reactions, 2))


def test_a_halt_exits_as_a_configuration_error() -> None:
    assert EXIT_CONFIG == 78
