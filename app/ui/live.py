"""
Mounts of the live parts: Python gives words and addresses once, figures come to the browser by the account's channel.

All of them share one browser module (`account.mjs`), so a page has one socket and every part shows the same moment.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.ui.assets import component
from app.ui.live_style import BAR, BELL, POSITION, SWITCHES, TILES, TRUTH
from app.ui.tiles import HEIGHT, WIDTH
from lib.domain.account import RISK_PROFILES, RiskLevel

FOLDER = "live"
"""Of the modules: they arrive together, and share `account.mjs`, which holds the socket."""

Words = Mapping[str, str]


def bar(
    text: Words, errors: Words, language: str, on_unproved: Callable[[], None], symbol: str, *, read_only: bool
) -> None:
    """
    The bar that stays; *errors* are the catalogue's sentences for refusals by their keys, and *on_unproved* is called
    when an act was refused until its person has proved once more who they are. *symbol* is the one whose price it shows
    ("" = the account's first).
    """
    data = {"text": dict(text), "errors": dict(errors), "language": language, "read_only": read_only, "symbol": symbol}
    component("bar", BAR, FOLDER)(key="bar", data=data, height="content", on_proof_change=on_unproved)


def bell(word: str, address: str, most: int, *, read_only: bool) -> None:
    """The bell, a link to *address*; *most* unseen are shown as "more than"."""
    data = {"text": {"bell": word}, "address": address, "most": most, "read_only": read_only}
    component("bell", BELL, FOLDER)(key="bell", data=data, width="content", height="content")


def tiles(labels: Sequence[tuple[str, str, str]], language: str, *, won: bool) -> None:
    """The tiles: (key, label, hint) of each, in their order; *won* keeps room for won."""
    named = [{"key": key, "label": label, "hint": hint} for key, label, hint in labels]
    data = {"tiles": named, "language": language, "size": [WIDTH, HEIGHT], "won": won}
    component("tiles", TILES, FOLDER)(key="tiles", data=data, height="content")


def truth(text: Words, language: str) -> None:
    """The badges of what the system says of itself."""
    data = {"text": dict(text), "language": language}
    component("truth", TRUTH, FOLDER)(key="badges", data=data, width="content", height="content")


def position(
    text: Words, language: str, log: str, of: tuple[str, bool], on_symbol: Callable[[], None], *, read_only: bool
) -> None:
    """
    The open position; *log* is the address of a decision without its number, *of* the symbol and whether there are
    several. *on_symbol* is called when another symbol's position was chosen: its name is the component's "symbol".
    """
    shown = {"symbol": of[0], "several": of[1], "read_only": read_only}
    data = {"text": dict(text), "language": language, "log": log, **shown}
    mount = component("position", POSITION, FOLDER)
    mount(key="position", data=data, height="content", on_symbol_change=on_symbol)


def switches(text: Words, levels: Mapping[RiskLevel, tuple[str, str]], most: int, *, read_only: bool) -> None:
    """The switch, the risk level and the leverage cap up to *most*; a level has its label and what it means."""
    named = {
        level.value: {"label": label, "means": means, "cap": RISK_PROFILES[level].leverage_cap}
        for level, (label, means) in levels.items()
    }
    data = {"text": dict(text), "levels": named, "most": most, "read_only": read_only}
    component("switches", SWITCHES, FOLDER)(key="switches", data=data, height="content")


def follow(part: str, seen: str, on_change: Callable[[], None] | None = None, *, where: str = "") -> Any:
    """
    Have the script draw again whatever is around this when *part* of the account is no longer what was *seen*.

    *part* is a key of the channel's "seen". Inside a fragment the fragment is drawn, else the page; *where* tells
    several of them on a page apart.
    """
    mount = component("follow", "", FOLDER)
    return mount(
        key=f"follow_{part}{where}", data={"part": part, "seen": seen}, on_changed_change=on_change or _nothing
    )


def _nothing() -> None:
    """The rerun is all that is wanted."""
