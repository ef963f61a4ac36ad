"""Channels are a person's own acts: how often they try them, whatever they do to the channels meanwhile."""

from lib.accounts.notices import TESTS, NoticeDesk
from lib.accounts.web import SessionUser
from lib.clock import SteppedClock
from lib.ports.secrets import ChannelSealer
from tests.factories import T
from tests.fakes.notices import MemoryChannels, MemoryNoticeChoices
from tests.fakes.people import MemoryThrottles


class PlainSealer(ChannelSealer):
    """Seals nothing."""

    def seal(self, address: str, user_id: int, service: str) -> str:
        return address


USER = SessionUser(7, "a@example.com", "ko")


def test_a_channel_made_anew_is_not_another_chance_to_send_a_test() -> None:
    clock, channels = SteppedClock(T), MemoryChannels()
    desk = NoticeDesk(MemoryNoticeChoices(), channels, MemoryThrottles(), PlainSealer(), clock)
    answers = []
    for _ in range(TESTS.free + 1):
        assert desk.add(USER, "ntfy", "phone", "ntfys://ntfy.sh/topic") is None
        answers.append(desk.test(USER, 1))
        desk.remove(USER, 1)
    assert answers[:-1] == [None] * TESTS.free
    assert answers[-1] is not None
    assert answers[-1].key == "refuse.wait"
