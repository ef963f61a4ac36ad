"""A season as pages show it: somebody sure, somebody who loses, a tie, who is too young, the house, and a leaver."""

from dataclasses import replace
from functools import cache

from lib.domain.arena import DAY_MS, Entry, Rules, Season, Standing, rules_text, seal_of
from lib.evidence.arena import standing_of
from lib.queries import ArenaView
from tests.worlds.answers import answers

RULES = Rules(90, 100, 5)


def season(now_ms: int) -> Season:
    """One that began fifty days ago."""
    text, begun = rules_text(RULES), now_ms - 50 * DAY_MS
    return Season(1, begun, RULES, text, seal_of(begun, text), taken=7)


@cache
def arena_view(now_ms: int, name: str, user_id: int = 1) -> ArenaView:
    """The season as it stands at *now_ms*; *user_id*'s entry is called *name*."""
    one = season(now_ms)
    until = (now_ms - 26 * 3_600_000) // DAY_MS * DAY_MS

    def entry(place: int, who: int, called: str, standing: Standing | None = None) -> Entry:
        return Entry(place, 1, who, 2, "gpt-4o-mini", place, called, False, one.begun_ms, standing=standing)

    def stands(days: int, skill: float, seed: int) -> Standing:
        begin = until - days * DAY_MS
        return standing_of(answers(days, skill, seed, begin_ms=begin), entry(1, 1, ""), until, RULES.places)

    return ArenaView(
        True,
        one,
        (
            entry(1, user_id, name, stands(45, 0.6, 1)),
            replace(entry(2, 21, "한강", stands(45, 0.0, 2)), model="qwen2.5-coder:32b-instruct"),
            entry(3, 22, "blue whale", stands(30, -0.6, 3)),
            replace(entry(4, 23, "하루살이", stands(4, 0.2, 4)), entered_ms=until - 5 * DAY_MS),
            replace(entry(5, 24, "Newcomer"), entered_ms=now_ms),
            replace(entry(6, 5, "Bundled rules", stands(45, -0.1, 5)), house=True, model="rules"),
            replace(entry(7, 25, "SECRET-NAME", stands(20, -0.3, 6)), left_ms=until - 5 * DAY_MS),
        ),
    )
