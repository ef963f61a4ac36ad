"""
What people are told, and how soon: real processes, the simulator, a server of the Bot API on the loopback.

`python -m bench.telling`. Two systems on a market whose movement is known: in one the stop of a position is hit; in
the other the trader is killed while a position is open, before it gave its first sign of life on a fresh Redis if the
machine is quick, comes back, and everything is closed from the phone. Senders that are killed again and again are
`tests.torture.telling`. Times are wall-clock: from the exchange's execution, from the kill, from the code sent, to the
message at the Bot API.
"""

import argparse
import csv
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyotp
import sqlalchemy as sa

from lib.accounts.invites import code_sha256, new_code
from lib.accounts.second_factor import SecondFactor, bound_to
from lib.adapters.sql.forms.chats import SqlChats
from lib.adapters.sql.forms.second_factors import SqlSecondFactors
from lib.adapters.sql.tables.people import accounts
from lib.adapters.sql.tables.telling import channels
from lib.adapters.sql.tables.trading import fills
from lib.adapters.vault import generate_keys
from lib.adapters.web_lock import WebLock, new_secret
from lib.domain.candle import MINUTE_MS
from lib.domain.trail import Note, TrailEvent
from lib.simulator.analyst.rules import Question, analyse
from lib.simulator.feeds import INSTRUMENTS
from lib.simulator.market.market import SyntheticMarket
from tests.e2e.test_whole_system import System, answers, deployed, register
from tests.fakes.bot_api import TOKEN, BotServer

CHAT = 4_242
LEAD_MS = 60_000
"""How long before T the processes are started; a slow machine wants more."""
PAST = 5_000
"""Candles of a file that are past when a simulator opens it; it does so in the minute before T."""
LONG_S = 300.0


def market_that_falls(system: System) -> Path:
    """
    The candles of *system*'s synthetic market as a file, but a minute after T the price runs through any stop of the
    position that the local analyst wants there.
    """
    market = SyntheticMarket(int(system.env["SIMULATOR_SEED"]), {"BTCUSDT": INSTRUMENTS["BTCUSDT"]})
    begin = system.t_ms - (PAST + 1) * MINUTE_MS
    found = [market.candle("BTCUSDT", begin + n * MINUTE_MS) for n in range(PAST + 60)]
    candles = [candle for candle in found if candle]
    at_t = next(n for n, candle in enumerate(candles) if candle.open_time == system.t_ms)
    is_long = analyse(Question(tuple(candles[at_t - 30 : at_t]), "high", 10)).action == "buy"
    factor = Decimal("0.95") if is_long else Decimal("1.05")
    file = system.folder / "falls.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["open_time", "open", "high", "low", "close", "volume"])
        for n, candle in enumerate(candles):
            prices = [candle.open, candle.high, candle.low, candle.close]
            if n > at_t:
                prices = [(price * factor).quantize(Decimal("0.1")) for price in prices]
            if n == at_t + 1:
                prices[0] = candles[at_t].close
                prices[1], prices[2] = max(prices), min(prices)
            writer.writerow([candle.open_time, *prices, candle.volume])
    return file


@dataclass
class Phone:
    """A person's chat with the bot of *system*."""

    system: System
    server: BotServer
    app: pyotp.TOTP

    def writes(self, words: str) -> int:
        """The number of messages before it."""
        before = len(self.server.texts(CHAT))
        self.server.write(CHAT, words)
        return before

    def hears(self, words: str, seconds: float, since: int = 0) -> float:
        """When a message with *words* came, epoch seconds."""
        return self.server.wait_for(CHAT, words, seconds, since).at


def wait_until(what: str, holds: Callable[[], Any], seconds: float = LONG_S) -> Any:
    """What *holds* gives once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.05)
    raise SystemExit(f"never happened: {what}")


def say(line: str) -> None:
    """One line of the outcome."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextmanager
def trading(*, stop_is_hit: bool) -> Iterator[Phone]:
    """A system whose person has a bound chat, a second factor, and enters a position at T."""
    with tempfile.TemporaryDirectory() as folder, BotServer() as server, deployed(Path(folder), LEAD_MS) as system:
        opens, seals = generate_keys()
        system.env |= {
            "WEB_SECRET": new_secret(), "NOTIFIER_KEY": opens, "NOTIFIER_PUBLIC_KEY": seals,
            "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": server.url,
        }  # fmt: skip
        if stop_is_hit:
            system.env["FEED"] = f"replay:{market_that_falls(system)}"
        system.start("simulator")
        wait_until("the simulator answers", lambda: answers(system.env["SIMULATOR_PORT"]))
        register(system)
        if stop_is_hit:
            with system.engine.begin() as connection:
                connection.execute(sa.update(accounts).values(feed="replay:falls.csv"))
        for service in ("collector", "telegram", "notifier"):
            system.start(service)
        phone = Phone(system, server, _factor(system))
        _bind(phone)
        # jobs of the timetable are by the machine's own clock; a start takes up the cycle that has just begun
        wait_until("T has come", lambda: system.now_ms > system.t_ms + 3_000)
        system.start("trader")
        phone.hears("포지션 진입", LONG_S)
        yield phone


def _factor(system: System) -> pyotp.TOTP:
    store, lock = SqlSecondFactors(system.engine), WebLock(system.env["WEB_SECRET"])
    begun = SecondFactor(store, lock).begin(1, "person@example.com")
    waiting = store.authenticator(1)
    if begun is None or waiting is None or lock.open(waiting.sealed, bound_to(1)) != begun.secret:
        raise SystemExit("no second factor could be set up")
    store.confirm(waiting.sealed, 1, ["0" * 64], Note(1, system.now_ms, TrailEvent.FACTOR_ON))
    return pyotp.TOTP(begun.secret)


def _bind(phone: Phone) -> None:
    code = new_code()
    SqlChats(phone.system.engine).offer(1, code_sha256(code), phone.system.now_ms + 600_000)
    phone.hears("연결했습니다", LONG_S, phone.writes(code))
    with phone.system.engine.begin() as connection:
        # the processes' clock runs ahead of the database's, which dates what is told
        connection.execute(sa.update(channels).values(created_ms=0))


def stop_to_message() -> None:
    """From the execution of the stop at the exchange to the message."""
    with trading(stop_is_hit=True) as phone:

        def hit() -> int:
            with phone.system.engine.connect() as connection:
                found = connection.scalar(sa.select(fills.c.at_ms).where(fills.c.is_stop).limit(1))
                return found or 0

        at_ms = wait_until("the stop is hit", hit)
        heard = phone.hears("손절 체결", LONG_S)
        say(f"stop executed at the exchange -> message: {heard - (at_ms - phone.system.shift_ms) / 1000:.1f} s (30)")


def silence_and_closing() -> None:
    """From the trader's death to the message; from the code sent to the proof."""
    with trading(stop_is_hit=False) as phone:
        phone.system.end("trader", signal.SIGKILL)
        killed = time.time()
        heard = phone.hears("응답 없음", LONG_S)
        say(f"trader killed with a position open -> message: {heard - killed:.1f} s (180)")
        phone.system.start("trader")
        phone.hears("복구", LONG_S)
        phone.hears("6자리 코드", LONG_S, phone.writes("전체 종료"))
        sent = time.time()
        before = phone.writes(phone.app.at(int(phone.system.now_ms // 1000)))
        phone.hears("시작했습니다", LONG_S, before)
        heard = phone.hears("전체 종료를 거래소에서 확인했습니다", LONG_S, before)
        say(f"code sent from the phone -> proof that everything is closed: {heard - sent:.1f} s (45)")


def main() -> None:
    """Everything, one after the other."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--only", choices=("stop", "close"))
    asked = words.parse_args()
    parts: dict[str, Callable[[], None]] = {
        "close": silence_and_closing,
        "stop": stop_to_message,
    }
    for name, part in parts.items():
        if asked.only in (None, name):
            part()


if __name__ == "__main__":
    main()
