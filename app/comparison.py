"""
A person's versions compared, made once for each state of the scores: pages and API ask the same.

What is kept is the newest comparison of some accounts of this process, by what it rests on (`compared_mark` and the
last whole day); a rerun of a page costs one short query. Used from any thread; two that come at once may both count.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from app.system import system
from lib.evidence.versions import Versions, versions, whole_until
from lib.queries import Calls, VersionKey

MOST_KEPT = 64


@dataclass(frozen=True, slots=True)
class Told:
    """*versions* as they are judged, the *calls* of each, which *traded*; *one_way* answers can never be counted."""

    versions: Versions[VersionKey]
    calls: Mapping[VersionKey, Calls]
    traded: frozenset[VersionKey]
    one_way: int


_kept: OrderedDict[tuple[int, int | None], tuple[object, object, Told]] = OrderedDict()
_turn = threading.Lock()


def comparison(user_id: int, account_id: int | None = None) -> Told | None:
    """The versions of the person's account (None: the one in use) as they stand; None without an account."""
    held, place = system(), (user_id, account_id)
    mark = held.readings.compared_mark(user_id, account_id)
    if mark is None:
        return None
    now = held.clock.now_ms()
    rests_on = (*mark, whole_until(now))
    with _turn:
        known = _kept.get(place)
    if known is not None and known[0] is held.readings and known[1] == rests_on:
        return known[2]
    found = held.readings.compared(user_id, account_id)
    if found is None:
        return None
    told = Told(versions(found.answers, now), found.calls, found.traded, found.one_way)
    with _turn:
        _kept[place] = (held.readings, rests_on, told)
        _kept.move_to_end(place)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return told
