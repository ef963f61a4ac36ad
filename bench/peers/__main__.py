"""
`python -m bench.peers` (or `python -m bench.peers backtesting vectorbt`): the event engine and its peers, one run.

Everybody gets the same candles and the same recorded decisions: at T go long or short with a stop and a target as
shares of the price, turn where the position is the other way, stay where it is the same way; a taker's fee. The engine
asks every gate, sizes, pays funding and walks seconds besides. Seconds of CPU after loading, the best of three.
"""

import argparse
import json
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.evidence import SYMBOL, bare, record, replayed, timed, times_of
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.decision import Decision
from lib.evidence.account import Heard
from lib.evidence.tape import Tape
from tests.evidence.walks import TICK, wandering

HERE = Path(__file__).parent
ROOM = HERE.parents[1] / "var" / "peers"
PEERS: Mapping[str, tuple[str, ...]] = {
    "backtesting": ("backtesting==0.6.6",),
    "vectorbt": ("vectorbt==1.2.0",),
}
"""What each peer is installed from; its rule is `with_NAME.py` beside this file."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("peers", nargs="*", help=f"of {', '.join(PEERS)}; all unless said")
    parser.add_argument("--days", type=int, default=60)
    asked = parser.parse_args()
    candles = wandering(5, asked.days * 1440, wild=0.0004)
    answers = record(times_of(candles))
    ours(candles, answers)
    inputs = written(candles, answers, ROOM)
    well = [beside(name, inputs, len(candles)) for name in asked.peers or PEERS]
    return 0 if all(well) else 1


def ours(candles: Sequence[Candle], answers: Mapping[int, Heard]) -> None:
    """Our own figures and the floor."""
    tape, times = Tape(SYMBOL, candles, TICK), list(answers)
    floats = [(one.open_time, float(one.high), float(one.low), float(one.close)) for one in candles]
    engine = timed(lambda: replayed(tape, times, answers.get))
    say("Maemae", engine.seconds, len(candles), engine.said)
    floor = timed(lambda: f"{bare(floats, answers):.3f} of the start left")
    say("bare Python", floor.seconds, len(candles), floor.said)


def written(candles: Sequence[Candle], answers: Mapping[int, Heard], folder: Path) -> Path:
    """Candles as a peer reads them, with side, stop and target of the decision at the minute that closes at T."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for one in candles:
        heard = answers.get(one.open_time + MINUTE_MS)
        view = heard.decision if heard else None
        side, stop, target = 0, 0.0, 0.0
        if isinstance(view, Decision) and view.action != "hold":
            side = 1 if view.action == "buy" else -1
            stop, target = float(view.stop_loss), float(view.take_profit)
        prices = [float(price) for price in (one.open, one.high, one.low, one.close, one.volume)]
        rows.append([one.open_time, *prices, side, stop, target])
    file = folder / "inputs.json"
    file.write_text(json.dumps(rows))
    return file


def beside(name: str, inputs: Path, count: int) -> bool:
    """Run the peer *name*, installed first where it is not; whether it could be."""
    python = ROOM / name / "bin" / "python"
    try:
        if not python.exists():
            venv.create(ROOM / name, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "-qq", *PEERS[name]], check=True)
        ran = subprocess.run([python, HERE / f"with_{name}.py", inputs], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{name:14}cannot be run here: {error}\n{getattr(error, 'stderr', '') or ''}")
        return False
    found = json.loads(ran.stdout.splitlines()[-1])
    say(f"{name} {found['version']}", found["seconds"], count, f"{found['trades']} trades")
    return True


def say(name: str, seconds: float, count: int, said: str) -> None:
    print(f"{name:22}{seconds:8.2f} s {count / seconds:12,.0f} candles/s   {said}")


if __name__ == "__main__":
    sys.exit(main())
