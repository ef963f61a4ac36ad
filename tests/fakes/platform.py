"""Platform settings and invitations in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lib.clock import Clock
from lib.domain.platform_settings import PREFIX, Invite, Invites, SettingChange
from lib.ports.people import InviteRefused
from lib.ports.platform import PlatformBook


@dataclass(frozen=True, slots=True)
class InviteRow:
    expires_ms: int
    used_ms: int = 0


@dataclass(slots=True)
class InviteBox:
    """Invitations by the hash of their code."""

    rows: dict[str, InviteRow] = field(default_factory=dict)

    def use(self, invite: Invite) -> None:
        row = self.rows.get(invite.code_sha256)
        if row is None or row.used_ms or row.expires_ms <= invite.at_ms:
            raise InviteRefused("the invitation is none, was used, or is over")
        self.rows[invite.code_sha256] = replace(row, used_ms=invite.at_ms)


class MemoryPlatformBook(PlatformBook):
    """`lib.ports.PlatformBook`, over *settings* (another's rows, when given) and a box of invitations."""

    def __init__(self, clock: Clock, box: InviteBox | None = None, settings: dict[str, str] | None = None) -> None:
        self._clock = clock
        self.box = box or InviteBox()
        self.settings = {} if settings is None else settings
        self._trail: list[SettingChange] = []

    def rows(self) -> dict[str, str]:
        return {name: text for name, text in self.settings.items() if name.startswith(PREFIX)}

    def change(self, name: str, after: str | None, who: str, why: str) -> SettingChange | None:
        before = self.settings.get(name)
        if before == after:
            return None
        if after is None:
            del self.settings[name]
        else:
            self.settings[name] = after
        self._trail.append(SettingChange(name, before, after, who, why, self._clock.now_ms()))
        return self._trail[-1]

    def changes(self, newest: int) -> list[SettingChange]:
        return self._trail[::-1][:newest]

    def add_invites(self, codes_sha256: Sequence[str], expires_ms: int, who: str) -> None:
        self.box.rows |= {code: InviteRow(expires_ms) for code in codes_sha256}

    def invites(self) -> Invites:
        now, rows = self._clock.now_ms(), self.box.rows.values()
        unused = [row for row in rows if not row.used_ms]
        good = sum(row.expires_ms > now for row in unused)
        return Invites(good, len(rows) - len(unused), len(unused) - good)
