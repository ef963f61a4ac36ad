"""
`make soak`: the system for hours, and whether memory, open files and the growth of its tables stay flat.

    python -m tests.soak [--hours 6] [--users 20]    market time by the stepped clock: the real trader, stores, exchange
    python -m tests.soak --real HOURS                the whole of `make run`, on its own data, by the machine's clock

A line for each reading, then what is not flat; exit status 1 if something is not. Redis and the database of the first
kind are embedded and thrown away; the second kind keeps its data where --keep says.
"""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from lib import bootstrap, log
from lib.adapters.sql.database.engine import make_engine
from lib.bootstrap import ReplayPlan
from lib.domain.order import CYCLE_MS
from tests.soak.flat import LEAST, Reading, grown, memory_mb, open_files, rows_of

ROOT = Path(__file__).resolve().parents[2]
HOUR_MS, HOUR_S = 3_600_000, 3_600.0
READINGS = 48
PROC = Path("/proc/self/fd")


def tell(readings: list[Reading], reading: Reading) -> None:
    """Keep *reading* and show it."""
    readings.append(reading)
    sys.stdout.write(f"{reading.line}\n")
    sys.stdout.flush()


# --- by the stepped clock ---------------------------------------------------------------------------------------------


def stepped(hours: float, users: int) -> list[Reading]:
    """The readings of *hours* of market time, traded by *users* people in this process."""
    readings: list[Reading] = []
    days = max(1, -(-int(hours) // 24))
    with tempfile.TemporaryDirectory(prefix="maemae-soak-") as folder:
        url = f"sqlite:///{folder}/soak.db"
        file = bootstrap.synthetic_file(Path(folder), days)
        engine = make_engine(url)
        every = max(1, int(hours * HOUR_MS / CYCLE_MS) // READINGS)

        def look(done: int, total: int) -> None:
            at = done * CYCLE_MS / HOUR_MS
            if done % every == 0 and at <= hours:
                own = os.getpid()
                rows = rows_of(engine)
                tell(readings, Reading(at, {"trader": memory_mb(own)}, {"trader": open_files(own)}, rows))

        asyncio.run(bootstrap.replay(ReplayPlan(file, users, days, "BTCUSDT", url, ""), look))
        engine.dispose()
    return readings


# --- by the machine's clock -------------------------------------------------------------------------------------------


def real(hours: float, folder: Path) -> list[Reading]:
    """The readings of *hours* of `make run` with its data in *folder*."""
    readings: list[Reading] = []
    with running(folder) as pid:
        engine = make_engine(f"sqlite:///{folder / 'maemae.db'}")
        began = time.monotonic()
        while (at := (time.monotonic() - began) / HOUR_S) <= hours:
            time.sleep(max(1.0, hours * HOUR_S / READINGS))
            tell(readings, seen(at, pid, engine))
        engine.dispose()
    return readings


@contextmanager
def running(folder: Path) -> Iterator[int]:
    """The process id of a `make run` on ports of its own, once its pages are there; all of it is ended afterwards."""
    ports = free_ports(2)
    own = {"DATA_DIR": str(folder), "PORT": str(ports[0]), "SIMULATOR_PORT": str(ports[1]), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "services.local"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | own, stdout=subprocess.DEVNULL) as child:
        try:
            while child.poll() is None and not answers(ports[0]):
                time.sleep(1)
            yield child.pid
        finally:
            child.send_signal(signal.SIGTERM)


def answers(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> list[int]:
    """*count* ports nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def seen(at: float, pid: int, engine: sa.Engine) -> Reading:
    """A reading of the process *pid* and everything it started."""
    family = {named(one): one for one in below(pid)}
    memory = {name: memory_mb(one) for name, one in family.items()}
    return Reading(at, memory, {name: open_files(one) for name, one in family.items()}, rows_of(engine))


def below(pid: int) -> list[int]:
    """*pid* and the processes below it."""
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [pid, *(one for child in done.stdout.split() for one in below(int(child)))]


def named(pid: int) -> str:
    """What the process is: the module it runs, or its program."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return "gone"
    return words[words.index("-m") + 1] if "-m" in words[:-1] else Path(words[0].split(" ")[0]).name


def main() -> int:
    """Run for as long as asked and judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").strip().split("\n")[0])
    parser.add_argument("--hours", type=float, default=6)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--real", type=float, default=0, metavar="HOURS")
    parser.add_argument("--keep", type=Path, help="where --real keeps its data; otherwise thrown away")
    asked = parser.parse_args()
    if not PROC.exists():
        sys.stdout.write("what a process holds is read from /proc, which Linux alone has: nothing to judge here\n")
        return 1
    log.setup("soak", "text", "CRITICAL")
    if asked.real:
        with tempfile.TemporaryDirectory(prefix="maemae-soak-") as folder:
            readings = real(asked.real, asked.keep or Path(folder))
    else:
        readings = stepped(asked.hours, asked.users)
    if len(readings) < LEAST:
        sys.stdout.write(f"only {len(readings)} readings: it ended early, or was asked for less than can be judged\n")
        return 1
    wrong = grown(readings)
    sys.stdout.write("".join(f"NOT FLAT  {line}\n" for line in wrong) or "flat: memory, open files, growth of tables\n")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
