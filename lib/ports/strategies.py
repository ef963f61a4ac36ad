"""People's strategies, their versions and what is shared of them (synchronous), one transaction a method."""

from typing import Protocol

from lib.domain.strategy import SharedStrategy, Strategy, StrategyVersion
from lib.domain.trail import Note


class Strategies(Protocol):
    """Nobody's strategy but the person's own is found. *ValueError* for no such person."""

    def create(self, user_id: int, name: str, content: Strategy, now_ms: int, most: int) -> int | None:
        """The first version of a new strategy; None, and nothing made, when the person has *most* already."""
        ...

    def save(self, user_id: int, strategy_id: int, content: Strategy, newest: int, now_ms: int) -> int | None:
        """
        The version of *content*, an older one that says the same included. None, and nothing kept, when the strategy is
        not the person's or *newest* is not the number of its newest version any more.
        """
        ...

    def rename(self, user_id: int, strategy_id: int, name: str) -> bool:
        """Call the strategy *name*; False when it is not the person's."""
        ...

    def delete(self, user_id: int, strategy_id: int) -> bool | None:
        """
        The strategy, its versions and the links to them are gone; None when it is not the person's, False, and nothing
        gone, when one of its versions ever ran or is a shadow's.
        """
        ...

    def version(self, user_id: int, version_id: int) -> StrategyVersion | None: ...

    def run(self, user_id: int, version_id: int, version: int, now_ms: int, notes: tuple[Note, ...]) -> bool:
        """
        Put that version in force; False, and nothing changed, when it is not the person's or the stored settings are no
        longer those of *version*.
        """
        ...

    def share(self, user_id: int, version_id: int, shared: SharedStrategy, most: int) -> bool:
        """Let whoever knows the code of *shared* open it; False when it is not the person's, or *most* links open."""
        ...

    def unshare(self, user_id: int, share_id: int, now_ms: int) -> bool:
        """The link opens nothing from now on; False when there is no such open link of the person's."""
        ...

    def shared(self, code_sha256: str) -> SharedStrategy | None:
        """What the code opens now; None for a link that was taken back, or invented, or whose person left."""
        ...
