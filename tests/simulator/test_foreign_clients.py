"""What a foreign client calls of a USDT-perpetual trader's venue is answered, over real HTTP, as Bybit would."""

import asyncio
from pathlib import Path

import pytest

from lib.simulator.server import SimulatorConfig
from tests.simulator.foreign_calls import PYBIT, pybit_answers, pybit_of
from tests.simulator.running import served

pytestmark = [pytest.mark.enable_socket, pytest.mark.server]

NOT_ANSWERED = {
    "request_demo_trading_funds",  # pybit names no coin, and what Bybit gives then is not documented
}


async def test_pybit_is_answered_everything_a_trader_of_perpetuals_calls(tmp_path: Path) -> None:
    async with served(SimulatorConfig("synthetic", tmp_path / "sim.db", port=0)) as running:
        http = pybit_of(running.url, await running.account())
        answers = await asyncio.to_thread(pybit_answers, http, PYBIT)
    wrong = {call.method: (code, text) for call, code, text in answers if code != call.code}
    assert wrong.keys() == NOT_ANSWERED, wrong
