"""`lib.ports.scores.ScoreBook` in memory, over whatever answers it is told of."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from lib.domain.scores import BOTH_WAYS, METHOD, BothWays, Opined, Score
from lib.ports.scores import ALWAYS, ScoreBook
from tests.fakes.accounts import Store


class MemoryScoreBook(ScoreBook):
    """*answers* gives every answer that did not fail, in the order of its id; *kept* and *both* are what was kept."""

    def __init__(self, answers: Callable[[], list[Opined]]) -> None:
        self._answers = answers
        self.kept: dict[int, Score] = {}
        self.both: dict[int, BothWays] = {}

    def before(self, feed: str, since_ms: int) -> int:
        known = self._answers()
        wanted = [one.cycle_id for one in known if one.feed == feed and one.t_ms >= since_ms]
        return min(wanted, default=max((one.cycle_id for one in known), default=0) + 1) - 1

    def unscored(self, after_id: int, most: int, method: int = METHOD, until_ms: int = ALWAYS) -> list[Opined]:
        known = self.both if method == BOTH_WAYS else self.kept
        after = [one for one in self._answers() if one.cycle_id > after_id and one.t_ms <= until_ms]
        return [one for one in after if one.cycle_id not in known][:most]

    def keep(self, scores: Sequence[Score]) -> int:
        new = {one.cycle_id: one for one in scores if one.cycle_id not in self.kept}
        self.kept |= new
        return len(new)

    def keep_both(self, found: Sequence[BothWays]) -> int:
        new = {one.score.cycle_id: one for one in found if one.score.cycle_id not in self.both}
        self.both |= new
        return len(new)


def answers_of(store: Store) -> list[Opined]:
    """The answers of a ledger in memory."""
    found = []
    for number, (key, answer) in enumerate(store.cycles.items(), 1):
        parts = [
            None if call.answer.cost is None else call.answer.cost / people
            for (of_key, *_), (call, people) in store.calls.items()
            if of_key == key
        ] or [answer.cost]
        known = [part for part in parts if part is not None]
        cost = sum(known, Decimal(0)) if len(known) == len(parts) else None
        if not answer.failed:
            told = (key.feed, key.symbol, key.t_ms, answer.decision, answer.latency_ms, cost)
            found.append(Opined(number, *told))
    return found
