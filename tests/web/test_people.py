"""Who comes in, who does not, how fast they may try, and when a session is over."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.accounts.entrance import PER_PERSON
from lib.accounts.hashing import GatedHasher
from lib.accounts.people import BROWSER_MS, TOUCH_MS, People
from lib.accounts.refusal import Refusal
from lib.accounts.rules import password_refusal
from lib.accounts.safety import Safety
from lib.accounts.web import Origin, SignedIn
from lib.domain.errors import Retry
from lib.domain.pace import Pace, Tally
from lib.domain.second_factor import Authenticator
from lib.domain.session import ABSOLUTE_MS, IDLE_MS
from lib.domain.trail import Note, TrailEvent
from tests.fakes.people import QuickHasher
from tests.web.town import GOOD, HOME, Town, key_of

# --- coming in --------------------------------------------------------------------------------------------------------


def test_who_registers_is_signed_in_has_a_paper_account_and_said_yes_to_the_risk(town: Town) -> None:
    made = town.join(" Kim@Example.COM ")
    assert made.user.email == "kim@example.com"
    assert town.people.user_of(made.token) == made.user
    assert town.opened == [made.user.user_id]
    assert town.logins.members[1].risk_accepted_ms == town.clock.now_ms()


def test_without_saying_yes_to_the_risk_nobody_is_made(town: Town) -> None:
    assert key_of(town.people.register("a@b.kr", GOOD, accepted_risk=False, origin=HOME)) == "refuse.risk"
    assert key_of(town.people.try_paper(accepted_risk=False, origin=HOME)) == "refuse.risk"
    assert town.logins.members == {}


@pytest.mark.parametrize(
    "email",
    ["", "a", "a@b", "@b.kr", "a@b.kr c", "a@@b.kr", "a\n@b.kr", "a\x00@b.kr", "x@maemae.local", "a" * 250 + "@b.kr"],
)
def test_what_is_no_address_is_refused(town: Town, email: str) -> None:
    assert key_of(town.people.register(email, GOOD, accepted_risk=True, origin=HOME)) == "refuse.email"
    assert town.logins.members == {}


@pytest.mark.parametrize(
    "unseen",
    ["\u200b", "\u2060", "\u00ad", "\ufeff", "\u202e", "\u3164", "\uffa0", "\u115f", "\u2800", "\ufe0f", "\ud800"],
)
def test_an_address_holds_nothing_that_cannot_be_seen(town: Town, unseen: str) -> None:
    town.join()
    email = f"k{unseen}im@example.com"
    assert key_of(town.people.register(email, GOOD, accepted_risk=True, origin=HOME)) == "refuse.email"
    assert key_of(town.enter(GOOD, email)) == "refuse.credentials"


def test_every_way_to_write_an_address_is_the_same_person(town: Town) -> None:
    made = town.join("kim@example.com")
    for written in (
        "KIM@EXAMPLE.COM",
        "\uff4b\uff49\uff4d@example.com",
        "kim\uff20example.com",
        "\u212aim@example.com\u00a0",
    ):
        entered = town.enter(GOOD, written)
        assert isinstance(entered, SignedIn), written
        assert entered.user.user_id == made.user.user_id


def test_an_accent_makes_another_person(town: Town) -> None:
    town.join("kim@example.com")
    assert key_of(town.enter(GOOD, "k\u00edm@example.com")) == "refuse.credentials"
    assert town.join("k\u00edm@example.com").user.email == "k\u00edm@example.com"


def test_guesses_under_many_spellings_are_one_tally(town: Town) -> None:
    town.join()
    spellings = (
        "kim@example.com",
        "KIM@example.com",
        "\uff4bim@example.com",
        "Kim@Example.com ",
        "\u212aim@example.com",
    )
    answers = [key_of(town.enter("wrong wrong", spelling, f"198.51.100.{n}")) for n, spelling in enumerate(spellings)]
    assert answers == ["refuse.credentials"] * 3 + ["refuse.wait.person"] * 2


def test_a_store_that_takes_another_spelling_for_a_person_tallies_the_person(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a database compares e-mails: the tally follows who was found, not what was typed."""
    town.join()
    exact = town.logins.find
    monkeypatch.setattr(town.logins, "find", lambda email: exact(email.replace("\u00ed", "i")))
    answers = [
        key_of(town.enter("wrong wrong", f"k{i}m@example.com", f"198.51.100.{n}"))
        for n, i in enumerate("i\u00edi\u00ed")
    ]
    assert answers == ["refuse.credentials"] * 3 + ["refuse.wait.person"]


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "short"),
        ("x" * 129, "long"),
        ("kim.minsu@example.com", "email"),
        ("xkim.minsu@example.comx", "email"),
        ("1q2w3e4r5t", "common"),
        ("Password123", "common"),
        ("abababababab", "common"),
    ],
)
def test_weak_passwords_are_refused_by_name(password: str, why: str) -> None:
    assert key_of(password_refusal(password, "kim.minsu@example.com")) == f"refuse.password.{why}"


def test_an_address_registers_once(town: Town) -> None:
    town.join()
    again = town.people.register("KIM@example.com", "another good one", accepted_risk=True, origin=HOME)
    assert key_of(again) == "refuse.email.taken"


def test_a_paper_exchange_that_is_away_does_not_keep_a_person_from_registering(town: Town) -> None:
    town.paper = Refusal("refuse.paper.away")
    assert town.people.user_of(town.join().token) is not None


@pytest.mark.parametrize("password", ["!", "", "nobody has this password", "$"])
def test_nobody_signs_in_as_a_person_without_a_password(town: Town, password: str) -> None:
    made = town.people.try_paper(accepted_risk=True, origin=HOME)
    assert isinstance(made, SignedIn)
    assert key_of(town.enter(password, made.user.email)) == "refuse.credentials"


def test_the_demo_is_looked_at_and_nothing_else(town: Town) -> None:
    assert key_of(town.people.open_demo(origin=HOME)) == "refuse.no_demo"
    town.demo = town.logins.add("demo-x@maemae.local", "!", locale="ko", risk_accepted_ms=0, is_demo=True)
    looked = town.people.open_demo(origin=HOME)
    assert isinstance(looked, SignedIn)
    assert (looked.user.read_only, looked.user.is_demo) == (True, True)


def test_a_wrong_password_and_an_unknown_person_are_one_answer_for_one_hash(town: Town) -> None:
    town.join()
    before = town.hasher.verified
    answers = [town.enter("a wrong password"), town.enter("a wrong password", "nobody@example.com")]
    assert answers[0] == answers[1] == Refusal("refuse.credentials")
    assert town.hasher.verified == before + 2


def test_a_hash_of_older_parameters_is_renewed_at_sign_in(town: Town) -> None:
    town.join()
    town.logins.change_hash(1, f"$old${GOOD}", verified=f"$quick${GOOD}")
    assert isinstance(town.enter(GOOD), SignedIn)
    assert town.logins.members[1].password_hash == f"$quick${GOOD}"


class Meanwhile(QuickHasher):
    """Somebody does *act* while a password is verified, or hashed anew, for the first time."""

    def __init__(self, act: Callable[[], object], *, at: str = "verify") -> None:
        super().__init__()
        self._acts = {at: act}

    def hash(self, password: str) -> str:
        hashed = super().hash(password)
        self._acts.pop("hash", lambda: None)()
        return hashed

    def verify(self, stored: str | None, password: str) -> bool:
        matches = super().verify(stored, password)
        self._acts.pop("verify", lambda: None)()
        return matches


def beside(town: Town, hasher: Meanwhile) -> People:
    """People of the same town, whose hasher is interrupted."""
    return People(replace(town.stores, hasher=hasher), town.clock, lambda _: None, lambda: None, doors=town.doors)


@pytest.mark.parametrize("at", ["verify", "hash"])
@pytest.mark.parametrize("stored", [f"$quick${GOOD}", f"$old${GOOD}"])
def test_a_sign_in_that_a_password_change_overtakes_opens_nothing(town: Town, at: str, stored: str) -> None:
    if (at, stored) == ("hash", f"$quick${GOOD}"):
        return  # nothing is hashed anew then
    town.join()
    town.logins.change_hash(1, stored, verified=f"$quick${GOOD}")
    note = Note(1, town.clock.now_ms(), TrailEvent.PASSWORD_CHANGED)
    thief = beside(
        town, Meanwhile(lambda: town.logins.change_password(1, "$quick$another one", note, verified=stored), at=at)
    )
    assert thief.sign_in("kim@example.com", GOOD, origin=HOME) == Refusal("refuse.credentials")
    assert town.sessions.rows == {}
    assert town.logins.members[1].password_hash == "$quick$another one"


def test_a_sign_in_that_another_one_renewed_the_hash_of_still_opens(town: Town) -> None:
    town.join()
    town.logins.change_hash(1, f"$old${GOOD}", verified=f"$quick${GOOD}")
    second = beside(town, Meanwhile(lambda: town.enter(GOOD)))
    assert isinstance(second.sign_in("kim@example.com", GOOD, origin=HOME), SignedIn)


def test_a_second_factor_that_came_meanwhile_is_asked_for(town: Town) -> None:
    town.join()
    known = Authenticator("sealed", 1, confirmed=True)

    def renewed() -> None:
        town.logins.change_hash(1, f"$quick${GOOD}", verified=f"$old${GOOD}")
        town.logins.factors.kept[1] = known

    town.logins.change_hash(1, f"$old${GOOD}", verified=f"$quick${GOOD}")
    assert key_of(beside(town, Meanwhile(renewed)).sign_in("kim@example.com", GOOD, origin=HOME)) == (
        "refuse.credentials"
    )


def test_a_password_change_that_a_reset_overtakes_changes_nothing(town: Town) -> None:
    made = town.join()
    note = Note(1, town.clock.now_ms(), TrailEvent.PASSWORD_RESET)

    def reset() -> None:
        town.logins.change_password(1, "$quick$the owner's", note, verified=f"$quick${GOOD}")

    stores = replace(town.stores, hasher=Meanwhile(reset))
    late = Safety(stores, town.clock, town.leaving)
    assert key_of(late.change_password(made.user, GOOD, "a thief's password")) == "refuse.password.wrong"
    assert town.logins.members[1].password_hash == "$quick$the owner's"
    late = Safety(replace(town.stores, hasher=Meanwhile(reset)), town.clock, town.leaving)
    assert key_of(late.change_email(made.user, "thief@example.com", GOOD)) == "refuse.password.wrong"
    assert town.logins.members[1].email == "kim@example.com"


# --- how fast ---------------------------------------------------------------------------------------------------------


def test_wrong_tries_cost_growing_delays_and_the_right_password_waits_too(town: Town) -> None:
    town.join()
    waits = []
    places = (f"10.0.{n // 250}.{n % 250}" for n in range(10_000))
    for _ in range(3):
        assert key_of(town.enter("wrong wrong wrong", ip=next(places))) == "refuse.credentials"
    for _ in range(4):
        refused = town.enter(GOOD, ip=next(places))
        assert refused == Refusal("refuse.wait.person"), "how long is not told to whoever guesses"
        waits.append(0)
        while town.enter("wrong wrong wrong", ip=next(places)) == refused:
            town.clock.forward(seconds=1)
            waits[-1] += 1
    assert waits == sorted(waits)
    assert waits[-1] >= 4 * waits[0]


def test_strangers_who_guess_keep_nobody_out_of_a_browser_they_signed_in_with(town: Town) -> None:
    known = town.join().browser
    for n in range(400):
        town.enter("wrong wrong wrong", ip=f"198.51.100.{n % 250}")
        town.clock.forward(seconds=7)
    town.enter("wrong wrong wrong", ip="192.0.2.1")
    assert town.enter(GOOD) == Refusal("refuse.wait.person")
    entered = town.enter(GOOD, browser=known)
    assert isinstance(entered, SignedIn)
    assert entered.browser == known


def test_a_known_browser_has_a_tally_of_its_own_and_tells_how_long(town: Town) -> None:
    known = town.join().browser
    answers = [town.enter("wrong wrong wrong", browser=known) for _ in range(4)]
    assert [key_of(answer) for answer in answers] == ["refuse.credentials"] * 3 + ["refuse.wait"]
    assert isinstance(town.enter(GOOD), SignedIn), "and its tries are not the others'"


@pytest.mark.parametrize("browser", ["", "nonsense", "x" * 10_000, "\ud800"])
def test_an_invented_browser_is_like_any_other(town: Town, browser: str) -> None:
    town.join()
    for _ in range(3):
        town.enter("wrong wrong wrong")
    assert town.enter(GOOD, browser=browser) == Refusal("refuse.wait.person")


def test_somebody_elses_browser_is_like_any_other(town: Town) -> None:
    town.join()
    lees = town.join("lee@example.com").browser
    for _ in range(3):
        town.enter("wrong wrong wrong")
    assert town.enter(GOOD, browser=lees) == Refusal("refuse.wait.person")


def test_signing_out_everywhere_forgets_the_browsers_too(town: Town) -> None:
    made = town.join()
    town.people.sign_out_everywhere(made.user)
    assert town.browsers.rows == {}


def test_only_the_hash_of_a_browser_is_stored(town: Town) -> None:
    made = town.join()
    assert len(made.browser) >= 43
    assert made.browser not in str(town.browsers.rows)
    assert made.browser not in repr(made)


def test_a_browser_unused_for_half_a_year_is_forgotten(town: Town) -> None:
    town.join()
    town.clock.forward(seconds=BROWSER_MS / 1000 + 1)
    town.people.tidy()
    assert town.browsers.rows == {}


def test_a_wait_is_never_a_lock(town: Town) -> None:
    town.join()
    for n in range(400):
        town.enter("wrong wrong wrong", ip=f"198.51.100.{n % 250}")
        town.clock.forward(seconds=7)
    town.clock.forward(seconds=PER_PERSON.longest_ms / 1000)
    assert isinstance(town.enter(GOOD), SignedIn)


def test_a_right_password_takes_its_own_try_off_the_tally(town: Town) -> None:
    town.join()
    for _ in range(50):
        assert isinstance(town.enter(GOOD), SignedIn)


def test_ten_thousand_guesses_in_an_hour_reach_the_hash_thirty_times_at_most(town: Town) -> None:
    town.join()
    before = town.hasher.verified
    for n in range(10_000):
        town.enter("wrong wrong wrong", ip=f"10.{n // 250}.{n % 250}.1")
        town.clock.forward(seconds=0.36)
    assert town.hasher.verified - before <= 30


def test_one_address_cannot_try_many_people_quickly(town: Town) -> None:
    refused = [key_of(town.enter("wrong wrong wrong", f"p{n}@example.com")) for n in range(60)]
    assert refused.count("refuse.credentials") <= 21
    assert set(refused[30:]) == {"refuse.wait"}


def test_an_ipv6_customer_is_one_address(town: Town) -> None:
    refused = [
        key_of(town.enter("wrong wrong wrong", f"p{n}@example.com", ip=f"2001:db8:1:2::{n:x}")) for n in range(60)
    ]
    assert "refuse.wait" in refused
    assert key_of(town.enter("wrong wrong wrong", "q@example.com", ip="2001:db8:1:3::1")) == "refuse.credentials"


def test_new_people_are_paced_by_address(town: Town) -> None:
    made = [town.people.try_paper(accepted_risk=True, origin=HOME) for _ in range(15)]
    assert sum(isinstance(result, SignedIn) for result in made) <= 11
    assert isinstance(town.people.try_paper(accepted_risk=True, origin=Origin("192.0.2.1")), SignedIn)


PACE = Pace(free=3, first_ms=1_000, longest_ms=60_000, halving_ms=600_000)


@given(st.lists(st.integers(min_value=0, max_value=120_000), max_size=60))
def test_a_wait_never_exceeds_the_longest_and_waiting_it_out_is_enough(steps: list[int]) -> None:
    now, tally = 1_000_000_000, Tally()
    for step in steps:
        now += step
        wait = tally.wait_ms(PACE, now)
        assert 0 <= wait <= PACE.longest_ms
        assert tally.wait_ms(PACE, now + wait) == 0
        tally = tally.tried(PACE, now)


@given(st.integers(min_value=0, max_value=50))
def test_tallies_decay_to_nothing(tries: int) -> None:
    tally = Tally()
    for _ in range(tries):
        tally = tally.tried(PACE, 0)
    assert tally.now(PACE, PACE.halving_ms * 20) < 0.001


# --- how long ---------------------------------------------------------------------------------------------------------


def test_a_session_ends_after_its_absolute_time_however_busy(town: Town) -> None:
    token = town.join().token
    for _ in range(ABSOLUTE_MS // TOUCH_MS - 1):
        town.clock.forward(minutes=1)
        assert town.people.user_of(token) is not None
    town.clock.forward(minutes=1)
    assert town.people.user_of(token) is None


def test_a_session_nobody_uses_ends_early(town: Town) -> None:
    token = town.join().token
    town.clock.forward(seconds=IDLE_MS / 1000 - 1)
    assert town.people.user_of(token) is not None
    town.clock.forward(seconds=IDLE_MS / 1000)
    assert town.people.user_of(token) is None


def test_a_use_is_written_once_a_minute_at_most(town: Town) -> None:
    token = town.join().token
    row = next(iter(town.sessions.rows.values()))
    town.clock.forward(seconds=59)
    town.people.user_of(token)
    assert next(iter(town.sessions.rows.values())) == row
    town.clock.forward(seconds=1)
    town.people.user_of(token)
    assert next(iter(town.sessions.rows.values())).seen_ms == town.clock.now_ms()


def test_only_the_hash_of_a_token_is_stored_and_tokens_are_long(town: Town) -> None:
    made = town.join()
    assert len(made.token) >= 43
    assert made.token not in str(town.sessions.rows)
    assert made.token not in repr(made)


@pytest.mark.parametrize("token", [None, "", "nonsense", "x" * 10_000, "\ud800"])
def test_what_is_no_token_is_nobody(town: Town, token: str | None) -> None:
    assert town.people.user_of(token) is None


def test_signing_out_ends_one_session_and_everywhere_ends_all(town: Town) -> None:
    first = town.join().token
    second, third = town.enter(GOOD), town.enter(GOOD)
    assert isinstance(second, SignedIn)
    assert isinstance(third, SignedIn)
    town.people.sign_out(first)
    assert town.people.user_of(first) is None
    assert town.people.user_of(second.token) is not None
    town.people.sign_out_everywhere(second.user)
    assert town.people.user_of(second.token) is town.people.user_of(third.token) is None


def test_tidying_forgets_what_is_over_and_nothing_else(town: Town) -> None:
    old = town.join().token
    town.clock.forward(seconds=ABSOLUTE_MS / 1000 + 1)
    fresh = town.enter(GOOD)
    assert isinstance(fresh, SignedIn)
    town.people.tidy()
    assert len(town.sessions.rows) == 1
    assert town.people.user_of(old) is None
    assert town.people.user_of(fresh.token) is not None


def test_the_gate_turns_a_flood_away_instead_of_queueing_it_for_ever() -> None:
    inside, leave = threading.Semaphore(0), threading.Event()

    class SlowHasher(QuickHasher):
        def hash(self, password: str) -> str:
            inside.release()
            leave.wait(10)
            return super().hash(password)

    gate = GatedHasher(SlowHasher(), at_once=1, waiting=0)
    one = threading.Thread(target=gate.hash, args=("first",))
    one.start()
    inside.acquire(timeout=10)
    with pytest.raises(Retry):
        gate.hash("second")
    leave.set()
    one.join()
    assert gate.verify("$quick$x", "x")


def test_language_and_colours_are_kept_for_the_person_and_nothing_odd_is_taken() -> None:
    town = Town()
    entered = town.people.register("kim@example.com", GOOD, accepted_risk=True, origin=HOME, locale="ko")
    assert isinstance(entered, SignedIn)
    assert (entered.user.locale, entered.user.colours) == ("ko", "language")
    assert town.people.change_looks(entered.user, "en", "green_up") is None
    seen = town.people.user_of(entered.token)
    assert seen is not None
    assert (seen.locale, seen.colours) == ("en", "green_up")
    odd: tuple[Any, ...] = (("de", "red_up"), ("en", "blue"), ("", "language"))
    for language, colours in odd:
        assert town.people.change_looks(seen, language, colours) == Refusal("refuse.field", field="language")
    assert town.people.user_of(entered.token) == seen


def test_a_time_zone_is_one_there_is_and_is_kept_for_the_person() -> None:
    town = Town()
    entered = town.people.register("kim@example.com", GOOD, accepted_risk=True, origin=HOME, locale="ko")
    assert isinstance(entered, SignedIn)
    for name in ("Mars/Base", "../etc/passwd", "/etc/passwd", "KST", "a" * 900, " UTC"):
        assert town.people.change_zone(entered.user, name) == Refusal("refuse.field", field="time_zone")
    for name in ("America/New_York", "UTC", ""):
        assert town.people.change_zone(entered.user, name) is None
        seen = town.people.user_of(entered.token)
        assert seen is not None
        assert seen.time_zone == name
    assert town.people.change_zone(replace(entered.user, read_only=True), "UTC") == Refusal("refuse.read_only")


def test_a_theme_is_one_there_is_and_is_kept_for_the_person() -> None:
    town = Town()
    entered = town.people.register("kim@example.com", GOOD, accepted_risk=True, origin=HOME, locale="ko")
    assert isinstance(entered, SignedIn)
    for name in ("blue", "", "Dark", "dark; Path=/"):
        odd: Any = name
        assert town.people.change_theme(entered.user, odd) == Refusal("refuse.field", field="theme")
    assert town.people.change_theme(entered.user, "dark") is None
    seen = town.people.user_of(entered.token)
    assert seen is not None
    assert seen.theme == "dark"
    assert town.people.change_theme(replace(entered.user, read_only=True), "light") == Refusal("refuse.read_only")


def test_a_number_format_is_one_there_is_and_is_kept_for_the_person() -> None:
    town = Town()
    entered = town.people.register("kim@example.com", GOOD, accepted_risk=True, origin=HOME, locale="ko")
    assert isinstance(entered, SignedIn)
    for name in ("de", "", "Comma", "1.234,5"):
        odd: Any = name
        assert town.people.change_numbers(entered.user, odd) == Refusal("refuse.field", field="numbers")
    assert town.people.change_numbers(entered.user, "comma") is None
    seen = town.people.user_of(entered.token)
    assert seen is not None
    assert seen.numbers == "comma"
    assert town.people.change_numbers(replace(entered.user, read_only=True), "space") == Refusal("refuse.read_only")


# --- the trail --------------------------------------------------------------------------------------------------------


def test_coming_in_is_noted_with_the_session_and_a_look_at_the_demo_is_not(town: Town) -> None:
    town.join()
    town.enter(GOOD)
    town.demo = town.logins.add("demo-x@maemae.local", "!", locale="ko", risk_accepted_ms=0, is_demo=True)
    town.people.open_demo(origin=HOME)
    assert [(note.event, note.network) for note in town.trail.notes] == [
        (TrailEvent.REGISTERED, HOME.ip),
        (TrailEvent.SIGNED_IN, HOME.ip),
    ]


def test_a_refused_sign_in_is_noted_in_a_browser_of_the_persons_own_alone(town: Town) -> None:
    made = town.join()
    town.trail.notes.clear()
    town.enter("a wrong password", ip="198.51.100.9")
    assert town.trail.notes == []
    town.enter("a wrong password", browser=made.browser)
    assert [(note.event, note.user_id) for note in town.trail.notes] == [(TrailEvent.SIGN_IN_FAILED, made.user.user_id)]


def test_one_session_is_ended_by_its_owner_and_the_others_together(town: Town) -> None:
    kim, again, lee = town.join(), town.enter(GOOD), town.join("lee@example.com")
    third = town.enter(GOOD)
    assert isinstance(again, SignedIn)
    assert isinstance(third, SignedIn)
    assert key_of(town.safety.end_session(lee.user, kim.user.session_id)) == "refuse.session.gone"
    assert town.safety.end_session(again.user, kim.user.session_id) is None
    assert town.people.user_of(kim.token) is None
    assert town.safety.end_other_sessions(again.user) is None
    assert (town.people.user_of(again.token), town.people.user_of(third.token)) == (again.user, None)
    assert town.people.user_of(lee.token) == lee.user
