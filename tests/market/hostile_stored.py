"""
Ways in which the stored list of a scene may be wrong, and ways in which it only looks different.

Each changes the newest thirty candles of one `Scene` and nothing of its REST answer.
"""

import json
from dataclasses import replace
from decimal import Decimal
from random import Random

import redis

from lib.domain.candle import MINUTE_MS, Candle
from tests.factories import T
from tests.market.hostile_windows import HELD, SHOWN, Scene, market, near, scaled, stored_text

NOT_NUMBERS = ("NaN", "sNaN", "Infinity", "-Infinity", "nan123", "1e400", "-1e400", "1e-400000", "9" * 400)
NOT_TEXT = (b"", b"\xff\xfe", b"null", b"[]", b"{}", b'"x"', b"[" * 5_000, b'{"a":' * 3_000, b"\x00", b"NaN", b"{]")
LOST = (
    redis.ConnectionError("refused"),
    redis.TimeoutError("slow"),
    redis.BusyLoadingError("loading"),
    redis.ResponseError("WRONGTYPE Operation against a key"),
    redis.ResponseError("OOM command not allowed"),
    redis.InvalidResponse("Protocol Error"),
    ConnectionResetError("reset"),
    TimeoutError(),
)


# --- harmless: another spelling of the same truth ---------------------------------------------------------------------


def clean(scene: Scene) -> None:
    """Nothing is wrong."""


def other_spelling(scene: Scene) -> None:
    def text(candle: Candle) -> str:
        fields = {
            name: f"{getattr(candle, name) + Decimal('0.0000'):f}"
            for name in ("volume", "close", "low", "high", "open")
        }
        return json.dumps({**fields, "extra": [1, {"a": None}], "timestamp": candle.open_time}, indent=1)

    scene.spell = text


def bare_numbers(scene: Scene) -> None:
    scene.spell = lambda candle: stored_text(candle).replace(':"', ":").replace('",', ",").replace('"}', "}")


def only_thirty(scene: Scene) -> None:
    scene.held = scene.held[-SHOWN:]


def comes_later(scene: Scene) -> None:
    texts = [stored_text(candle).encode() for candle in reversed(scene.truth)]
    scene.early.append(texts[1 : SHOWN + 1])


def returns_later(scene: Scene) -> None:
    scene.early.append(scene.rng.choice(LOST))


# --- the stored list --------------------------------------------------------------------------------------------------


def gap(scene: Scene) -> None:
    at = scene.rng.randrange(max(1, len(scene.held) - SHOWN + 1), max(2, len(scene.held) - 1))
    del scene.held[at : at + scene.rng.randint(1, 4)]


def duplicate(scene: Scene) -> None:
    at = max(scene.index(), len(scene.held) - SHOWN + 1)  # a twin of the oldest shown would not be seen
    scene.held[at:at] = scene.held[at : at + 1]


def disorder(scene: Scene) -> None:
    newest = scene.held[-SHOWN:]
    scene.rng.shuffle(newest)
    scene.held[-SHOWN:] = newest if newest != scene.held[-SHOWN:] else newest[::-1]


def upside_down(scene: Scene) -> None:
    scene.held.reverse()


def zero_price(scene: Scene) -> None:
    scene.change(**{scene.rng.choice(("open", "high", "low", "close")): Decimal(0)})


def negative(scene: Scene) -> None:
    scene.change(**{scene.rng.choice(("open", "high", "low", "close", "volume")): Decimal("-1.5")})


def not_a_number(scene: Scene) -> None:
    at = scene.index()
    found = scene.held[at] if scene.held else b""
    if isinstance(found, Candle):
        name = scene.rng.choice(("open", "high", "low", "close", "volume"))
        text, wrong = stored_text(found), scene.rng.choice(NOT_NUMBERS)
        scene.held[at] = text.replace(f'"{name}":"{getattr(found, name)}"', f'"{name}":"{wrong}"').encode()


def inside_out(scene: Scene) -> None:
    at = scene.index()
    found = scene.held[at] if scene.held else b""
    if isinstance(found, Candle):
        scene.held[at] = replace(found, high=found.low, low=found.high)


def jump(scene: Scene) -> None:
    factor = scene.rng.choice((Decimal("0.5"), Decimal("1.5"), Decimal(100)))
    at = scene.index()
    for n in range(at, len(scene.held)):
        found = scene.held[n]
        if isinstance(found, Candle):
            scene.held[n] = scaled(found, factor)


def unclosed(scene: Scene) -> None:
    forming = replace(scene.truth[-1], open_time=T)
    scene.held.append(forming)
    scene.shown.append(forming)


def unclosed_shown_as_closed(scene: Scene) -> None:
    scene.held.append(replace(scene.truth[-1], open_time=T))
    scene.shown.append(scene.held[-1])
    scene.venue_ms = T + MINUTE_MS + 1


def flushed(scene: Scene) -> None:
    left = scene.rng.randrange(0, SHOWN)
    scene.held = scene.held[-left:] if left else []


def rolled_back(scene: Scene) -> None:
    del scene.held[-scene.rng.randint(1, HELD - 1) :]


def rolled_back_days(scene: Scene) -> None:
    scene.held = list(market(scene.rng, closes_at=T - MINUTE_MS * scene.rng.randrange(1, 10_000)))


def another_feed(scene: Scene) -> None:
    scene.held = list(market(Random(scene.rng.random()), closes_at=T))


def another_feeds_past(scene: Scene) -> None:
    """Other prices near ours, contiguous with a true end: only the cross-check of every candle can tell."""
    own = scene.rng.randint(1, SHOWN - 1)
    scene.held = [item if n >= len(scene.held) - own else near(item) for n, item in enumerate(scene.held)]


def another_feeds_end(scene: Scene) -> None:
    scene.held = [*scene.held[:-1], *map(near, scene.held[-1:])]


def off_the_boundary(scene: Scene) -> None:
    by = scene.rng.choice((1, -1, 999, 1_000, 30_000, 59_999, MINUTE_MS, -MINUTE_MS, 5 * MINUTE_MS))
    scene.held = [
        replace(item, open_time=item.open_time + by) if isinstance(item, Candle) else item for item in scene.held
    ]


def wrong_step(scene: Scene) -> None:
    step = MINUTE_MS * scene.rng.choice((3, 5, 15))
    coarse = market(scene.rng, step=step)
    late = step - MINUTE_MS if scene.rng.random() < 0.5 else 0
    scene.held = [replace(candle, open_time=candle.open_time + late) for candle in coarse]


def one_tick_off(scene: Scene) -> None:
    at = scene.index()
    found = scene.held[at] if scene.held else b""
    if isinstance(found, Candle):
        name = scene.rng.choice(("open", "high", "low", "close", "volume"))
        scene.held[at] = replace(found, **{name: getattr(found, name) + Decimal("0.001")})


def strange_time(scene: Scene) -> None:
    scene.change(open_time=scene.rng.choice((-1, -T, 0, 10**18, 2**63, 2**64, 10**40, 10**4_200, T + 1)))


def not_json(scene: Scene) -> None:
    if scene.held:
        scene.held[scene.index()] = scene.rng.choice(NOT_TEXT)


def cut_off(scene: Scene) -> None:
    at = scene.index()
    found = scene.held[at] if scene.held else b""
    if isinstance(found, Candle):
        text = stored_text(found).encode()
        scene.held[at] = text[: scene.rng.randrange(len(text))]


def flipped_bit(scene: Scene) -> None:
    """One byte of one row differs; whatever that makes of it must still be the truth to pass."""
    at = scene.index()
    found = scene.held[at] if scene.held else b""
    if isinstance(found, Candle):
        raw = bytearray(stored_text(found).encode())
        raw[scene.rng.randrange(len(raw))] ^= 1 << scene.rng.randrange(8)
        scene.held[at] = bytes(raw)


def glued(scene: Scene) -> None:
    """Two rows in one element: joined with the others it is still JSON."""
    at = scene.index()
    pair = scene.held[at - 1 : at + 1]
    if at > 0 and all(isinstance(item, Candle) for item in pair):
        both = ",".join(stored_text(item) for item in reversed(pair) if isinstance(item, Candle))
        scene.held[at - 1 : at + 1] = [both.encode()]


def wrong_types(scene: Scene) -> None:
    at = scene.index()
    found = scene.held[at] if scene.held else b""
    if isinstance(found, Candle):
        wrong = scene.rng.choice(("null", "true", "[1]", "{}", '"x"', "1.5", "-0.0", '""', '" "', '"1,5"'))
        name = scene.rng.choice(("open", "high", "low", "close", "volume", "timestamp"))
        fields = json.loads(stored_text(found))
        texts = (f'"{key}":{wrong if key == name else json.dumps(value)}' for key, value in fields.items())
        scene.held[at] = ("{" + ",".join(texts) + "}").encode()


def key_missing(scene: Scene) -> None:
    at = scene.index()
    found = scene.held[at] if scene.held else b""
    if isinstance(found, Candle):
        fields = json.loads(stored_text(found))
        del fields[scene.rng.choice(sorted(fields))]
        scene.held[at] = json.dumps(fields).encode()


def redis_away(scene: Scene) -> None:
    scene.away = scene.rng.choice(LOST)
