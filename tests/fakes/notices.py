"""How people are told, in memory."""

from lib.domain.channel import TellingChoices
from lib.ports.notifier import Channels, NoticeChoices


class MemoryNoticeChoices(NoticeChoices):
    """`lib.ports.notifier.NoticeChoices`: *seen* is the newest row each person has seen."""

    def __init__(self) -> None:
        self.seen: dict[int, int] = {}
        self.chosen: dict[int, TellingChoices] = {}

    def see(self, user_id: int, newest: int) -> None:
        self.seen[user_id] = max(newest, self.seen.get(user_id, 0))

    def choose(self, user_id: int, choices: TellingChoices) -> None:
        self.chosen[user_id] = choices


class MemoryChannels(Channels):
    """`lib.ports.notifier.Channels`: *rows* by number, (person, service, name, sealed, on)."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[int, str, str, str, bool]] = {}

    def add(self, user_id: int, service: str, name: str, sealed: str, most: int) -> bool:
        if sum(row[0] == user_id for row in self.rows.values()) >= most:
            return False
        self.rows[len(self.rows) + 1] = (user_id, service, name, sealed, True)
        return True

    def remove(self, user_id: int, channel_id: int) -> bool:
        return self._is_theirs(user_id, channel_id) and self.rows.pop(channel_id) is not None

    def enable(self, user_id: int, channel_id: int, on: bool) -> bool:
        if not self._is_theirs(user_id, channel_id):
            return False
        self.rows[channel_id] = (*self.rows[channel_id][:4], on)
        return True

    def test(self, user_id: int, channel_id: int, now_ms: int, pause_ms: int) -> bool:
        return self._is_theirs(user_id, channel_id)

    def _is_theirs(self, user_id: int, channel_id: int) -> bool:
        return channel_id in self.rows and self.rows[channel_id][0] == user_id
