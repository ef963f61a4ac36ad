"""
The operators' room: nothing is there for anybody else, every act is a row before it happens, what cannot be
undone wants a proof, and settings are asked for, never written.
"""

import inspect
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lib.accounts.invites import DAY_MS, code_sha256
from lib.accounts.refusal import Refusal
from lib.accounts.step_up import PROOF_MS, UNPROVED
from lib.accounts.web import SessionUser
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.account import PlatformLimits
from lib.domain.errors import Retry
from lib.domain.model_wish import ModelWish, wish_of
from lib.domain.platform_settings import Banner
from lib.domain.reason import Reason
from lib.domain.switches import Flags
from lib.trading.operators_room import DOORS, NOTHING_HERE, Invited, OperatorsRoom, RoomPorts
from tests.fakes.operators import MemoryActs, MemoryBoard, MemoryInvitations, MemoryRoster

NOW = 1_790_000_000_000
OPERATOR = SessionUser(7, "kim@example.com", "ko", network="203.0.113.7", proved_ms=NOW)


class Desk:
    """A room over memory."""

    def __init__(self, *, may_resume: bool = True) -> None:
        self.roster = MemoryRoster({7})
        self.acts = MemoryActs(self.roster)
        self.board = MemoryBoard()
        self.invitations = MemoryInvitations()
        self.room = OperatorsRoom(
            RoomPorts(
                self.roster,
                self.acts,
                self.board,
                self.invitations,
                SteppedClock(NOW),
                PlatformLimits(),
                may_resume=may_resume,
            )
        )

    @property
    def told(self) -> list[tuple[str, int, Reason | None]]:
        return [(act.kind, act.account_id, self.acts.results.get(n)) for n, act in enumerate(self.acts.rows, 1)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


MODEL = ModelWish("fast", "Fast", "https://api.example.com/v1", "gpt-x", "1", "2", "5")
ARGS: dict[str, tuple[Any, ...]] = {
    "stop": (1,),
    "flatten": (0,),
    "resume": (0,),
    "unlock": (1, "drawdown", "checked"),
    "invite": (1, 7),
    "settle": ("mmt-1-1-1-e0", "ABSENT", "checked"),
    "choose": ("registration", "closed", "full"),
    "say": (Banner("점검", "Maintenance"),),
    "set_rates": ("1390,2026-03-01=1402.5", "the week's mean"),
    "set_model": (MODEL, "cheaper"),
}


def acts() -> Iterator[str]:
    for name, function in inspect.getmembers(OperatorsRoom, inspect.isfunction):
        if not name.startswith("_") and name != "admits" and "user" in inspect.signature(function).parameters:
            yield name


def call(desk: Desk, name: str, user: SessionUser) -> object:
    if name == "set_limit":
        return desk.room.set_limit(user, "max_exposure", "1000", "quiet", loosen=False)
    return getattr(desk.room, name)(user, *ARGS[name])


STRANGERS = {
    "another person": SessionUser(8, "lee@example.com", "ko"),
    "the demo's visitor": SessionUser(7, "demo@maemae.local", "ko", is_demo=True, read_only=True),
    "a guest": SessionUser(7, "guest-7@maemae.local", "ko", is_guest=True),
}


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("name", list(acts()))
def test_for_everybody_else_there_is_no_such_thing(desk: Desk, name: str, who: str) -> None:
    assert call(desk, name, STRANGERS[who]) == NOTHING_HERE
    assert (desk.acts.rows, desk.board.thrown) == ([], [])


@pytest.mark.parametrize("name", list(acts()))
def test_a_role_that_was_taken_opens_nothing_from_that_moment(desk: Desk, name: str) -> None:
    desk.roster.ids.clear()
    assert call(desk, name, OPERATOR) == NOTHING_HERE
    assert desk.acts.rows == []


@pytest.mark.parametrize("name", list(acts()))
def test_every_act_is_a_row_with_who_what_when_and_from_where(desk: Desk, name: str) -> None:
    desk.board.locks.add((1, "drawdown"))
    answer = call(desk, name, OPERATOR)
    assert not isinstance(answer, Refusal)
    [row] = desk.acts.rows
    assert (row.user_id, row.origin, row.asked_ms) == (7, "203.0.113.7", NOW)


@pytest.mark.parametrize("name", list(acts()))
def test_what_cannot_be_written_down_is_not_done(desk: Desk, name: str) -> None:
    desk.acts.away = True
    with pytest.raises(Retry):
        call(desk, name, OPERATOR)
    assert (desk.board.thrown, desk.invitations.added) == ([], [])


@pytest.mark.parametrize("account_id", [0, 1])
def test_the_switches_are_the_terminals_and_signed_by_the_operator(desk: Desk, account_id: int) -> None:
    assert desk.room.stop(OPERATOR, account_id) is None
    assert desk.room.flatten(OPERATOR, account_id) is None
    assert desk.room.resume(OPERATOR, account_id) is None
    assert desk.board.thrown == [
        (account_id, False, False, "operator:7"),
        (account_id, False, True, "operator:7"),
        (account_id, True, False, "operator:7"),
    ]
    done = codes.OPERATOR_DONE()
    assert desk.told == [(kind, account_id, done) for kind in ("stop", "flatten", "resume")]


def test_an_operators_pause_is_not_the_owners_to_end(desk: Desk) -> None:
    desk.room.stop(OPERATOR, 1)
    assert desk.board.one.paused_by == "operator"


def test_what_an_owner_stopped_is_the_owners_to_allow_again(desk: Desk) -> None:
    desk.board.one = replace(desk.board.one, trading_enabled=False, flatten=True, paused_by="owner")
    assert desk.room.resume(OPERATOR, 1) == Refusal("refuse.operator.owners")
    assert (desk.board.thrown, desk.acts.rows) == ([], [])


Wish = tuple[Any, ...]
QUICK: dict[str, list[Wish]] = {
    "stop": [(0,), (1,)],
    "choose": [("registration", "closed", "full"), ("guests", "closed", "full")],
    "say": [(Banner("점검", "Maintenance"),), (None,)],
    "set_rates": [("1390", "the week's mean"), ("default", "too old")],
    "set_limit": [("max_exposure", "900", "quiet", False), ("max_exposure", "default", "quiet", False)],
}
"""What stops, shuts or tells, and can be taken back: nothing is asked before it."""
PROVED: dict[str, list[Wish]] = {
    "flatten": [(0,), (1,)],
    "resume": [(0,), (1,)],
    "unlock": [(0, "drawdown", "checked"), (1, "drawdown", "checked")],
    "invite": [(1, 7)],
    "settle": [("mmt-1-1-1-e0", "ABSENT", "seen")],
    "choose": [(door, word, "room") for door, words in DOORS.items() for word in sorted(words - {"closed"})],
    "set_limit": [("max_exposure", "900", "growing", True), ("max_exposure", "default", "growing", True)],
    "set_model": [(MODEL, "cheaper")],
}
"""What closes, loosens, lets somebody in or cannot be undone."""


def ask(desk: Desk, name: str, wish: Wish, user: SessionUser) -> object:
    if name == "set_limit":
        return desk.room.set_limit(user, *wish[:3], loosen=wish[3])
    return getattr(desk.room, name)(user, *wish)


def test_every_act_is_known_to_be_quick_or_to_want_a_proof() -> None:
    assert {*QUICK, *PROVED} == set(acts())


@pytest.mark.parametrize("name", PROVED)
def test_what_closes_loosens_or_lets_in_wants_a_proof_of_the_last_five_minutes(desk: Desk, name: str) -> None:
    desk.board.locks |= {(0, "drawdown"), (1, "drawdown")}
    for wish in PROVED[name]:
        for ago_ms in (PROOF_MS, 10 * PROOF_MS, NOW):
            assert ask(desk, name, wish, replace(OPERATOR, proved_ms=NOW - ago_ms)) == UNPROVED
    assert (desk.acts.rows, desk.board.thrown, desk.invitations.added) == ([], [], [])
    for wish in PROVED[name]:
        assert not isinstance(ask(desk, name, wish, replace(OPERATOR, proved_ms=NOW - PROOF_MS + 1)), Refusal)
    assert [act.kind for act in desk.acts.rows], "and with one it is done"


@pytest.mark.parametrize("name", QUICK)
def test_what_stops_or_shuts_is_quick(desk: Desk, name: str) -> None:
    for wish in QUICK[name]:
        assert ask(desk, name, wish, replace(OPERATOR, proved_ms=0)) is None


def test_closing_one_account_after_another_is_closing_everybody(desk: Desk) -> None:
    old = replace(OPERATOR, proved_ms=NOW - PROOF_MS)
    assert [desk.room.flatten(old, number) for number in range(1, 10)] == [UNPROVED] * 9
    assert desk.board.thrown == []


def test_where_the_environment_says_no_trading_the_platform_is_not_resumed(desk: Desk) -> None:
    closed = Desk(may_resume=False)
    assert closed.room.resume(OPERATOR, 0) == Refusal("refuse.operator.environment")
    assert closed.acts.rows == []
    assert closed.room.resume(OPERATOR, 1) is None


def test_what_a_restore_stopped_is_not_resumed_before_it_is_proved(desk: Desk) -> None:
    restored = Flags(trading_enabled=False, flatten=False, switched_ms=NOW, why=codes.RESTORED())
    desk.board.platform = restored
    assert desk.room.resume(OPERATOR, 0) == Refusal("refuse.operator.restored")
    assert (desk.acts.rows, desk.board.thrown) == ([], [])
    desk.board.platform = replace(restored, proven_ms=NOW + 1)
    assert desk.room.resume(OPERATOR, 0) is None


def test_an_account_that_is_not_there_is_said_so(desk: Desk) -> None:
    for number in (5, 99):
        answer = desk.room.stop(OPERATOR, number)
        assert isinstance(answer, Refusal)
        assert answer.key == "refuse.operator.account"
    assert desk.told == [("stop", 5, codes.NO_SUCH_ACCOUNT(account=5))]
    assert desk.board.thrown == []


def test_a_database_that_goes_away_in_between_leaves_a_row_that_says_not_done(desk: Desk) -> None:
    desk.board.away = True
    with pytest.raises(Retry):
        desk.room.stop(OPERATOR, 0)
    [(_, _, result)] = desk.told
    assert result is not None
    assert codes.OPERATOR_NOT_DONE.is_of(result)


def test_a_lock_ends_once_and_with_its_reason(desk: Desk) -> None:
    desk.board.locks.add((1, "drawdown"))
    assert desk.room.unlock(OPERATOR, 1, "drawdown", " ") == Refusal("refuse.operator.why", most=300)
    assert desk.room.unlock(OPERATOR, 1, "drawdown", "checked the books") is None
    again = desk.room.unlock(OPERATOR, 1, "drawdown", "checked the books")
    assert isinstance(again, Refusal)
    assert again.key == "refuse.lock.gone"
    assert dict(desk.acts.rows[0].args) == {"kind": "drawdown", "why": "checked the books"}


def test_codes_are_told_once_and_kept_as_hashes(desk: Desk) -> None:
    made = desk.room.invite(OPERATOR, 3, 2)
    assert isinstance(made, Invited)
    assert len(set(made.codes)) == 3
    assert desk.invitations.added == [(tuple(code_sha256(code) for code in made.codes), NOW + 2 * DAY_MS, "operator:7")]
    assert not any(code in f"{desk.acts.rows} {desk.told} {made!r}" for code in made.codes)


@pytest.mark.parametrize(("count", "days"), [(0, 1), (101, 1), (1, 0), (1, 91)])
def test_invitations_are_few_and_end(desk: Desk, count: int, days: int) -> None:
    assert desk.room.invite(OPERATOR, count, days) == Refusal("refuse.operator.invites", most=100, days=90)


def test_what_only_the_trader_may_do_waits_for_it(desk: Desk) -> None:
    assert desk.room.settle(OPERATOR, "mmt-1-1-1-e0", "ABSENT", "seen in the app") is None
    assert desk.room.choose(OPERATOR, "guests", "closed", "full") is None
    assert desk.room.choose(OPERATOR, "arena", "closed", "mended") is None
    assert desk.room.say(OPERATOR, None) is None
    assert desk.room.set_limit(OPERATOR, "entries_per_day", "10", "quiet", loosen=False) is None
    assert desk.room.set_rates(OPERATOR, "1390", "the week's mean") is None
    assert [(kind, result) for kind, _, result in desk.told] == [
        ("settle", None), ("setting", None), ("setting", None), ("setting", None), ("setting", None), ("setting", None)
    ]  # fmt: skip
    assert dict(desk.acts.rows[2].args) == {"setting": "arena", "value": "closed", "why": "mended"}
    assert dict(desk.acts.rows[3].args) == {"setting": "banner", "ko": "", "en": ""}
    assert dict(desk.acts.rows[5].args) == {"setting": "krw_per_usdt", "value": "1390", "why": "the week's mean"}


def test_a_wrong_rate_is_named_by_its_place(desk: Desk) -> None:
    assert desk.room.set_rates(OPERATOR, "1390,2026-03-01=14", "why") == Refusal("refuse.operator.rates", part=2)


def test_what_cannot_be_meant_is_refused_before_anybody_is_asked(desk: Desk) -> None:
    long = "x" * 301
    refused = [
        desk.room.settle(OPERATOR, "l", "FILED", "why"),
        desk.room.settle(OPERATOR, "l", "FILLED", long),
        desk.room.settle(OPERATOR, "링크", "FILLED", "why"),
        desk.room.choose(OPERATOR, "registration", "OPEN", "why"),
        desk.room.choose(OPERATOR, "door", "open", "why"),
        desk.room.choose(OPERATOR, "guests", "open", ""),
        desk.room.choose(OPERATOR, "arena", "follow", "why"),
        desk.room.say(OPERATOR, Banner("점검", "")),
        desk.room.set_rates(OPERATOR, "1390", " "),
        desk.room.set_rates(OPERATOR, "", "why"),
        desk.room.set_rates(OPERATOR, "99", "why"),
        desk.room.set_rates(OPERATOR, "1390,1400", "why"),
        desk.room.set_rates(OPERATOR, "1390,2026-02-30=1400", "why"),
        desk.room.set_rates(OPERATOR, ",".join(["1390"] * 500), "why"),
        desk.room.set_limit(OPERATOR, "no_such", "1", "why", loosen=False),
        desk.room.set_limit(OPERATOR, "daily_loss", "0.9", "why", loosen=True),
        desk.room.set_limit(OPERATOR, "daily_loss", "1e-2", "why", loosen=True),
    ]
    assert all(isinstance(one, Refusal) for one in refused), refused
    assert desk.acts.rows == []


def test_no_limit_becomes_looser_than_the_environments(desk: Desk) -> None:
    usual = PlatformLimits().max_exposure
    looser = desk.room.set_limit(OPERATOR, "max_exposure", str(usual + Decimal(1)), "growing", loosen=True)
    assert isinstance(looser, Refusal)
    assert looser.key == "refuse.operator.looser"
    assert desk.room.set_limit(OPERATOR, "max_exposure", str(usual), "as before", loosen=True) is None


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"name": "own/fast"}, "refuse.model.name"),
        ({"name": "default"}, "refuse.model.name"),
        ({"name": ""}, "refuse.model.name"),
        ({"base_url": "http://api.example.com/v1"}, "refuse.model.https"),
        ({"base_url": "https://kim:pw@example.com/v1"}, "refuse.model.url"),
        ({"base_url": ""}, "refuse.model.url"),
        ({"model": ""}, "refuse.model.model"),
        ({"shown": "a\u202eb"}, "refuse.model.shown"),
        ({"input_usd": "NaN"}, "refuse.model.price"),
        ({"input_usd": "1e9"}, "refuse.model.price"),
        ({"output_usd": ""}, "refuse.model.price"),
        ({"output_usd": "-1"}, "refuse.model.price"),
        ({"day_usd": "100001"}, "refuse.model.budget"),
        ({"day_usd": "five"}, "refuse.model.price"),
    ],
)
def test_a_model_that_cannot_be_is_not_asked_for(desk: Desk, changes: dict[str, str], refused: str) -> None:
    answer = desk.room.set_model(OPERATOR, replace(MODEL, **changes), "why")
    assert isinstance(answer, Refusal)
    assert answer.key == refused
    assert desk.told == []


def test_a_model_wants_a_proof_and_is_told_without_a_key(desk: Desk) -> None:
    late = replace(OPERATOR, proved_ms=NOW - 301_000)
    assert isinstance(desk.room.set_model(late, MODEL, "why"), Refusal)
    assert desk.room.set_model(OPERATOR, MODEL, "why") is None
    [act] = desk.acts.rows
    assert wish_of(act.args) == MODEL
    assert (act.args["setting"], act.args["why"]) == ("model:fast", "why")
