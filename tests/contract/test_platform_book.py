"""
One contract for the operator's platform settings and invitations: in memory, SQLite, MariaDB, MySQL.

What is written by `PlatformBook` is what the ledger reads as limits, and an invitation made there lets one person in.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.adapters.sql.forms.platform_book import SqlPlatformBook
from lib.adapters.sql.forms.sessions import SqlLogins
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.tables.people import invites, system_settings, users
from lib.clock import SteppedClock
from lib.domain.account import PlatformLimits
from lib.domain.platform_settings import LIMIT, LIMIT_BOUNDS, REGISTRATION, Invite, Invites, SettingChange
from lib.ports.ledger import Ledger
from lib.ports.people import InviteRefused, Logins
from lib.ports.platform import PlatformBook
from tests.fakes.ledger import MemoryLedger
from tests.fakes.people import MemoryLogins
from tests.fakes.platform import MemoryPlatformBook
from tests.servers import AT_TIMES

NOW = 1_760_000_000_000
WEEK_MS = 7 * 86_400_000
CODE, OTHER = "a" * 64, "b" * 64
WHO = "cli:kim@desk"


@dataclass(frozen=True, slots=True)
class Scene:
    """*tamper* writes a row as a hand in the database would: any text, or NULL."""

    clock: SteppedClock
    book: PlatformBook
    logins: Logins
    ledger: Ledger
    tamper: Callable[[str, str | None], None]

    def join(self, email: str, code: str = CODE, at_ms: int = NOW) -> int:
        invite = Invite(code, at_ms)
        return self.logins.add_invited(email, "$hash", locale="ko", risk_accepted_ms=at_ms, invite=invite)


@pytest.fixture(params=["memory", "sqlite", *AT_TIMES])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    clock = SteppedClock(NOW)
    if request.param == "memory":
        ledger, logins = MemoryLedger(clock, "t3st"), MemoryLogins()
        rows = ledger.store.settings
        book = MemoryPlatformBook(clock, logins.invites, rows)
        yield Scene(clock, book, logins, ledger, lambda name, text: rows.update({name: text or ""}))
        return
    engine: sa.Engine = request.getfixturevalue(f"{request.param}_engine")

    def tamper(name: str, text: str | None) -> None:
        with engine.begin() as connection:
            connection.execute(sa.insert(system_settings).values(setting_key=name, setting_value=text))

    over_sql = SqlLedger(engine, installation="t3st", clock=clock)
    yield Scene(clock, SqlPlatformBook(engine, clock), SqlLogins(engine), over_sql, tamper)
    over_sql.close()


# --- settings and their trail ----------------------------------------------------------------------------------------


def test_a_change_is_in_the_trail_with_who_why_and_when(scene: Scene) -> None:
    first = scene.book.change(REGISTRATION, "invite", WHO, "too many newcomers")
    assert first == SettingChange(REGISTRATION, None, "invite", WHO, "too many newcomers", NOW)
    scene.clock.advance_to(NOW + 5)
    second = scene.book.change(REGISTRATION, "closed", "cli:lee@desk", "")
    third = scene.book.change(REGISTRATION, None, WHO, "over")
    assert second == SettingChange(REGISTRATION, "invite", "closed", "cli:lee@desk", "", NOW + 5)
    assert third == SettingChange(REGISTRATION, "closed", None, WHO, "over", NOW + 5)
    assert scene.book.changes(2) == [third, second]
    assert scene.book.changes(9) == [third, second, first]
    assert scene.book.rows() == {}


def test_what_says_that_already_is_no_change(scene: Scene) -> None:
    assert scene.book.change(REGISTRATION, None, WHO, "") is None
    scene.book.change(REGISTRATION, "open", WHO, "")
    assert scene.book.change(REGISTRATION, "open", WHO, "") is None
    assert scene.book.rows() == {REGISTRATION: "open"}
    assert len(scene.book.changes(9)) == 1


def test_settings_are_known_by_their_exact_name(scene: Scene) -> None:
    scene.book.change(f"{LIMIT}max_exposure", "1", WHO, "")
    scene.book.change(f"{LIMIT}MAX_EXPOSURE", "2", WHO, "")
    scene.tamper("analyst:model", "{}")
    assert scene.book.rows() == {f"{LIMIT}max_exposure": "1", f"{LIMIT}MAX_EXPOSURE": "2"}


async def test_the_trader_reads_what_the_operator_wrote(scene: Scene) -> None:
    scene.book.change(f"{LIMIT}max_exposure", "1234.5", WHO, "")
    scene.book.change(f"{LIMIT}entries_per_day", "7", WHO, "")
    found = await scene.ledger.limit_overrides()
    assert found.over(PlatformLimits()) == PlatformLimits(max_exposure=Decimal("1234.5"), entries_per_day=7)
    scene.book.change(f"{LIMIT}max_exposure", None, WHO, "")
    assert (await scene.ledger.limit_overrides()).figures == {"entries_per_day": 7}


@pytest.mark.parametrize("text", [None, "", "1e9", "-1", "한도 없음", "9" * 60])
async def test_a_row_that_was_tampered_with_is_named_unreadable(scene: Scene, text: str | None) -> None:
    scene.tamper(f"{LIMIT}max_exposure", text)
    found = await scene.ledger.limit_overrides()
    assert (found.figures, found.unreadable) == ({}, ("max_exposure",))
    changed = scene.book.change(f"{LIMIT}max_exposure", "5", WHO, "")
    assert changed is not None
    assert (await scene.ledger.limit_overrides()).figures == {"max_exposure": Decimal(5)}


async def test_without_rows_the_environments_limits_hold(scene: Scene) -> None:
    assert (await scene.ledger.limit_overrides()).over(PlatformLimits()) == PlatformLimits()
    assert len(LIMIT_BOUNDS) == 16


# --- invitations -----------------------------------------------------------------------------------------------------


def test_an_invitation_lets_one_person_in(scene: Scene) -> None:
    scene.book.add_invites([CODE, OTHER], NOW + WEEK_MS, WHO)
    kim = scene.join("kim@example.com")
    with pytest.raises(InviteRefused):
        scene.join("lee@example.com")
    assert scene.logins.find("lee@example.com") is None
    assert scene.join("lee@example.com", OTHER) != kim
    assert scene.book.invites() == Invites(good=0, used=2, over=0)


@pytest.mark.parametrize("code", ["", "c" * 64, CODE.upper()])
def test_a_code_nobody_made_lets_nobody_in(scene: Scene, code: str) -> None:
    scene.book.add_invites([CODE], NOW + WEEK_MS, WHO)
    with pytest.raises(InviteRefused):
        scene.join("kim@example.com", code)
    assert scene.logins.find("kim@example.com") is None


def test_an_invitation_ends_with_its_time(scene: Scene) -> None:
    scene.book.add_invites([CODE], NOW + WEEK_MS, WHO)
    with pytest.raises(InviteRefused):
        scene.join("kim@example.com", at_ms=NOW + WEEK_MS)
    scene.clock.advance_to(NOW + WEEK_MS)
    assert scene.book.invites() == Invites(good=0, used=0, over=1)
    assert scene.join("kim@example.com", at_ms=NOW + WEEK_MS - 1)


def test_a_taken_address_uses_no_invitation_up(scene: Scene) -> None:
    scene.book.add_invites([CODE], NOW + WEEK_MS, WHO)
    scene.logins.add("kim@example.com", "$hash", locale="ko", risk_accepted_ms=NOW)
    with pytest.raises(ValueError, match="taken") as taken:
        scene.join("kim@example.com")
    assert not isinstance(taken.value, InviteRefused)
    assert scene.join("lee@example.com")


def test_a_guest_who_stays_uses_an_invitation_up_or_stays_a_guest(scene: Scene) -> None:
    scene.book.add_invites([CODE], NOW + WEEK_MS, WHO)
    one, two = (
        scene.logins.add(f"g{n}@maemae.local", "!", locale="ko", risk_accepted_ms=NOW, is_guest=True) for n in (1, 2)
    )
    assert scene.logins.keep_guest(one, "kim@example.com", "$hash", Invite(CODE, NOW))
    with pytest.raises(InviteRefused):
        scene.logins.keep_guest(two, "lee@example.com", "$hash", Invite(CODE, NOW))
    assert scene.logins.find("lee@example.com") is None
    assert scene.logins.living_guests() == 1
    assert not scene.logins.keep_guest(one, "again@example.com", "$hash", Invite(OTHER, NOW))
    assert scene.logins.keep_guest(two, "lee@example.com", "$hash")


@pytest.mark.parametrize("kind", ["sqlite", *AT_TIMES])
def test_of_many_who_show_one_code_at_once_one_comes_in(kind: str, request: pytest.FixtureRequest) -> None:
    engine: sa.Engine = request.getfixturevalue(f"{kind}_engine")
    clock = SteppedClock(NOW)
    SqlPlatformBook(engine, clock).add_invites([CODE], NOW + WEEK_MS, WHO)
    scene = Scene(
        clock, SqlPlatformBook(engine, clock), SqlLogins(engine), MemoryLedger(clock, "t3st"), lambda *_: None
    )

    def came(number: int) -> bool:
        try:
            return scene.join(f"p{number}@example.com") > 0
        except InviteRefused:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(came, range(4))) == 1
    with engine.connect() as connection:
        people = connection.execute(sa.select(users.c.id)).scalars().all()
        row = connection.execute(sa.select(invites.c.used_by, invites.c.used_ms, invites.c.made_by)).one()
    assert (row.used_by, row.used_ms, row.made_by) == (people[0], NOW, WHO)
    assert len(people) == 1
