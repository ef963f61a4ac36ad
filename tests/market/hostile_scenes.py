"""
Hostile scenes by number: one kind of hostility or two of them, or harmless ones alone.

`HARMLESS` kinds change only the spelling; a scene of those alone must yield its window, any one hostile kind must not.
"""

from collections.abc import Callable
from random import Random

from tests.market import hostile_rest as rest
from tests.market import hostile_stored as stored
from tests.market.hostile_windows import Scene, market

HARMLESS: tuple[Callable[[Scene], None], ...] = (
    stored.clean,
    stored.other_spelling,
    stored.bare_numbers,
    stored.only_thirty,
    stored.comes_later,
    stored.returns_later,
)
HOSTILE: tuple[Callable[[Scene], None], ...] = (
    stored.gap,
    stored.duplicate,
    stored.disorder,
    stored.upside_down,
    stored.zero_price,
    stored.negative,
    stored.not_a_number,
    stored.inside_out,
    stored.jump,
    stored.unclosed,
    stored.unclosed_shown_as_closed,
    stored.flushed,
    stored.rolled_back,
    stored.rolled_back_days,
    stored.another_feed,
    stored.another_feeds_past,
    stored.another_feeds_end,
    stored.off_the_boundary,
    stored.wrong_step,
    stored.one_tick_off,
    stored.strange_time,
    stored.not_json,
    stored.cut_off,
    stored.flipped_bit,
    stored.glued,
    stored.wrong_types,
    stored.key_missing,
    stored.redis_away,
    rest.rest_lies,
    rest.rest_of_another_feed,
    rest.rest_stale,
    rest.rest_short,
    rest.rest_empty,
    rest.rest_away,
    rest.rest_unreadable,
    rest.rest_rows_broken,
    rest.rest_clock_behind,
    rest.rest_duplicate,
    rest.absurd_everywhere,
    rest.gap_everywhere,
    rest.late_everywhere,
    rest.new_everywhere,
)


def scene_of(seed: int) -> tuple[Scene, tuple[str, ...]]:
    """Scene number *seed* and the kinds it is made of: one hostile kind, two of them, or harmless ones alone."""
    rng = Random(seed)
    truth = market(rng)
    scene = Scene(rng, truth, held=list(truth), shown=list(truth))
    # every kind in turn, so that none is rare; one scene in eight is harmless
    first = rng.choice(HARMLESS) if seed % 8 == 0 else HOSTILE[(seed - seed // 8) % len(HOSTILE)]
    kinds = [first]
    if rng.random() < 0.35:
        kinds.append(rng.choice(HARMLESS if first in HARMLESS else HOSTILE + HARMLESS))
    for kind in kinds:
        kind(scene)
    return scene, tuple(kind.__name__ for kind in kinds)
