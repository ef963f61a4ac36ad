"""
Ways in which the venue's REST may be wrong beside a true list, or both of them wrong together.

A lie told by both that holds to the contract cannot be noticed, and is not among them.
"""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

from tests.factories import T
from tests.market.hostile_windows import (
    HELD,
    SHOWN,
    Page,
    Scene,
    envelope,
    market,
    near,
    row_of,
    scaled,
    somewhere,
)

NO_REPLY = (TimeoutError(), ConnectionResetError("reset"), OSError("unreachable"))


# --- the venue's REST -------------------------------------------------------------------------------------------------


def rest_lies(scene: Scene) -> None:
    at = somewhere(scene.rng, scene.shown)
    scene.shown[at : at + 1] = map(near, scene.shown[at : at + 1])


def rest_of_another_feed(scene: Scene) -> None:
    scene.shown = list(market(Random(scene.rng.random()), closes_at=T))


def rest_stale(scene: Scene) -> None:
    del scene.shown[-scene.rng.randint(1, HELD - 1) :]


def rest_short(scene: Scene) -> None:
    scene.shown = scene.shown[-scene.rng.randrange(1, SHOWN) :]


def rest_empty(scene: Scene) -> None:
    scene.shown = []


def rest_away(scene: Scene) -> None:
    broken: tuple[Page, ...] = (
        *NO_REPLY,
        *((status, b"<html>bad gateway</html>") for status in (302, 400, 401, 403, 404, 429, 500, 502, 503)),
        *((200, envelope([], T, code)) for code in (10000, 10001, 10006, 10016, 10018, 424242, -1)),
    )
    scene.page = scene.rng.choice(broken)


def rest_unreadable(scene: Scene) -> None:
    body = scene.rest()
    whole = body[1] if isinstance(body, tuple) else b"{"
    bodies = (b"", b"null", b"[]", b"{}", b"\xff", b"[" * 50_000, b'{"retCode":0}', whole[:-2], whole + b"}")
    scene.page = 200, scene.rng.choice(bodies)


def rest_rows_broken(scene: Scene) -> None:
    row: list[Any] = row_of(scene.truth[-1])
    wrong: tuple[Any, ...] = (1, 1.5, None, True, "NaN", "1e400", "", " 1", "1_0", "٣", "-", [], {}, "\ud800")
    broken: tuple[Any, ...] = ([], row[:3], {}, None, "row", 7)
    if scene.rng.random() < 0.7:
        row[scene.rng.randrange(0, 6)] = scene.rng.choice(wrong)
        scene.shown[-1:] = [row]
    else:
        scene.shown[-1:] = [scene.rng.choice(broken)]


def rest_clock_behind(scene: Scene) -> None:
    """By the venue's own clock the newest candle has not closed."""
    scene.venue_ms = T - scene.rng.randint(1, 3_600_000)


def rest_duplicate(scene: Scene) -> None:
    at = max(somewhere(scene.rng, scene.shown), len(scene.shown) - SHOWN + 1)
    scene.shown[at:at] = scene.shown[at : at + 1]


# --- both agree on what cannot be true --------------------------------------------------------------------------------


def absurd_everywhere(scene: Scene) -> None:
    """The venue itself shows a crash of half, a wick of a third or a price of nothing: nobody trades on it."""
    at = scene.rng.randrange(HELD - SHOWN, HELD)
    found = scene.truth[at]
    spoiled = (
        scaled(found, Decimal("0.5")),
        replace(found, low=found.low * Decimal("0.7")),
        replace(found, low=Decimal(0)),
        replace(found, high=found.low, low=found.high),
        replace(found, volume=Decimal("-1")),
    )
    if len(scene.held) == len(scene.shown) == HELD:
        scene.held[at] = scene.shown[at] = scene.rng.choice(spoiled)


def gap_everywhere(scene: Scene) -> None:
    at = scene.rng.randrange(HELD - SHOWN + 1, HELD - 1)
    if len(scene.held) == len(scene.shown) == HELD:
        del scene.held[at], scene.shown[at]


def late_everywhere(scene: Scene) -> None:
    """Collector and venue both lag: they agree, and the newest candle does not close at T."""
    by = scene.rng.randint(1, 5)
    del scene.held[-by:], scene.shown[-by:]


def new_everywhere(scene: Scene) -> None:
    """A contract listed minutes ago: there is no more history."""
    kept = scene.rng.randrange(0, SHOWN)
    scene.held, scene.shown = (rows[len(rows) - min(kept, len(rows)) :] for rows in (scene.held, scene.shown))
