"""
`python -m tests.torture --all`, or a seeded sample of what fits into a budget: `--seed 7 --budget 90`.

Prints a line per scenario and a summary, writes every outcome as JSON where `--json` says. Exits 1 when a promise was
broken or, with `--all`, when a failpoint was never hit.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.torture.driver import Outcome, tell
from tests.torture.ground import eventually, opened
from tests.torture.scenarios import POINTS, Scenario, every, sample
from tests.worlds.killed import built


@dataclass(frozen=True, slots=True)
class Report:
    """Every outcome of a run, and what may be said of them together."""

    outcomes: Sequence[Outcome]

    @property
    def problems(self) -> list[str]:
        return [f"{outcome.name}: {problem}" for outcome in self.outcomes for problem in outcome.problems]

    @property
    def hits(self) -> Counter[str]:
        """Scenarios that hit each failpoint."""
        return Counter(outcome.point for outcome in self.outcomes if outcome.hits)

    @property
    def never_hit(self) -> list[str]:
        return sorted({point for points in POINTS.values() for point in points} - self.hits.keys())

    def lines(self) -> list[str]:
        """The summary as a person reads it."""
        done = Counter(outcome.action for outcome in self.outcomes if outcome.hits)
        states = sum((Counter(outcome.states) for outcome in self.outcomes), Counter[str]())
        recovered = sorted(ms for outcome in self.outcomes for ms in outcome.terminal_ms)
        naked = [outcome.naked_ms for outcome in self.outcomes if outcome.naked_ms is not None]
        said = [
            f"scenarios {len(self.outcomes)}, of them hit {sum(done.values())}: {_counted(done)}",
            f"kills {sum(outcome.kills for outcome in self.outcomes)}, "
            f"entries accepted {sum(outcome.entries for outcome in self.outcomes)}, rows {_counted(states)}",
            f"failpoints hit: {_counted(self.hits)}",
        ]
        if recovered:
            p50, p99 = quantile(recovered, 0.5), quantile(recovered, 0.99)
            said.append(
                f"restart to terminal, {len(recovered)} rows: p50 {p50 / 1000:.1f} s, "
                f"p99 {p99 / 1000:.1f} s, longest {recovered[-1] / 1000:.1f} s"
            )
        if stopped := [outcome.stopped_ms for outcome in self.outcomes if outcome.stopped_ms is not None]:
            said.append(f"flatten thrown to proved stopped: longest {max(stopped) / 1000:.1f} s")
        if naked:
            said.append(f"stop lost to restored or closed, from the trader's start: longest {max(naked) / 1000:.1f} s")
        return [*said, f"violations {len(self.problems)}", *self.problems]

    def as_json(self) -> str:
        facts = {"violations": self.problems, "never_hit": self.never_hit, "hits": self.hits}
        return json.dumps(facts | {"outcomes": [outcome.as_json() for outcome in self.outcomes]}, indent=1)


def quantile(ordered: Sequence[int], share: float) -> int:
    """The value not exceeded by *share* of *ordered*."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


async def torture(scenarios: Iterable[Scenario], budget_s: float, lanes: int = 1, at_least: int = 0) -> Report:
    """
    Tell *scenarios* in *lanes* beside each other, each on a ground of its own, while the budget lasts.

    The first *at_least* are told however long they take.
    """
    give_up = asyncio.get_running_loop().time() + budget_s
    left, outcomes = iter(scenarios), list[Outcome]()
    await asyncio.gather(*(_lane(left, give_up, outcomes, at_least) for _ in range(lanes)))
    return Report(outcomes)


async def _lane(left: Iterator[Scenario], give_up: float, outcomes: list[Outcome], at_least: int) -> None:
    async with opened() as ground:
        for scenario in left:
            if asyncio.get_running_loop().time() > give_up and len(outcomes) >= at_least:
                return
            outcome = await tell(ground, scenario)
            outcomes.append(outcome)
            _say(f"{outcome.seconds:5.1f} s  {'  ' if outcome.hits else '- '}{outcome.name}")
            for problem in outcome.problems:
                _say(f"         BROKEN {problem}")


async def cold_start() -> float:
    """Seconds from starting a Python with the trader's entry point until it has reconciled."""
    loop = asyncio.get_running_loop()
    async with opened() as ground:
        world = await built(ground)
        await world.come("hold")
        plan = world.plan().written(ground.folder / "plan.json")
        began = loop.time()
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.torture.trader", str(plan))
        await eventually("it has reconciled", lambda: "trader.reconciled" in world.said())
        took = loop.time() - began
        process.terminate()
        await process.wait()
        await world.end()
    return took


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run as told on the command line; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every scenario")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=90.0, help="seconds; ignored with --all")
    parser.add_argument("--only", default="", help="scenarios whose name holds these words, or (comma) these")
    parser.add_argument("--lanes", type=int, default=1, help="scenarios told beside each other")
    parser.add_argument("--json", type=Path, default=None, help="where to write every outcome")
    asked = parser.parse_args()
    chosen: Iterable[Scenario] = every() if asked.all or asked.only else sample(asked.seed)
    found = (scenario for scenario in chosen if any(words in scenario.name for words in asked.only.split(",")))
    budget = float("inf") if asked.all or asked.only else asked.budget
    report = asyncio.run(torture(found, budget, asked.lanes))
    for line in report.lines():
        _say(line)
    _say(f"restarts above begin with Python up; a cold start of the process takes {asyncio.run(cold_start()):.1f} s")
    if asked.json is not None:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(report.as_json())
    if asked.all and report.never_hit:
        _say(f"never hit: {', '.join(report.never_hit)}")
    return bool(report.problems or (asked.all and report.never_hit))


if __name__ == "__main__":
    raise SystemExit(main())
