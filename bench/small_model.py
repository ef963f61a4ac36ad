"""
Every template asked of a real model server: llama.cpp's own with a model of 135 million parameters, on this machine.

For each template and language: how many answers could be read, and as what, the tokens and the seconds of a question.
The questions are the trader's own over stretches of the synthetic market, through the adapter that a deployment uses.
What so small a model thinks of a market says nothing; whether each template is asked, answered in the schema, read and
counted does. Needs requirements-llama.txt. Start: `python -m bench.small_model`.
"""

import argparse
import asyncio
import socket
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from lib.adapters.openai.analyst import OpenAIAnalyst, connect
from lib.adapters.openai.profile import Wishes
from lib.domain.account import AccountSettings
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.candle import MINUTE_MS, Candle
from lib.domain.decision import Decision
from lib.domain.strategy import settings_with
from lib.domain.strategy_templates import TEMPLATES, Template
from lib.simulator.feeds import instrument_of
from lib.simulator.market.market import SyntheticMarket
from lib.trading.context import WINDOW
from lib.trading.cycle.prompt import build_prompt

SYMBOL, MODEL, SEED = "BTCUSDT", "smollm2", 7
BEGIN_MS = 1_764_460_800_000
APART_MS = 97 * MINUTE_MS
PATIENCE_S, MOST_TOKENS = 300.0, 256
LANGUAGES = ("en", "ko")


@dataclass(slots=True)
class Row:
    """What came of one template's questions in one language."""

    name: str
    answers: list[AnalystAnswer] = field(default_factory=list)

    def line(self) -> str:
        """The row, with medians."""
        views = Counter(_view(one) for one in self.answers)
        valid = sum(isinstance(one.decision, Decision) for one in self.answers)
        middle = [
            statistics.median(figures)
            for figures in (
                [one.prompt_tokens for one in self.answers],
                [one.completion_tokens for one in self.answers],
                [one.latency_ms / 1000 for one in self.answers],
            )
        ]
        said = ", ".join(f"{number} {view}" for view, number in views.most_common())
        figures = f"{middle[0]:7.0f} {middle[1]:7.0f} {middle[2]:8.1f}"
        return f"{self.name:<16} {valid:>3}/{len(self.answers):<3} {figures}   {said}"


def _view(answer: AnalystAnswer) -> str:
    decision = answer.decision
    return decision.action if isinstance(decision, Decision) else decision.why.code


def questions(template: Template, language: str, windows: int) -> list[Prompt]:
    """The trader's questions of *template* over that many stretches of the market."""
    market = SyntheticMarket(SEED, {SYMBOL: instrument_of(SYMBOL)})
    settings = settings_with(template.in_language(language), AccountSettings())
    return [
        build_prompt(SYMBOL, _window(market, BEGIN_MS + place * APART_MS), settings, MODEL, language)
        for place in range(windows)
    ]


def _window(market: SyntheticMarket, until_ms: int) -> list[Candle]:
    rows = (market.candle(SYMBOL, until_ms - back * MINUTE_MS) for back in range(WINDOW, 0, -1))
    return [row for row in rows if row is not None]


@contextmanager
def llama_server() -> Iterator[str]:
    """The address of the model's server, for as long as this lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.llama.server", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        if server.stdin is None or server.stdout is None:
            raise RuntimeError("the server has no pipes")
        yield f"{server.stdout.readline().decode().strip()}/v1"
        server.stdin.close()


async def measure(address: str, windows: int) -> list[Row]:
    """Ask everything, one question at a time."""
    client, rows = connect(address, "sk-not-needed"), list[Row]()
    try:
        for language in LANGUAGES:
            for template in TEMPLATES:
                analyst = OpenAIAnalyst(client, wishes=Wishes(max_tokens=MOST_TOKENS))
                row = Row(f"{template.name} {language}")
                for prompt in questions(template, language, windows):
                    row.answers.append(await analyst.ask(prompt, PATIENCE_S))
                rows.append(row)
                sys.stdout.write(f"{row.line()}\n")
                sys.stdout.flush()
    finally:
        await client.close()
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    """Print a line a template and language, and the share of answers that were a view."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", type=int, default=3)
    windows = parser.parse_args(argv).windows
    sys.stdout.write("template          valid  prompt  answer  seconds   answers\n")
    with llama_server() as address:
        rows = asyncio.run(measure(address, windows))
    answers = [one for row in rows for one in row.answers]
    valid = sum(isinstance(one.decision, Decision) for one in answers)
    sys.stdout.write(f"valid answers: {valid} of {len(answers)}\n")


if __name__ == "__main__":
    main()
