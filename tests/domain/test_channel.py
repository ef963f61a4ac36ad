"""Which addresses are read as channels, and when it is quiet."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.channel import SERVICES, Address, quiet_end_ms, read_address, wait_ms

KST = timezone(timedelta(hours=9))


@pytest.mark.parametrize("service", SERVICES)
def test_every_example_is_read(service: str) -> None:
    example = SERVICES[service].example.replace("HOST", "push.example.com")
    assert read_address(service, f" {example} ") == Address(service, example)


def test_a_bot_token_is_no_port() -> None:
    assert read_address("telegram", "tgram://123456789:AAbbCC-dd_EE/42")


@pytest.mark.parametrize(
    ("service", "address"),
    [
        ("webhook", "json://example.com/x"),
        ("webhook", "https://example.com/x"),
        ("ntfy", "ntfy://ntfy.sh/topic"),
        ("webhook", "jsons://127.0.0.1/x"),
        ("webhook", "jsons://[::1]/x"),
        ("webhook", "jsons://10.1.2.3/x"),
        ("webhook", "jsons://169.254.169.254/latest"),
        ("webhook", "jsons://2130706433/x"),
        ("webhook", "jsons://0x7f.1/x"),
        ("webhook", "jsons://localhost/x"),
        ("webhook", "jsons://redis/x"),
        ("webhook", "jsons://db.internal/x"),
        ("webhook", "jsons://printer.local./x"),
        ("webhook", "jsons://example.com/x?verify=no"),
        ("webhook", "jsons://example.com/x#y"),
        ("webhook", "jsons://example.com:0/x"),
        ("webhook", "jsons://example.com:99999/x"),
        ("webhook", "jsons://example.com\\@127.0.0.1/x"),
        ("discord", "https://discord.com.evil.example/api/webhooks/1/2"),
        ("discord", "https://discord.com@127.0.0.1/api/webhooks/1/2"),
        ("slack", "http://hooks.slack.com/services/T/B/K"),
        ("telegram", "discord://1/2"),
        ("file", "file:///etc/passwd"),
        ("webhook", "jsons://example.com/a b"),
        ("webhook", "jsons:///x"),
        ("webhook", ""),
        ("webhook", "jsons://[/x"),
        ("webhook", "jsons://example.com/" + "x" * 500),
    ],
)
def test_anything_else_is_no_address(service: str, address: str) -> None:
    assert read_address(service, address) is None


def test_a_private_host_is_read_where_the_operator_allows_it() -> None:
    assert read_address("gotify", "gotifys://10.1.2.3/token", private_hosts=True)


def test_an_address_shows_itself_in_no_repr() -> None:
    read = read_address("telegram", "tgram://123456789:AAcanary/42")
    assert read is not None
    assert "canary" not in repr(read)


@pytest.mark.parametrize(
    ("at", "start", "end", "until"),
    [
        ((23, 30), 22 * 60, 7 * 60, (31, 0)),
        ((3, 0), 22 * 60, 7 * 60, (7, 0)),
        ((7, 0), 22 * 60, 7 * 60, (7, 0)),
        ((21, 59), 22 * 60, 7 * 60, (21, 59)),
        ((13, 0), 12 * 60, 14 * 60, (14, 0)),
        ((13, 0), 12 * 60, 12 * 60, (13, 0)),
    ],
)
def test_quiet_hours_end_when_their_reader_says(
    at: tuple[int, int], start: int, end: int, until: tuple[int, int]
) -> None:
    day = datetime(2026, 5, 1, tzinfo=KST)
    now, over = (day + timedelta(hours=h, minutes=m) for h, m in (at, (until[0] - 24 * (until[0] == 31), until[1])))
    wanted = over + timedelta(days=1) if until[0] == 31 else over
    assert quiet_end_ms(round(now.timestamp() * 1000), KST, start, end) == round(wanted.timestamp() * 1000)


@given(st.integers(0, 10**12), st.integers(0, 1_439), st.integers(0, 1_439))
def test_quiet_hours_are_less_than_a_day_and_their_end_is_not_quiet(now: int, start: int, end: int) -> None:
    over = quiet_end_ms(now, UTC, start, end)
    assert 0 <= over - now <= 86_400_000
    assert quiet_end_ms(over, UTC, start, end) == over


def test_waits_grow_to_an_hour() -> None:
    waits = [wait_ms(failures) for failures in range(1, 20)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (10_000, 3_600_000)
