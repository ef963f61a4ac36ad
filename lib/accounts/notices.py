"""
How somebody is told what happened to their account: what they have seen of it, where it is sent besides, and when.

Acts of the person alone: who only looks changes nothing. An address is sealed for the notifier as soon as it is read,
and is in no answer; a guest, whom nobody knows, has the bell alone.
"""

from lib import log
from lib.accounts.acts import act
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.domain.channel import LONGEST_NAME, MOST_CHANNELS, TellingChoices, read_address
from lib.domain.pace import Pace
from lib.ports.notifier import Channels, NoticeChoices
from lib.ports.people import Throttles
from lib.ports.secrets import ChannelSealer

TEST_PAUSE_MS = 15_000
TESTS = Pace(free=6, first_ms=30_000, longest_ms=600_000, halving_ms=900_000)
"""Of one person, whichever of their channels, made anew or not."""
_GONE = Refusal("refuse.channel.gone")


class NoticeDesk:
    """
    Synchronous and safe from any thread; *Retry* when the database is away. Without *sealer* nobody can add a channel.
    """

    def __init__(
        self,
        choices: NoticeChoices,
        channels: Channels,
        throttles: Throttles,
        sealer: ChannelSealer | None,
        clock: Clock,
        *,
        private_hosts: bool = False,
    ) -> None:
        self._choices = choices
        self._channels = channels
        self._throttles = throttles
        self._sealer = sealer
        self._clock = clock
        self._private_hosts = private_hosts

    @property
    def has_channels(self) -> bool:
        """Whether channels can be added here."""
        return self._sealer is not None

    @act
    def see(self, user: SessionUser, newest: int) -> Refusal | None:
        """They have seen everything up to that row of theirs; it never goes back."""
        self._choices.see(user.user_id, newest)
        return None

    @act
    def choose(self, user: SessionUser, choices: TellingChoices) -> Refusal | None:
        """They are told like that from now on."""
        if not choices.are_whole:
            return Refusal("refuse.form")
        self._choices.choose(user.user_id, choices)
        return None

    @act
    def add(self, user: SessionUser, service: str, name: str, address: str) -> Refusal | None:
        """A channel of theirs at *address*, shown as *name* from now on."""
        if user.is_guest:
            return Refusal("refuse.guest")
        if self._sealer is None:
            return Refusal("refuse.channel.none")
        with log.hide(address):
            read, wanted = read_address(service, address, private_hosts=self._private_hosts), name.strip()
            if read is None or not 0 < len(wanted) <= LONGEST_NAME:
                return Refusal("refuse.channel.address")
            sealed = self._sealer.seal(read.url, user.user_id, service)
        kept = self._channels.add(user.user_id, service, wanted, sealed, MOST_CHANNELS)
        return None if kept else Refusal("refuse.channel.most", most=MOST_CHANNELS)

    @act
    def remove(self, user: SessionUser, channel_id: int) -> Refusal | None:
        """It is gone, and what waits for it."""
        return None if self._channels.remove(user.user_id, channel_id) else _GONE

    @act
    def enable(self, user: SessionUser, channel_id: int, on: bool) -> Refusal | None:
        """Switch it on or off."""
        return None if self._channels.enable(user.user_id, channel_id, on) else _GONE

    @act
    def test(self, user: SessionUser, channel_id: int) -> Refusal | None:
        """The notifier sends it a test at once; whether it arrives is seen there, and failures here."""
        now = self._clock.now_ms()
        if wait_ms := self._throttles.attempt(f"channel_test:{user.user_id}", TESTS, now):
            return Refusal("refuse.wait", seconds=-(-wait_ms // 1000))
        done = self._channels.test(user.user_id, channel_id, now, TEST_PAUSE_MS)
        return None if done else Refusal("refuse.channel.soon")
