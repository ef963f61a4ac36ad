"""A note nobody waits for: written when it can be, left out while one is under way, and never a refusal."""

import threading

from lib.accounts.beside import Beside, at_once
from lib.accounts.doors import Doors
from lib.accounts.entrance import PeopleStores
from lib.accounts.people import People
from lib.accounts.web import Origin, SignedIn
from lib.adapters.web_lock import WebLock
from lib.domain.errors import Retry
from lib.domain.platform_settings import Admission
from tests.fakes.people import (
    MemoryBrowsers,
    MemoryLogins,
    MemorySessions,
    MemoryThrottles,
    MemoryTrail,
    QuickHasher,
    StandingClock,
)


def test_a_busy_database_is_passed_over() -> None:
    def locked() -> None:
        raise Retry("locked")

    at_once(locked)


def test_the_caller_goes_on_while_the_note_waits_and_further_notes_are_left_out() -> None:
    beside, free, written = Beside(), threading.Event(), []

    def waits() -> None:
        free.wait()
        written.append("first")

    beside(waits)
    beside(lambda: written.append("second"))
    assert written == []
    free.set()
    beside._thread.shutdown()
    assert written == ["first"]


def test_after_one_that_failed_the_next_is_written() -> None:
    beside, written = Beside(), []

    def locked() -> None:
        raise Retry("locked")

    beside(locked)
    # the same thread, so this comes after the note
    beside._thread.submit(lambda: None).result()
    beside(lambda: written.append("next"))
    beside._thread.shutdown()
    assert written == ["next"]


def test_a_session_whose_use_cannot_be_noted_still_opens_the_door() -> None:
    class Locked(MemorySessions):
        def touch(self, token_sha256: str, now_ms: int) -> None:
            raise Retry("the database is locked")

    logins, clock = MemoryLogins(), StandingClock(10**12)
    stores = PeopleStores(
        logins,
        Locked(logins),
        MemoryBrowsers(),
        MemoryThrottles(),
        QuickHasher(),
        MemoryTrail(),
        logins.factors,
        WebLock(""),
    )
    people = People(stores, clock, lambda _: None, lambda: None, doors=Doors(Admission, clock))
    inside = people.try_paper(accepted_risk=True, origin=Origin("10.0.0.1"))
    assert isinstance(inside, SignedIn)
    clock.forward(minutes=5)
    assert people.user_of(inside.token) == inside.user
