"""
Notifier and bot as real processes that are killed again and again while people are told:
`python -m tests.torture.telling --kills 1000`.

Two processes at a time, forked from one that has imported everything: the notifier with channels of people at a server
on the loopback over TLS, the bot with chats at a server of the Bot API. Each life ends by SIGKILL: at a named passage
(handing out, taking a channel, opening its address, sending, marking; taking a message, answering it), at the moment
its message has reached the messenger and was not answered, or at any moment. What a dead sender held is free after two
minutes; here at once, which changes nothing else. The judge then reads what arrived:

- nothing is lost, and each channel has its reader's things in the order they were told;
- a thing is in the bell once, and reaches a channel a second time only where its sender died between the messenger's
  having it and the mark (the row still waited after the death): nothing else comes twice;
- a message to the bot is answered once at most, and without an answer only where the bot died after it had taken it.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import sqlalchemy as sa

from lib.adapters.redis.embedded import ensure
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.ledger.telling import tell
from lib.adapters.sql.tables.people import outbox
from lib.adapters.sql.tables.telling import channels, chats, deliveries
from lib.adapters.vault import AddressSealer, generate_keys
from lib.adapters.web_lock import new_secret
from lib.domain.chat import BOT
from lib.domain.events import Event, EventKind
from lib.domain.reason import text
from tests.certificates import Authority
from tests.databases import with_schema
from tests.fakes.bot_api import TOKEN, BotServer, Told
from tests.fakes.receiver import Receiver, Request
from tests.torture.failpoints import Trap
from tests.torture.forks import fork
from tests.torture.senders import ARRIVED, POINTS, Life, live

PEOPLE = 3
LONGEST_LIFE_S = 4.0
LONGEST_NTH = 3
QUIET_S = 120.0
END_S = 20.0
SETTLE_S = 0.3
"""What the dead had sent is still being taken down by the messenger's threads."""
STATUS_LOST = 255
"""What is told of a process whose status another lane's thread has read first."""
THING = re.compile(r"thing (\d{6})")

_migrating = threading.Lock()
"""Migrations keep what they do in a module."""


# --- the ground -------------------------------------------------------------------------------------------------------


@dataclass
class Messenger:
    """Both servers: what arrived, as (channel, things), in its order; `kill_at` kills who sends the next message."""

    receiver: Receiver
    bots: BotServer
    arrived: list[tuple[str, list[str], str]] = field(default_factory=list)
    """(channel, things, the life that sent it)."""
    living: dict[str, str] = field(default_factory=dict)
    """Service → the life of it that is under way."""
    victims: dict[str, int] = field(default_factory=dict)
    """Service → the process (its id) that dies when its next message has arrived and is not answered yet."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take_request(self, request: Request) -> None:
        said = json.loads(request.body)["message"]
        self._take("notifier", request.path.strip("/"), said)

    def take_message(self, told: Told) -> None:
        if THING.search(told.text):
            self._take("telegram", str(told.chat_id), told.text)

    def _take(self, service: str, channel: str, said: str) -> None:
        with self._lock:
            self.arrived.append((channel, THING.findall(said), self.living.get(service, "")))
            victim = self.victims.pop(service, None)
        if victim is not None:
            # its exit status is the killer's to read
            os.kill(victim, signal.SIGKILL)


@dataclass
class Ground:
    """One deployment with `PEOPLE`, each with a channel and a chat."""

    folder: Path
    engine: sa.Engine
    env: dict[str, str]
    messenger: Messenger
    users: list[int] = field(default_factory=list)
    owners: dict[str, int] = field(default_factory=dict)
    """A channel's name → whose it is."""
    told: dict[int, list[str]] = field(default_factory=dict)
    written: int = 0
    unmarked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(channel, thing) → how many lives had sent it and died before it was marked."""
    died_at: Counter[str] = field(default_factory=Counter)

    def tell(self, number: int) -> None:
        """One thing to one person, and now and then a word of theirs to the bot."""
        user = self.users[number % PEOPLE]
        thing = f"{number:06d}"
        with self.engine.begin() as connection:
            tell(connection, user, None, Event(EventKind.ENTRY, text(f"thing {thing}"), f"thing:{thing}"))
        self.told.setdefault(user, []).append(thing)
        if number % 10 == 0:
            self.messenger.bots.write(_chat(user), "?")
            self.written += 1

    def bury(self, service: str, life: str) -> None:
        """What the dead left: which of its messages had arrived and still wait; then the two minutes are over."""
        time.sleep(SETTLE_S)
        mine = channels.c.service == BOT if service == "telegram" else channels.c.service != BOT
        query = (
            sa.select(channels.c.name, channels.c.user_id, outbox.c.about)
            .join(deliveries, deliveries.c.channel_id == channels.c.id)
            .join(outbox, outbox.c.id == deliveries.c.outbox_id)
            .where(mine)
        )
        with self.engine.begin() as connection:
            waiting = {
                (str(_chat(row.user_id)) if service == "telegram" else row.name, row.about.removeprefix("thing:"))
                for row in connection.execute(query)
            }
            connection.execute(sa.update(channels).where(mine).values(lease_ms=0))
        sent = {(channel, one) for channel, things, by in self.messenger.arrived if by == life for one in things}
        self.unmarked.update(waiting & sent)

    def waiting(self) -> int:
        """Things that are not handed out or not sent."""
        new = sa.select(sa.func.count()).select_from(outbox).where(outbox.c.sent_at.is_(None))
        left = sa.select(sa.func.count()).select_from(deliveries)
        with self.engine.connect() as connection:
            return (connection.scalar(new) or 0) + (connection.scalar(left) or 0)


def _chat(user: int) -> int:
    return 7_000 + user


@contextmanager
def opened(database: str | None = None) -> Iterator[Ground]:
    """A deployment on *database* (None = SQLite) with its servers."""
    with tempfile.TemporaryDirectory(prefix="maemae-telling-") as made:
        folder = Path(made)
        authority, redis = Authority(folder), ensure(folder / "redis")
        opens, seals = generate_keys()
        _, vault = generate_keys()
        with Receiver(authority.sign("localhost")) as receiver, BotServer() as bots:
            messenger = Messenger(receiver, bots)
            receiver.answering, bots.telling = messenger.take_request, messenger.take_message
            env = {
                **os.environ, "DATA_DIR": made, "REDIS_URL": redis.url, "INSTALLATION": "told",
                "DATABASE_URL": database or f"sqlite:///{folder / 'maemae.db'}",
                "NOTIFIER_KEY": opens, "NOTIFY_PRIVATE_HOSTS": "true", "REQUESTS_CA_BUNDLE": str(authority.pair.cert),
                "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": bots.url,
                "WEB_SECRET": new_secret(), "ENCRYPTION_PUBLIC_KEY": vault,
            }  # fmt: skip
            ground = Ground(folder, make_engine(env["DATABASE_URL"]), env, messenger)
            with _migrating:
                with_schema(ground.engine)
            _settle(ground, AddressSealer(seals))
            try:
                yield ground
            finally:
                ground.engine.dispose()
                redis.stop()


def _settle(ground: Ground, sealer: AddressSealer) -> None:
    people = SqlAccounts(ground.engine)
    for number in range(PEOPLE):
        user = people.add_user(f"person{number}@example.com", "!")
        url = f"jsons://localhost:{ground.messenger.receiver.port}/channel-{user}"
        made = {"user_id": user, "created_ms": 0, "enabled": True}
        with ground.engine.begin() as connection:
            own = {"service": "webhook", "name": f"channel-{user}", "sealed": sealer.seal(url, user, "webhook")}
            connection.execute(sa.insert(channels).values(**made, **own))
            connection.execute(sa.insert(channels).values(**made, service=BOT, name="chat", sealed=""))
            connection.execute(sa.insert(chats).values(user_id=user, chat_id=_chat(user), bound_ms=1))
        ground.users.append(user)
        ground.owners |= {f"channel-{user}": user, str(_chat(user)): user}


# --- the killing ------------------------------------------------------------------------------------------------------


@dataclass
class Killer:
    """Lives that end by SIGKILL, one after the other for each service."""

    ground: Ground
    chance: random.Random
    lives: int = 0

    def run(self, kills: int, within_s: float = float("inf")) -> None:
        """Until *kills* processes died, or time is up, while things are told; two more live until all is sent."""
        end = time.monotonic() + within_s
        done = threading.Event()
        teller = threading.Thread(target=self._tell_until, args=(done,))
        teller.start()
        try:
            while self.lives < kills and time.monotonic() < end:
                self._a_life_each()
        finally:
            done.set()
            teller.join()
        self._last_lives()

    def _tell_until(self, done: threading.Event) -> None:
        number = 0
        while not done.wait(0.1):
            self.ground.tell(number)
            number += 1

    def _a_life_each(self) -> None:
        begun = [self._begin(service, trapped=self.chance.random() < 0.8) for service in POINTS]
        for service, life, process, point in begun:
            process.join(LONGEST_LIFE_S if point else 0.3 + self.chance.random() * 1.5)
            died_there = process.exitcode is not None
            process.kill()
            process.join()
            if process.exitcode not in (-signal.SIGKILL, STATUS_LOST):
                raise SystemExit(f"{service} ended by itself with {process.exitcode}: see its log")
            self.ground.messenger.victims.pop(service, None)
            self.ground.died_at[f"{service} {point or 'any moment'}" if died_there or not point else "late"] += 1
            self.ground.bury(service, life)
            self.lives += 1

    def _begin(self, service: str, *, trapped: bool) -> tuple[str, str, BaseProcess, str]:
        point = self.chance.choice(POINTS[service]) if trapped else ""
        at_arrival = point == ARRIVED
        trap = Trap(point, "kill", self.chance.randint(1, LONGEST_NTH)) if point and not at_arrival else None
        life = f"{service}-{self.lives}-{self.chance.random()}"
        self.ground.messenger.living[service] = life
        process = self._start(service, trap)
        if at_arrival and process.pid:
            self.ground.messenger.victims[service] = process.pid
        return service, life, process, point

    def _start(self, service: str, trap: Trap | None) -> BaseProcess:
        folder = self.ground.folder
        life = Life(service, self.ground.env, str(folder / f"{service}.log"), str(folder / "hits"), trap)
        return fork(live, life)

    def _last_lives(self) -> None:
        living = []
        for service in POINTS:
            self.ground.messenger.living[service] = f"{service}-last"
            living.append(self._start(service, None))
        end = time.monotonic() + QUIET_S
        while self.ground.waiting() and time.monotonic() < end:
            time.sleep(0.1)
        for process in living:
            process.terminate()
            process.join(END_S)
            process.kill()
            process.join()


# --- the judge --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """What arrived: *twice* is how often something came once more, *problems* is what is against the rules above."""

    told: int
    arrived: int
    twice: int
    written: int
    answered: int
    died_at: Counter[str]
    problems: list[str]


def judge(ground: Ground) -> Verdict:
    """Compare what arrived with what was told."""
    came: dict[str, list[str]] = {name: [] for name in ground.owners}
    for channel, things, _ in ground.messenger.arrived:
        came[channel] += things
    problems: list[str] = []
    twice = 0
    for channel, shown in came.items():
        wanted = ground.told.get(ground.owners[channel], [])
        if lost := set(wanted) - set(shown):
            problems.append(f"{channel}: lost {sorted(lost)[:5]} of {len(lost)}")
        if list(dict.fromkeys(shown)) != wanted and not lost:
            problems.append(f"{channel}: not in the order it was told")
        for thing, times in Counter(shown).items():
            twice += times - 1
            if times - 1 > ground.unmarked[channel, thing]:
                problems.append(f"{channel}: {thing} came {times} times, unmarked {ground.unmarked[channel, thing]}")
    problems += _bell(ground)
    bots = ground.messenger.bots
    answered = sum(not THING.search(one.text) for one in bots.told)
    deaths = sum(n for where, n in ground.died_at.items() if not where.startswith("notifier"))
    if not ground.written - deaths <= answered <= ground.written:
        problems.append(f"the bot answered {answered} of {ground.written} messages in {deaths} lives")
    return Verdict(
        told=sum(map(len, ground.told.values())),
        arrived=len(ground.messenger.arrived),
        twice=twice,
        written=ground.written,
        answered=answered,
        died_at=ground.died_at,
        problems=problems,
    )


def _bell(ground: Ground) -> list[str]:
    with ground.engine.connect() as connection:
        rows = connection.execute(sa.select(outbox.c.user_id, outbox.c.about).where(outbox.c.user_id > 0)).all()
    wanted = Counter((user, f"thing:{thing}") for user, things in ground.told.items() for thing in things)
    return [] if Counter(map(tuple, rows)) == wanted else ["the bell does not show each thing once"]


def tortured(kills: int, seed: int, logs: Path | None = None, within_s: float = float("inf")) -> Verdict:
    """A deployment of its own, *kills* deaths in it, and the verdict."""
    with opened() as ground:
        try:
            Killer(ground, random.Random(seed)).run(kills, within_s)
        finally:
            for log in ground.folder.glob("*.log") if logs else ():
                shutil.copy(log, Path(str(logs)) / f"{seed}-{log.name}")
        return judge(ground)


def main() -> int:
    """Run as told on the command line; the exit status."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--kills", type=int, default=1_000)
    words.add_argument("--lanes", type=int, default=4, help="deployments beside each other, which share the kills")
    words.add_argument("--budget", type=float, default=float("inf"), help="seconds of killing")
    words.add_argument("--seed", type=int, default=7)
    words.add_argument("--logs", type=Path, help="where to leave what the processes wrote")
    asked = words.parse_args()
    began, each = time.monotonic(), -(-asked.kills // asked.lanes)
    with ThreadPoolExecutor(asked.lanes) as lanes:
        found = list(
            lanes.map(lambda lane: tortured(each, asked.seed + lane, asked.logs, asked.budget), range(asked.lanes))
        )
    died_at = sum((one.died_at for one in found), Counter[str]())
    problems = [problem for one in found for problem in one.problems]
    sys.stdout.write(
        f"{died_at.total()} kills in {time.monotonic() - began:.0f} s while {sum(one.told for one in found)} things "
        f"were told to {PEOPLE * asked.lanes} people on 2 channels each: {sum(one.arrived for one in found)} messages "
        f"arrived; shown once more because the sender died before the mark: {sum(one.twice for one in found)}; the bot "
        f"was asked {sum(one.written for one in found)} times and answered {sum(one.answered for one in found)}\n"
        f"died at: {', '.join(f'{name} {count}' for name, count in sorted(died_at.items()))}\n"
        f"violations {len(problems)}\n"
    )
    sys.stdout.write("".join(f"{problem}\n" for problem in problems))
    return bool(problems)


if __name__ == "__main__":
    raise SystemExit(main())
