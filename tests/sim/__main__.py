"""
`python -m tests.sim --seeds N` tries N worlds and prints one line of totals; `--seed K -v` tells the story of one.

A long run says now and then how far it has come, and when it is interrupted, what it found until then. Exit code 1 when
any promise was broken, with the seed and the reason; 130 when it was interrupted.
"""

import argparse
import logging
import signal
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

from tests.sim.trial import Result, Totals, judged, try_many
from tests.worlds.seeded import World

TELL_EVERY = 5_000
INTERRUPTED = 130
SQLITE_SHARE = 0.005
"""A world over SQLite costs eight in memory; `make test` has a larger share."""


def main() -> int:
    asked = _arguments()
    if asked.seed is not None:
        return _story(asked.seed, sqlite=bool(asked.sqlite), verbose=asked.verbose)
    totals = Totals()
    share = SQLITE_SHARE if asked.sqlite is None else asked.sqlite
    every = round(1 / share) if share else 0
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _add(totals, try_many(range(asked.first, asked.first + asked.seeds), jobs=asked.jobs, sqlite_every=every))
    except KeyboardInterrupt:
        _say("interrupted; so far:")
    if asked.verbose:
        _say(", ".join(f"{kind} {count}" for kind, count in sorted(totals.faults.items())))
        _say(", ".join(f"{state} {count}" for state, count in sorted(totals.states.items())))
    _say(totals.line())
    return 1 if totals.violating else 0 if totals.seeds == asked.seeds else INTERRUPTED


def _add(totals: Totals, results: Iterable[Result]) -> None:
    for result in results:
        totals.add(result)
        for problem in result.problems:
            _say(f"seed {result.seed}{' on SQLite' if result.sqlite else ''}: {problem}")
        if totals.seeds % TELL_EVERY == 0:
            _say(f"... {totals.line()}")


def _interrupt(number: int, frame: object) -> NoReturn:
    """SIGTERM ends a run as Ctrl-C does."""
    raise KeyboardInterrupt


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=(__doc__ or "").strip().split("\n")[0])
    parser.add_argument("--seeds", type=int, default=1000, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        "--sqlite", type=float, help="share of worlds over SQLite (0.5 %% unless told; --seed: any but 0 means yes)"
    )
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("-v", "--verbose", action="store_true", help="who did what; with --seeds, counts by kind")
    return parser.parse_args()


def _story(seed: int, *, sqlite: bool, verbose: bool) -> int:
    world = World(seed, sqlite=sqlite, verbose=verbose)
    _listen(world)
    world.run()
    result = judged(world, sqlite=sqlite)
    world.close()
    for line in (*world.lines, str(world.shape), str(world.trouble.temper), *result.problems):
        _say(line)
    _say(f"fingerprint {result.fingerprint}, {len(result.problems)} problems")
    return 1 if result.problems else 0


def _listen(world: World) -> None:
    """The traders' own log as part of the story."""

    class Teller(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == "cycle.not_leading":
                return
            told: dict[str, Any] = getattr(record, "maemae_fields", {})
            world.story(f"    {record.getMessage()} {' '.join(f'{name}={value}' for name, value in told.items())}")

    logger = logging.getLogger("maemae")
    logger.handlers, logger.propagate = [Teller()], False
    logger.setLevel(logging.INFO if world.verbose else logging.CRITICAL)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
