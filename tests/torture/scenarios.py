"""
Every scenario as data: which story is told, at which failpoint, and what goes wrong there.

entry    flat accounts, the analyst says buy
flip     long accounts, the analyst says sell: exit first, then the entry is sized and sent
naked    long accounts whose stops were taken away: the guardian puts them back
refused  the same, and the exchange refuses the stop: the guardian closes
flatten  long accounts, and the operator throws the switch that closes everything (L3)
tighten  long accounts, the analyst says tighten: the move is committed, then the guardian calls for it
even     accounts far enough in profit for the break-even of their rules: a rule commits the move
trail    flat accounts, the analyst says buy, and their rules want the exchange's trailing stop
retrail  the same, and that stop is taken away: what it had reached is committed, then it is set anew
deposit  long accounts that got money from elsewhere
orphan   the database was restored from before the trade: the exchange has orders without rows
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

Story = Literal[
    "entry", "flip", "naked", "refused", "flatten", "tighten", "even", "trail", "retrail", "deposit", "orphan"
]
Action = Literal[
    "kill",  # SIGKILL; a supervisor starts the next one at once
    "raise",  # a bug nobody expected
    "stall",  # frozen for three seconds
    "dethroned",  # frozen until its lease is over and another trader has done the work, then thawed
    "late",  # frozen until the decision is older than X
    "dbcut",  # the database's connections drop and are refused
    "netcut",  # the same with the exchange
    "commitlost",  # the next transaction commits and its confirmation is lost
    "replylost",  # the request takes effect and its reply is lost
    "switchoff",  # frozen while trading is switched off for everybody
]
EVERYWHERE: tuple[Action, ...] = ("kill", "raise", "stall", "dbcut", "netcut")


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    One thing that goes wrong, at the *nth* passage of its point; *then* is where the restarted trader is killed again,
    "" = nowhere.
    """

    story: Story
    point: str
    action: Action
    then: str = ""

    @property
    def nth(self) -> int:
        """Where two people's trailing stops are set before the story begins, its own passage is the third."""
        return 3 if self.story == "retrail" and self.point.startswith("trail") else 1

    @property
    def name(self) -> str:
        return f"{self.story} {self.point} {self.action}" + (f" then {self.then} kill" if self.then else "")


def both(*names: str) -> tuple[str, ...]:
    """The failpoints before and after each of *names*."""
    return tuple(f"{name}.{side}" for name in names for side in ("before", "after"))


ORDER = ("sign", "claim", "send", "move", "find", "close")
PREPARING = ("lease", "reconcile", "accounts", "candles", "crosscheck", "analyst", "answer", "sweep", "wallet")
PLANNING = ("position", "ticker", "facts", "plan", "leverage")
BOOKING = ("executions", "fills", "equity", "status")
MOVING = ("nearer", "stop", "repair", "settle")
"""Of a rule's move: committed, claimed, called for, read back."""
POINTS: dict[Story, tuple[str, ...]] = {
    "entry": both(*PREPARING, *PLANNING, *ORDER, *BOOKING),
    "flip": both(*(f"exit.{name}" for name in ORDER), "size", "claim", "send"),
    "naked": both("repair"),
    "refused": both("guard.plan", *(f"guard.{name}" for name in ORDER)),
    "flatten": both("flatten.plan", *(f"flatten.{name}" for name in ORDER), "proof"),
    "tighten": both("plan", "stop", "repair", "settle"),
    "even": both(*MOVING),
    "trail": both("trail"),
    "retrail": both(*MOVING, "trail"),
    "deposit": both("transfers", "transferred"),
    "orphan": both("sweep", "adopt"),
}
PATH = ("plan.after", "claim.before", "claim.after", "send.after", "move.after", "find.after", "close.after")
"""From the plan to the verdict: where pairs of kills are tried."""
AGAIN = ("reconcile.after", "sweep.after", *PATH, "fills.before", "fills.after")
"""Where the restarted trader is killed again."""
FLAT_AGAIN = ("reconcile.after", *(f"flatten.{name}.after" for name in ("plan", *ORDER)), "proof.before")
MOVED_AGAIN = ("stop.after", "repair.after", "settle.after")
WRITES: dict[Story, tuple[str, ...]] = {
    "entry": ("plan.before", "claim.before", "move.before", "close.before"),
    "flip": ("exit.claim.before", "exit.move.before", "exit.close.before", "claim.before"),
    "refused": ("guard.plan.before", "guard.claim.before", "guard.move.before", "guard.close.before"),
    "flatten": ("flatten.plan.before", "flatten.claim.before", "flatten.move.before", "flatten.close.before"),
    "tighten": ("plan.before", "stop.before", "settle.before"),
    "even": ("nearer.before", "stop.before", "settle.before"),
    "retrail": ("nearer.before", "stop.before", "settle.before"),
    "orphan": ("adopt.before",),
}
REQUESTS: dict[str, tuple[Story, bytes]] = {
    "send.before": ("entry", b"/v5/order/create"),
    "exit.send.before": ("flip", b"/v5/order/create"),
    "guard.send.before": ("refused", b"/v5/order/create"),
    "flatten.send.before": ("flatten", b"/v5/order/create"),
    "repair.before": ("naked", b"/v5/position/trading-stop"),
    "leverage.before": ("entry", b"/v5/position/set-leverage"),
    "trail.before": ("trail", b"/v5/position/trading-stop"),
}
"""Requests with an effect, and the words that tell them on the wire."""
FREEZES: dict[Story, tuple[str, ...]] = {
    "entry": (*both("plan", "leverage", "sign", "claim", "send", "move", "find", "close"),),
    "flip": (*both("exit.claim", "exit.send"), "size.after", "claim.before", "claim.after"),
    "tighten": (*both("stop", "repair"), "plan.after"),
    "even": both("nearer", "stop", "repair"),
    "trail": both("trail"),
    "retrail": both("nearer", "stop", "repair", "trail"),
}
SWITCHED: dict[Story, tuple[str, ...]] = {
    "entry": (*both("plan", "sign", "claim", "send"), "analyst.after"),
    "flip": ("exit.close.after", "size.after", "claim.before", "claim.after"),
}


def singles() -> Iterator[Scenario]:
    """Each failpoint with each of the five, and with what is particular to it."""
    for story, points in POINTS.items():
        for point, action in product(points, EVERYWHERE):
            yield Scenario(story, point, action)
    yield from _of(WRITES, "commitlost")
    for point, (story, _) in REQUESTS.items():
        yield Scenario(story, point, "replylost")
    for moved in ("tighten", "even", "retrail"):
        yield Scenario(moved, "repair.before", "replylost")
    yield from _of(FREEZES, "dethroned")
    yield from _of(FREEZES, "late")
    yield from _of(SWITCHED, "switchoff")


def _of(points: dict[Story, tuple[str, ...]], action: Action) -> Iterator[Scenario]:
    for story, names in points.items():
        for point in names:
            yield Scenario(story, point, action)


def pairs() -> Iterator[Scenario]:
    """Ordered pairs of kills from the plan to the verdict."""
    for first, second in product(PATH, AGAIN):
        yield Scenario("entry", first, "kill", second)
    for first, second in product(("flatten.plan.after", "flatten.claim.after", "flatten.send.after"), FLAT_AGAIN):
        yield Scenario("flatten", first, "kill", second)
    for first, second in product(("exit.claim.after", "exit.send.after", "size.after"), AGAIN):
        yield Scenario("flip", first, "kill", second)
    for first, second in product(("nearer.after", "stop.after", "repair.after"), MOVED_AGAIN):
        yield Scenario("even", first, "kill", second)
    for first, second in product(("trail.before", "trail.after"), ("trail.before", "trail.after")):
        yield Scenario("trail", first, "kill", second)


def every() -> list[Scenario]:
    """All of them, always in this order."""
    return [*singles(), *pairs()]


def kinds(seed: int) -> list[Scenario]:
    """A dozen by *seed* that are every story and every action between them."""
    shuffled = _shuffled(seed)
    chosen: list[Scenario] = []
    seen: set[str] = set()
    for most in (0, 1):  # those whose story and action are both new are the fewest
        for scenario in shuffled:
            told = {scenario.story, scenario.action}
            if len(told & seen) <= most:
                chosen.append(scenario)
                seen |= told
    return chosen


def _shuffled(seed: int) -> list[Scenario]:
    shuffled = every()
    random.Random(seed).shuffle(shuffled)
    return shuffled


def sample(seed: int) -> Iterator[Scenario]:
    """All of them in an order of *seed*: first every story and action, then early every failpoint."""
    first = kinds(seed)
    yield from first
    late: list[Scenario] = []
    seen: set[str] = {name for scenario in first for name in (scenario.point, scenario.action)}
    for scenario in _shuffled(seed):
        if scenario in first:
            continue
        if {scenario.point, scenario.action} <= seen:
            late.append(scenario)
            continue
        seen |= {scenario.point, scenario.action}
        yield scenario
    yield from late
