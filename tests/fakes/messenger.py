"""A messenger that can be silent, and what everybody was sent; and deliveries that a process dies at."""

from collections.abc import Callable
from typing import Any

from lib.domain import reason_codes as codes
from lib.domain.errors import Pause, Retry
from lib.ports.notifier import Courier
from lib.ports.secrets import ChannelOpener


class Killed(BaseException):
    """The process ended here."""


class PlainOpener(ChannelOpener):
    """Addresses that were never sealed."""

    def open(self, sealed: str, user_id: int, service: str) -> str:
        if sealed == "damaged":
            raise Pause(codes.KEY_DAMAGED())
        return sealed


class Messenger(Courier):
    """*sent* is (address, body) of every text that was taken; *dead* addresses take none."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.dead: set[str] = set()

    def send(self, address: str, title: str, body: str) -> None:
        if address in self.dead:
            raise Retry(codes.CHANNEL_SILENT())
        self.sent.append((address, body))


class Mortal:
    """*whole*, each of whose calls asks *fate* before and after it; fate may raise *Killed*."""

    def __init__(self, whole: object, fate: Callable[[str], None]) -> None:
        self._whole = whole
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._whole, name)

        def called(*args: Any, **named: Any) -> Any:
            self._fate(f"before {name}")
            answer = method(*args, **named)
            self._fate(f"after {name}")
            return answer

        return called
