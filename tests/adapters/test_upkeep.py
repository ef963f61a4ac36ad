"""What operators look at of the system: a ring of health, the request budget in use, log files without secrets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from lib import log
from lib.adapters.log_files import MOST_BYTES, FolderOfLogs
from lib.adapters.redis.connection import connect
from lib.adapters.redis.limiter import SHARED, budget_key
from lib.adapters.redis.upkeep import RING_KEY, RedisBudgetReading, RedisHealthRing
from lib.domain.health import PARTS, HealthPoint

OK = ("ok", "ok", "late", "down", "unknown")


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    made = connect(redis_url)
    made.flushdb()
    yield made
    made.close()


@pytest.mark.server
def test_the_ring_keeps_the_newest_oldest_first_and_passes_over_what_is_damaged(client: redis.Redis) -> None:
    ring = RedisHealthRing(client, kept=3)
    assert ring.points() == []
    for number in range(5):
        ring.add(HealthPoint(number, OK))  # type: ignore[arg-type]
    assert [point.at_ms for point in ring.points()] == [2, 3, 4]
    assert ring.points()[-1].states == OK
    assert len(OK) == len(PARTS)
    for damaged in ("", "x ok ok ok ok ok", "5 ok", "6 ok ok ok ok fine"):
        client.lpush(RING_KEY, damaged)
    assert [point.at_ms for point in RedisHealthRing(client).points()] == [2, 3, 4]


@pytest.mark.server
def test_the_budget_in_use_is_what_left_in_the_last_five_seconds(client: redis.Redis) -> None:
    reading = RedisBudgetReading(client, ["https://api.bybit.com", "https://api-demo.bybit.com", "http://127.0.0.1:9"])
    assert [(use.family, use.used, use.most, use.ban_ms) for use in reading.uses()] == [
        ("bybit", 0, SHARED, 0), ("127.0.0.1:9", 0, SHARED, 0)
    ]  # fmt: skip
    seconds, micros = client.time()
    now = seconds * 1_000_000 + micros
    client.rpush(budget_key("bybit", "calls"), now - 6_000_000, now - 4_000_000, now - 1_000)
    client.set(budget_key("bybit", "ban"), "1", px=60_000)
    use = reading.uses()[0]
    assert use.used == 2
    assert 50_000 < use.ban_ms <= 60_000


def test_without_a_folder_there_are_no_logs() -> None:
    assert FolderOfLogs(None).names() == []
    assert FolderOfLogs(None).newest("trader", 10) == ()


def test_only_a_log_of_that_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{}")
    (tmp_path / "trader.log").write_text("one\ntwo\nthree\n")
    logs = FolderOfLogs(tmp_path)
    assert logs.names() == ["trader"]
    assert list(logs.newest("trader", 2)) == ["two", "three"]
    for name in ("secrets", "../trader", "trader.log", "", "/etc/passwd"):
        assert logs.newest(name, 9) == ()
    assert FolderOfLogs(tmp_path / "gone").names() == []


def test_only_the_end_of_a_long_log_is_read_and_no_line_of_it_is_cut(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text("".join(f"line {number}\n" for number in range(60_000)))
    lines = FolderOfLogs(tmp_path).newest("web", 100_000)
    assert lines[-1] == "line 59999"
    assert len("\n".join(lines)) <= MOST_BYTES
    assert all(line.startswith("line ") for line in lines)


def test_what_looks_like_a_secret_is_cut_out_at_showing_too(tmp_path: Path) -> None:
    # by whoever wrote the line: another program, an older release
    (tmp_path / "trader.log").write_text("key sk-abcdefgh12345678 api_secret=hunter2hunter2\x1b[31m\x00\n")
    [line] = FolderOfLogs(tmp_path).newest("trader", 1)
    assert "sk-abcdefgh" not in line
    assert "hunter2" not in line
    assert line.isprintable()
    assert log.REDACTED in line
