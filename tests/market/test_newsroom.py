"""Sources are read once for everybody, a minute before a boundary; one that fails costs its own headlines."""

from lib.clock import SteppedClock
from lib.domain.errors import Retry
from lib.domain.news import FRESH_MS, PERIOD_MS, Headline, News
from lib.market.newsroom import LEAD_MS, Newsroom
from lib.ports.news import NewsShelf, NewsSources

START = 1_760_000_100_000


class Sources(NewsSources):
    def __init__(self, clock: SteppedClock) -> None:
        self.clock, self.asked, self.away = clock, [(0, "")][:0], set[str]()

    @property
    def names(self) -> tuple[str, ...]:
        return ("one", "two")

    def read(self, name: str) -> list[Headline]:
        now = self.clock.now_ms()
        self.asked.append((now, name))
        if name in self.away:
            raise Retry("away")
        return [Headline(now - 1, name, f"from {name}"), Headline(now + 60_000, name, "from tomorrow")]


class Shelf(NewsShelf):
    def __init__(self) -> None:
        self.kept: list[News] = []

    def put(self, news: News) -> None:
        self.kept.append(news)

    def as_of(self, at_ms: int) -> News | None:
        raise NotImplementedError


def run(seconds: int, *away: str) -> tuple[Sources, Shelf]:
    clock = SteppedClock(START)
    sources, shelf = Sources(clock), Shelf()
    sources.away = set(away)
    room = Newsroom(sources, shelf, clock)
    for _ in range(seconds // 5):
        room.tick()
        clock.advance_to(clock.now_ms() + 5_000)
    return sources, shelf


def test_sources_are_read_at_start_and_then_a_minute_before_each_boundary() -> None:
    sources, shelf = run(900)
    asked = [at for at, name in sources.asked if name == "one"]
    assert asked[0] == START
    assert {(at + LEAD_MS) % PERIOD_MS for at in asked[1:]} == {0}
    assert len(shelf.kept) == len(asked) == 1 + 900_000 // PERIOD_MS
    assert {one.title for news in shelf.kept for one in news.headlines} == {"from one", "from two"}


def test_a_source_that_fails_costs_its_own_headlines_and_all_of_them_leave_the_last_to_grow_stale() -> None:
    assert [one.source for news in run(100, "one")[1].kept for one in news.headlines] == ["two"]
    assert run(900, "one", "two")[1].kept == []
    assert LEAD_MS + PERIOD_MS < FRESH_MS, "one failure is made up for"
