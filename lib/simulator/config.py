"""The settings of one simulator process; they are handed in, nothing is read from the environment."""

from dataclasses import dataclass, field
from pathlib import Path

from lib.domain.fill_prices import EngineConfig
from lib.domain.venues import REAL_FEEDS
from lib.simulator.analyst.completions import MODELS
from lib.simulator.venue.venue import VenueConfig

LIVE_FEEDS = REAL_FEEDS


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """
    What the process simulates and where it listens; *feed* is synthetic, replay:FILE, bybit or bybit-testnet.

    *token* guards the switches under /sim, *analyst_key* the analyst (None = open). *replay_history* is how many
    candles of a replay file are already past when its books are first opened. *port* 0 takes any free one.
    """

    feed: str
    database: Path
    seed: int = 7
    host: str = "127.0.0.1"
    port: int = 18700
    symbols: tuple[str, ...] = ("BTCUSDT",)
    token: str | None = field(default=None, repr=False)
    analyst_key: str | None = field(default=None, repr=False)
    models: tuple[str, ...] = MODELS
    replay_history: int = 5_000
    engine: EngineConfig = field(default_factory=EngineConfig)
    venue: VenueConfig = field(default_factory=VenueConfig)
