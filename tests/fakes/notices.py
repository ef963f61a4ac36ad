"""How people are told, in memory."""

from lib.ports.notifier import NoticeChoices


class MemoryNoticeChoices(NoticeChoices):
    """`lib.ports.notifier.NoticeChoices`: *seen* is the newest row each person has seen."""

    def __init__(self) -> None:
        self.seen: dict[int, int] = {}

    def see(self, user_id: int, newest: int) -> None:
        self.seen[user_id] = max(newest, self.seen.get(user_id, 0))
