"""
A person's versions compared, made once for each state of the scores: pages and API ask the same.

What is kept is the newest comparison of some accounts of this process, by what it rests on (`compared_mark`), which
changes once a day, when another whole day has ended; a rerun of a page costs a few short queries. Used from any thread;
two that come at once may both count.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.system import system
from lib.domain.stretch import Criteria
from lib.evidence.ladder import criteria_for
from lib.evidence.versions import Versions, versions, whole_until
from lib.queries import Calls, VersionKey

MOST_KEPT = 64


@dataclass(frozen=True, slots=True)
class Told:
    """
    *versions* as they are judged, the *calls* of each, which *traded*, and how many answers of each are *waiting* for
    their day to be whole; *one_way* answers can never be counted.
    """

    versions: Versions[VersionKey]
    calls: Mapping[VersionKey, Calls]
    traded: frozenset[VersionKey]
    waiting: Mapping[VersionKey, int]
    one_way: int


def criteria_of_running(user_id: int, tries: int) -> Criteria | None:
    """
    What a stretch of evidence that begins now has to show, by what the version that runs was answered so far, as the
    person's stretch number *tries*; None while nothing was scored.
    """
    told, running = comparison(user_id), system().readings.running_strategy(user_id)
    if told is None:
        return None
    version_id = 0 if running is None else running.version_id
    mine = [(key, one) for key, one in told.versions.judged.items() if key.version_id == version_id]
    if not mine:
        return None
    key, one = max(mine, key=lambda each: each[1].decisions)
    return criteria_for(one, key.model, tries)


_kept: OrderedDict[tuple[int, int | None], tuple[object, object, Told]] = OrderedDict()
_turn = threading.Lock()


def comparison(user_id: int, account_id: int | None = None) -> Told | None:
    """The versions of the person's account (None: the one in use) as they stand; None without an account."""
    readings, place, now = system().readings, (user_id, account_id), system().clock.now_ms()
    mark = readings.compared_mark(user_id, whole_until(now), account_id)
    if mark is None:
        return None
    rests_on = (whole_until(now), mark.rests_on, frozenset(mark.waiting))
    with _turn:
        known = _kept.get(place)
    if known is not None and known[0] is readings and known[1] == rests_on:
        return replace(known[2], waiting=mark.waiting)
    found = readings.compared(user_id, whole_until(now), account_id)
    if found is None:
        return None
    answers = {key: found.answers.get(key, ()) for key in (*mark.waiting, *found.answers)}
    told = Told(versions(answers, now), found.calls, found.traded | mark.traded, mark.waiting, found.one_way)
    with _turn:
        _kept[place] = (readings, rests_on, told)
        _kept.move_to_end(place)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return told
