"""What is told arrives: at least once, in order, at nobody else's, whatever dies when; and no log holds an address."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, cast, get_args

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.channels import SqlChannels, keep_operators
from lib.adapters.sql.forms.deliveries import SqlDeliveries
from lib.adapters.sql.forms.notice_choices import SqlNoticeChoices
from lib.adapters.sql.forms.sessions import SqlLogins
from lib.adapters.sql.ledger.telling import OPERATORS, tell
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import outbox
from lib.adapters.sql.tables.telling import channels, deliveries
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account import Numbers
from lib.domain.channel import MOST_FAILURES, STALE_MS, TellingChoices
from lib.domain.events import Event, EventKind
from lib.domain.reason import Reason, text
from lib.ports.notifier import Courier, Deliveries
from lib.queries import Readings
from lib.telling.letters import composed
from lib.telling.sender import LEASE_MS, Sender
from tests.contract.ledger_worlds import SqlWorld
from tests.factories import T
from tests.fakes.market import MemoryCandleStore
from tests.fakes.messenger import Killed, Messenger, Mortal, PlainOpener


class Post:
    """People with channels, what they are told, and a sender."""

    def __init__(self, engine: sa.Engine) -> None:
        self.world = SqlWorld(engine, SteppedClock(T))
        self.engine, self.clock = engine, self.world.clock
        self.messenger = Messenger()
        self.channels = SqlChannels(engine, self.clock)
        self.choices = SqlNoticeChoices(engine)
        self.readings = Readings(engine, MemoryCandleStore(), self.clock)

    def person(self, *addresses: str) -> int:
        number = self.world.people.add_user(f"{len(addresses)}-{'-'.join(addresses)}@example.com", "!")
        for address in addresses:
            assert self.channels.add(number, "ntfy", address[:40], address, 5)
        return number

    def tell(self, user_id: int, why: str | Reason, kind: EventKind = EventKind.ENTRY) -> None:
        with self.engine.begin() as connection:
            tell(connection, user_id, None, Event(kind, text(why) if isinstance(why, str) else why, f"{kind}:{why}"))
            # the outbox is dated by the database, whose clock is not the test's
            connection.execute(sa.update(outbox).values(created_at=utc_from_ms(self.clock.now_ms())))

    def sender(self, fate: Callable[[str], None] = lambda _: None) -> Sender:
        whole = cast(Deliveries, Mortal(SqlDeliveries(self.engine), fate))
        courier = cast(Courier, Mortal(self.messenger, fate))
        return Sender(whole, PlainOpener(), courier, composed, self.clock)

    def drain(self, sender: Sender | None = None, most: int = 200) -> None:
        """Everything that is due now, one channel after the other, in this thread."""
        sender = sender or self.sender()
        while sender.deliveries.hand_out(self.clock.now_ms(), 500):
            pass
        for _ in range(most):
            batch = sender.deliveries.take(self.clock.now_ms(), LEASE_MS, 20)
            if batch is None:
                return
            sender.deliver(batch)

    def lines(self, address: str) -> list[str]:
        bodies = [body for to, body in self.messenger.sent if to == address]
        return [line.split(": ")[-1] for body in bodies for line in body.splitlines()]

    def later(self, ms: int) -> None:
        self.clock.advance_to(self.clock.now_ms() + ms)

    def waiting(self) -> int:
        with self.engine.begin() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(deliveries)) or 0


@pytest.fixture(params=["sqlite", "mariadb"])
def post(request: pytest.FixtureRequest) -> Iterator[Post]:
    made = Post(request.getfixturevalue(f"{request.param}_engine"))
    yield made
    made.world.close()


@pytest.fixture
def quick(sqlite_engine: sa.Engine) -> Iterator[Post]:
    made = Post(sqlite_engine)
    yield made
    made.world.close()


def test_what_is_told_arrives_once_in_order_at_its_readers_alone(post: Post) -> None:
    one, other, nobody = post.person("a", "b"), post.person("c"), post.person()
    for number in range(3):
        post.tell(one, f"one {number}")
        post.tell(other, f"other {number}")
        post.tell(nobody, f"nobody {number}")
    post.drain()
    post.drain()
    assert post.lines("a") == post.lines("b") == [f"one {number}" for number in range(3)]
    assert post.lines("c") == [f"other {number}" for number in range(3)]
    assert post.waiting() == 0


def test_a_new_channel_is_not_sent_what_was_told_before(post: Post) -> None:
    person = post.person()
    post.tell(person, "long ago")
    post.later(1_000)
    assert post.channels.add(person, "ntfy", "new", "new", 5)
    post.drain()
    assert post.messenger.sent == []


def test_kinds_switched_off_are_in_the_bell_and_in_no_channel(post: Post) -> None:
    person = post.person("a")
    post.choices.choose(person, TellingChoices({EventKind.ENTRY: False}))
    post.tell(person, "entered")
    post.tell(person, "stopped out", EventKind.STOP)
    post.drain()
    assert post.lines("a") == ["stopped out"]
    assert len(post.readings.notices(person).rows) == 2


def test_quiet_hours_hold_everything_but_what_is_urgent(post: Post) -> None:
    person = post.person("a")
    minute = (T // 60_000 + 540) % 1_440  # Korean time, for a Korean reader
    post.choices.choose(person, TellingChoices({}, (minute - 5) % 1_440, (minute + 60) % 1_440))
    post.tell(person, "entered")
    post.tell(person, "order", EventKind.UNRESOLVED)
    post.drain()
    assert post.lines("a") == ["order"]
    post.later(61 * 60_000)
    post.drain()
    assert post.lines("a") == ["order", "entered"]


def test_numbers_are_written_as_their_reader_chose(post: Post) -> None:
    people = {numbers: post.person(numbers) for numbers in get_args(Numbers)}
    for numbers, person in people.items():
        SqlLogins(post.engine).change_numbers(person, numbers)
        post.tell(person, codes.STOP_PUT_BACK(symbol="BTCUSDT", stop=Decimal("61234.5")))
    post.drain()
    for numbers, price in {"point": "61,234.5", "comma": "61.234,5", "space": "61\u202f234,5"}.items():
        (body,) = [body for to, body in post.messenger.sent if to == numbers]
        assert price in body


def test_a_dead_channel_waits_ever_longer_blocks_nobody_and_is_switched_off_at_last(post: Post) -> None:
    person, other = post.person("dead", "alive"), post.person("other")
    post.messenger.dead.add("dead")
    for number in range(MOST_FAILURES):
        post.tell(person, f"told {number}")
        post.tell(other, f"other {number}")
        post.drain()
        post.later(2 * 3_600_000)
    post.drain()
    wanted = [f"told {number}" for number in range(MOST_FAILURES)]
    assert post.lines("other") == [f"other {number}" for number in range(MOST_FAILURES)]
    assert post.lines("alive")[: len(wanted)] == wanted
    dead, alive = post.readings.channels(person)
    assert (dead.enabled, alive.enabled) == (False, True)
    assert post.readings.notices(person).rows[0].kind == "channel"
    assert post.waiting() == 0


def test_a_channel_that_answers_again_is_sent_everything_in_order(post: Post) -> None:
    person = post.person("a")
    post.messenger.dead.add("a")
    post.tell(person, "first")
    post.drain()
    post.tell(person, "second")
    post.drain()
    assert post.messenger.sent == []
    post.messenger.dead.clear()
    post.later(3_600_000)
    post.drain()
    assert post.lines("a") == ["first", "second"]
    assert post.readings.channels(person)[0].failures == 0


def test_a_damaged_address_is_a_failure_of_its_channel_alone(post: Post) -> None:
    person = post.person("damaged", "a")
    post.tell(person, "told")
    post.drain()
    assert post.lines("a") == ["told"]
    assert [row.failures for row in post.readings.channels(person)] == [1, 0]


def test_two_senders_do_not_double(post: Post) -> None:
    person = post.person("a")
    post.tell(person, "told")
    first, second = SqlDeliveries(post.engine), SqlDeliveries(post.engine)
    assert first.hand_out(T, 10) == 1
    assert second.hand_out(T, 10) == 0
    assert first.take(T, LEASE_MS, 10) is not None
    assert second.take(T, LEASE_MS, 10) is None
    assert second.take(T + LEASE_MS, LEASE_MS, 10) is not None, "the first one died"


def test_channels_of_one_person_do_not_take_every_place(post: Post) -> None:
    person, other = post.person("a", "b", "c"), post.person("d")
    post.tell(person, "told")
    post.tell(other, "told")
    both = SqlDeliveries(post.engine)
    both.hand_out(T, 10)
    taken = [both.take(T, LEASE_MS, 10) for _ in range(4)]
    assert [batch and batch.user_id for batch in taken] == [person, person, other, None]
    assert taken[0]
    both.delivered(taken[0], T)
    third = both.take(T, LEASE_MS, 10)
    assert third
    assert third.user_id == person


def test_channels_that_failed_leave_room_for_those_that_answer(post: Post) -> None:
    person = post.person("dead")
    post.messenger.dead.add("dead")
    post.tell(person, "told")
    post.drain()
    post.later(3_600_000)
    deliveries_ = SqlDeliveries(post.engine)
    assert deliveries_.take(post.clock.now_ms(), LEASE_MS, 10, failing=False) is None
    assert deliveries_.take(post.clock.now_ms(), LEASE_MS, 10) is not None


def test_what_is_a_day_old_stays_in_the_bell_and_is_sent_to_nobody(post: Post) -> None:
    person = post.person("a", "dead")
    post.messenger.dead.add("dead")
    post.tell(person, "handed out and not sent")
    post.drain()
    post.tell(person, "never handed out")
    post.later(STALE_MS + 1)
    post.drain()
    assert post.lines("a") == ["handed out and not sent"]
    assert post.waiting() == 0
    assert len(post.readings.notices(person).rows) == 2


def test_a_test_goes_to_its_channel_alone_and_not_twice_in_a_moment(post: Post) -> None:
    person = post.person("a", "b")
    first = post.readings.channels(person)[0].id
    assert post.channels.test(person, first, T, 15_000)
    assert not post.channels.test(person, first, T + 1, 15_000)
    assert not post.channels.test(post.person(), first, T + 60_000, 15_000)
    post.drain()
    assert [address for address, _ in post.messenger.sent] == ["a"]


def test_whoever_runs_the_platform_is_told_by_settings(post: Post) -> None:
    for _ in range(2):
        keep_operators(post.engine, {"x": ("ntfy", "ops")}, T)
    post.tell(OPERATORS, "everything is proved stopped", EventKind.PROVED)
    post.drain()
    assert post.lines("ops") == ["everything is proved stopped"]
    keep_operators(post.engine, {}, T)
    with post.engine.begin() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(channels)) == 0


async def test_the_running_sender_ends_when_it_is_told_to(quick: Post) -> None:
    person, stop = quick.person("a"), asyncio.Event()
    quick.tell(person, "told")
    sender = quick.sender()
    await sender.round()
    await asyncio.gather(*sender._running)
    stop.set()
    await sender.run(stop)
    assert quick.lines("a") == ["told"]


def test_a_thousand_deaths_lose_nothing_keep_the_order_and_double_only_what_died_unmarked(quick: Post) -> None:
    people = {quick.person(f"p{number}"): f"p{number}" for number in range(4)}
    chance, deaths, unmarked = random.Random(7), 0, Counter[str]()

    def fate(where: str) -> None:
        nonlocal deaths
        if deaths < 1_000 and chance.random() < 0.25:  # oftener, and some would wait for longer than a day
            deaths += 1
            unmarked[where] += 1
            raise Killed

    told: dict[str, list[str]] = {address: [] for address in people.values()}
    for number in range(600):
        user_id, address = chance.choice(list(people.items()))
        quick.tell(user_id, f"{number}")
        told[address].append(f"{number}")
        try:
            quick.drain(quick.sender(fate))
        except Killed:
            quick.later(LEASE_MS)
        if deaths >= 1_000:
            break
        for _ in range(2):
            try:
                quick.drain(quick.sender(fate))
            except Killed:
                quick.later(LEASE_MS)
    quick.later(LEASE_MS)
    quick.drain()
    assert deaths == 1_000
    again = 0
    for address, lines in told.items():
        shown = quick.lines(address)
        assert list(dict.fromkeys(shown)) == lines, "nothing is lost, and the order is kept"
        again += len(shown) - len(set(shown))
    assert again, "somebody died between the answer and the mark"
    batches = [body for _, body in quick.messenger.sent]
    assert len(batches) - len(set(batches)) <= unmarked["after send"] + unmarked["before delivered"]
    assert quick.waiting() == 0


def test_no_line_of_the_log_holds_an_address(quick: Post, caplog: pytest.LogCaptureFixture) -> None:
    secret = "tgram://123456789:AAcanaryTokenOfAPerson/42"
    person = quick.person(secret)

    class Loud(Messenger):
        def send(self, address: str, title: str, body: str) -> None:
            logging.getLogger("maemae.courier").warning("POST %s failed", address)
            raise ValueError(f"cannot reach {address}")

    quick.messenger = Loud()
    with caplog.at_level(logging.DEBUG):
        for _ in range(MOST_FAILURES):
            quick.tell(person, f"told {quick.clock.now_ms()}")
            quick.drain()
            quick.later(2 * 3_600_000)
    ours = [record for record in caplog.records if record.name != "maemae.courier"]
    assert ours
    assert not any("canary" in str(vars(record)) for record in ours)
    notice: Any = quick.readings.notices(person).rows[0]
    assert notice.kind == "channel"
