"""
The trader process: the timetable, and nothing else.

`schedule` says when: a cycle two seconds after every five-minute boundary, commands and thrown switches every two
seconds, reconciliation every five, the lease and heartbeat every ten, a look at clocks and markets every minute.
Everything it starts is safe to run twice and recovers from a kill at any line.
"""

import asyncio
import signal

import schedule

from lib import bootstrap, log
from lib.clock import SystemClock
from lib.settings import Settings
from lib.trading.clock_check import CHECK_EVERY_S
from lib.trading.cycle.account_modes import CHECK_EVERY_S as MODES_EVERY_S
from lib.trading.trader import Trader
from services.process import run_process

TICK_S = 0.2
LONGEST_IDLE_S = 30
"""With a job every five seconds, a longer wait for the next one means that the clock was set back."""
CYCLE_OFFSET_S = 2
SAID_CHARS = 500
KEYS_AT = "04:17"
LOG = log.get("trader")


def timetable(trader: Trader) -> schedule.Scheduler:
    """The trader's jobs, on the machine's clock (boundaries of five minutes are the same in every time zone)."""
    table = schedule.Scheduler()
    for minute in range(0, 60, 5):
        table.every().hour.at(f"{minute:02d}:{CYCLE_OFFSET_S:02d}").do(trader.cycle)
    table.every(5).seconds.do(trader.reconcile)
    table.every(10).seconds.do(trader.heartbeat)
    table.every(3).seconds.do(trader.hold_share)
    table.every(60).seconds.do(trader.sweep)
    table.every(2).seconds.do(trader.take_commands)
    table.every(2).seconds.do(trader.enforce_stops)
    table.every(5).seconds.do(trader.ask_past)
    table.every(CHECK_EVERY_S).seconds.do(trader.check_clocks)
    table.every(60).seconds.do(trader.check_markets)
    table.every(MODES_EVERY_S).seconds.do(trader.check_modes)
    table.every().day.at(KEYS_AT).do(trader.look_at_keys)
    return table


def in_time(table: schedule.Scheduler, trader: Trader) -> schedule.Scheduler:
    """*table*, or a fresh one after the local clock was set back: its jobs would wait for the old hour to return."""
    return timetable(trader) if (table.idle_seconds or 0) > LONGEST_IDLE_S else table


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """The trader of *settings* until *stop*."""
    with bootstrap.measured("trader", settings) as metrics:
        async with bootstrap.trader(settings, metrics) as trader:
            await run(trader, stop)


async def run(trader: Trader, stop: asyncio.Event) -> None:
    """Recover, run the timetable until *stop*, then drain."""
    if await _started(trader, stop):
        trader.check_markets()
        table = timetable(trader)
        while not stop.is_set() and trader.halted is None:
            table = in_time(table, trader)
            table.run_pending()
            await SystemClock().sleep(TICK_S)
    await trader.drain()
    if trader.halted is not None:
        raise trader.halted


async def _started(trader: Trader, stop: asyncio.Event) -> bool:
    """Whether *trader* recovered before *stop*: a start waits for its database as long as that takes."""
    starting, ending = asyncio.ensure_future(trader.start()), asyncio.ensure_future(stop.wait())
    await asyncio.wait((starting, ending), return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if not starting.done():
        starting.cancel()
        return False
    starting.result()
    return True


async def ask_first(settings: Settings) -> None:
    """Ask the analyst one real question beside the start, and log what it said; nothing waits for it."""
    try:
        trial = await bootstrap.try_at_start(settings)
    except Exception as trouble:  # noqa: BLE001 - whatever it is, the trader starts without it and meets it by itself
        LOG.warning("analyst.not_tried", why=str(trouble) or type(trouble).__name__)
        return
    if trial is None:
        return
    answer = trial.answer
    told = {"said": answer.raw[:SAID_CHARS], "model": answer.model, "asked_with": trial.how, "ms": answer.latency_ms}
    told |= {"tokens": f"{answer.prompt_tokens} + {answer.completion_tokens}", "cost_usd": str(answer.cost)}
    if trial.works:
        LOG.info("analyst.answers", **told)
    else:
        LOG.warning("analyst.gives_no_view", look_at=trial.advice, **told)


async def _main(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    LOG.info("trader.starting", feed=settings.feed_name, model=settings.openai_model)
    first = asyncio.create_task(ask_first(settings))
    try:
        await serve(settings, stop)
    finally:
        first.cancel()


def main(settings: Settings) -> None:
    """Entry point under `run_process`."""
    asyncio.run(_main(settings))


if __name__ == "__main__":
    run_process("trader", main)
