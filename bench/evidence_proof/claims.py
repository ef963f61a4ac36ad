"""
What is promised of every figure, each beside its bound: a share of simulated runs, counted with the functions of
`lib.evidence` that pages and reports use.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

import numpy as np
import numpy.typing as npt

from bench.evidence_proof.simulated import (
    A_DAY,
    COST,
    TRADE_SD,
    WORLDS,
    coin_flippers,
    stubborn,
    trade_days,
)
from lib.domain.arena import USUAL_DAYS, USUAL_PLACES
from lib.domain.reason_codes import EVIDENCE_BETTER, EVIDENCE_WORSE_THAN_CHANCE
from lib.evidence.calibration import Decided, calibration
from lib.evidence.chance import coin_share, random_share
from lib.evidence.comparing import Field, compared, spa_p, superior
from lib.evidence.equity_figures import Activity, EquityDay, equity_figures
from lib.evidence.intervals import report_interval
from lib.evidence.power import days_needed
from lib.evidence.searching import found
from lib.evidence.series import DAY_MS, Floats
from lib.evidence.spread import LEAST_BLOCKS, anytime_half, long_run_sd
from lib.evidence.verdict import judged

Flags = npt.NDArray[np.bool_]
SEED = 20_261_130
LOOKS = 60
REPORT_DAYS = 90
CAREER_DAYS = 240
PILOT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Claim:
    """*figure* of *runs*, which is to be at most or at least *bound*."""

    says: str
    figure: float
    bound: float
    at_most: bool
    runs: int

    @property
    def holds(self) -> bool:
        """Whether the figure is on the right side of its bound."""
        return self.figure <= self.bound if self.at_most else self.figure >= self.bound

    def __str__(self) -> str:
        sign = "<=" if self.at_most else ">="
        told = f"{self.figure:8.2%} {sign} {self.bound:6.1%}  {'ok    ' if self.holds else 'BROKEN'}"
        return f"{told}  {self.says} ({self.runs:,} runs)"


def dice(part: int) -> np.random.Generator:
    """The random numbers of one part of the proof."""
    return np.random.default_rng((SEED, part))


def anytime_coverage(runs: int) -> list[Claim]:
    """The page's interval holds the truth at all daily looks together."""
    made = []
    for part, (name, world) in enumerate(WORLDS.items()):
        values = world(dice(100 + part), runs, LOOKS)
        held = np.ones(runs, dtype=bool)
        for day in range(LEAST_BLOCKS, LOOKS + 1):
            seen = values[:, :day]
            held &= np.abs(seen.mean(axis=1)) <= anytime_half(seen)
        says = f"anytime interval over {LOOKS} daily looks: {name}"
        made.append(Claim(says, float(held.mean()), 0.94, False, runs))
    return made


def anytime_pairs(runs: int, count: int = 6) -> list[Claim]:
    """
    Versions on the same candles: every pair's interval at all daily looks, and who is named where two are equally best
    and the others half a deviation a day behind.
    """
    pairs, made = list(combinations(range(count), 2)), []
    truth = np.array([0.5 * (int(other > 1) - int(one > 1)) for one, other in pairs])
    for part, (name, world) in enumerate(WORLDS.items()):
        own = world(dice(150 + part), runs * count, LOOKS).reshape(runs, count, LOOKS)
        beyond = np.stack([own[:, one] - own[:, other] for one, other in pairs], axis=1)
        held, named = np.ones(runs, dtype=bool), np.zeros(runs, dtype=bool)
        for day in range(LEAST_BLOCKS, LOOKS + 1):
            seen = beyond[:, :, :day]
            mean, half = seen.mean(axis=2), anytime_half(seen, len(pairs))
            held &= (np.abs(mean) <= half).all(axis=1)
            named |= _ahead_of_all(mean + truth > half, mean + truth < -half, pairs, count)
        looks = f"{LOOKS} daily looks: {name}"
        says = f"anytime intervals of {len(pairs)} pairs together, {looks}"
        made.append(Claim(says, float(held.mean()), 0.94, False, runs))
        says = f"a winner is named of {count} where two are equally best, {looks}"
        made.append(Claim(says, float(named.mean()), 0.05, True, runs))
    return made


def _ahead_of_all(first: Flags, second: Flags, pairs: Sequence[tuple[int, int]], count: int) -> Flags:
    """For each run whether one version is ahead in each of its pairs; *first* and *second*: who is, a column a pair."""
    wins = np.zeros((len(first), count), dtype=int)
    for place, (one, other) in enumerate(pairs):
        wins[:, one] += first[:, place]
        wins[:, other] += second[:, place]
    return np.asarray((wins == count - 1).any(axis=1))


def report_coverage(runs: int) -> list[Claim]:
    """The report's interval holds the truth at its one look."""
    made = []
    for part, (name, world) in enumerate(WORLDS.items()):
        values = world(dice(200 + part), runs, REPORT_DAYS)
        told = [report_interval(each) for each in values]
        held = sum(each is not None and each.low <= 0 <= each.high for each in told)
        made.append(Claim(f"report interval of {REPORT_DAYS} days: {name}", held / runs, 0.94, False, runs))
    return made


def planted_edge(runs: int, edge: float = 0.1) -> list[Claim]:
    """An edge is found within the days its page promises after a month."""
    days = 2 * int(days_needed(TRADE_SD / np.sqrt(A_DAY), edge) or 0)
    values = trade_days(dice(300), runs, days, edge)
    until = promised(values, edge)
    got = float((first_seen(values) <= until).mean())
    says = f"an edge of {edge} % a trade is found within the promised days (median {int(np.median(until))})"
    return [Claim(says, got, 0.8, False, runs)]


def promised(values: Floats, edge: float) -> Floats:
    """For each run the days after which the page, a month old, promises to have seen *edge*."""
    return np.array([days_needed(float(each), edge) or np.inf for each in long_run_sd(values[:, :PILOT_DAYS])])


def first_seen(values: Floats, since: Floats | int = 0, tries: int = 1) -> Floats:
    """
    For each run the first day from *since* on at which the page's lower bound is above 0, one of *tries* that are
    looked at; endless when none is.
    """
    first = np.full(len(values), np.inf)
    for day in range(LEAST_BLOCKS, values.shape[1] + 1):
        seen = values[:, :day]
        above = (seen.mean(axis=1) > anytime_half(seen, tries)) & (day >= since)
        first = np.where(above & np.isinf(first), day, first)
    return first


def ladder(runs: int, edge: float = 0.2) -> list[Claim]:
    """Who climbs: above blind entries and above doing nothing, from the promised number of decisions on."""
    paying, free, skilled = (_climbing(dice(400 + part), runs, mean) for part, mean in enumerate((-COST, 0.0, edge)))
    looks = f"{CAREER_DAYS} days of looks"
    return [
        Claim(f"coin-flippers who pay their costs climb the ladder, {looks}", paying[0], 0.01, True, runs),
        Claim(f"coin-flippers who trade for nothing climb it, {looks}", free[0], 0.025, True, runs),
        Claim(f"an edge of {edge} % a trade after costs climbs it", skilled[0], 0.8, False, runs),
        Claim("and is above both by the day that was promised", skilled[1], 0.8, False, runs),
    ]


def _climbing(thrown: np.random.Generator, runs: int, mean: float) -> tuple[float, float]:
    """The share of careers that climb after the promised day, and of those that would have by then."""
    hold = trade_days(thrown, runs, CAREER_DAYS, mean)
    # blind entries earn minus their costs; coins without costs are the hardest to tell from skill
    blind = hold + (COST if mean else 0)
    needed = promised(hold, 0.2)
    after = np.maximum(first_seen(hold, needed), first_seen(blind, needed))
    by_then = np.maximum(first_seen(hold), first_seen(blind))
    return float((after <= CAREER_DAYS).mean()), float((by_then <= needed).mean())


def no_winner(runs: int, people: int = 200) -> list[Claim]:
    """Among coin-flippers nobody is named, with costs and without."""
    made = []
    for part, cost in enumerate((COST, 0.0)):
        thrown, named = dice(500 + part), 0
        for _ in range(runs):
            versions = coin_flippers(thrown, people, LOOKS, cost)
            baselines = np.stack([np.zeros(LOOKS), np.full(LOOKS, -cost)], axis=1)
            field = Field([str(each) for each in range(people)], versions, baselines)
            named += compared(field).winner is not None
        says = f"a winner among {people} coin-flippers, {cost} % costs"
        made.append(Claim(says, named / runs, 0.05, True, runs))
    return made


def a_winner(runs: int, people: int = 20, edge: float = 0.4, days: int = 120) -> list[Claim]:
    """Somebody who is really better is named, by all three ways of asking."""
    thrown, named, agreed = dice(600), 0, 0
    for _ in range(runs):
        versions = coin_flippers(thrown, people, days, COST)
        versions[:, 7] += COST + edge
        field = Field([str(each) for each in range(people)], versions, np.zeros((days, 1)))
        named += compared(field).winner == "7"
        agreed += spa_p(field) <= 0.05 and "7" in superior(field)
    says = f"an edge of {edge} % among {people} versions over {days} days"
    return [
        Claim(f"{says} is the winner", named / runs, 0.8, False, runs),
        Claim(f"{says} is seen by SPA and StepM", agreed / runs, 0.8, False, runs),
    ]


def arena_of_coins(runs: int, people: int = 40) -> list[Claim]:
    """
    A season of coin-flippers who trade for nothing, looked at every day. They come in the first fortnight, and half as
    many fresh ones on day 30, whoever is behind them; each entry has its part of the season's places.
    """
    thrown, named = dice(550), 0
    for _ in range(runs):
        market = coin_flippers(thrown, people + people // 2, USUAL_DAYS, 0.0).T
        came = thrown.integers(0, PILOT_DAYS // 2, people)
        begins = np.concatenate([came, np.full(people // 2, PILOT_DAYS)])  # fresh coins, whoever throws them
        # each from its own first day on: what is rolled round to the end is no day of theirs
        own = np.stack([np.roll(row, -day) for row, day in zip(market, begins, strict=True)])
        named += bool((first_seen(own, tries=USUAL_PLACES) <= USUAL_DAYS - begins).any())
    says = f"anybody of {people} coin-flippers is named better at any look of an arena's {USUAL_DAYS} days"
    return [Claim(says, named / runs, 0.05, True, runs)]


def arena_of_one(runs: int, people: int = 40, edge: float = 0.2) -> list[Claim]:
    """
    One with an edge among coin-flippers who trade for nothing is first of the arena by the day that was promised, and
    named in a usual season even where they come a month late.
    """
    thrown, first, sure, late, promises = dice(560), 0, 0, 0, []
    for _ in range(runs):
        field = coin_flippers(thrown, people, 2 * USUAL_DAYS, 0.0).T
        field[7] += edge
        days = days_needed(float(long_run_sd(field[7, :PILOT_DAYS])), edge, USUAL_PLACES) or 0
        seen = field[:, :days]
        lows = seen.mean(axis=1) - anytime_half(seen, USUAL_PLACES) if days else np.zeros(people)
        first += int(lows.argmax()) == 7
        named = first_seen(field[7:8], tries=USUAL_PLACES)[0]
        sure += bool(named <= days)
        late += bool(named <= USUAL_DAYS - PILOT_DAYS)
        promises.append(days)
    says = f"an edge of {edge} % a trade among {people} of an arena"
    until = f"promised day (median {int(np.median(promises))})"
    return [
        Claim(f"{says} is first on the {until}", first / runs, 0.8, False, runs),
        Claim(f"{says} is named better by the {until}", sure / runs, 0.8, False, runs),
        Claim(f"{says} is named in {USUAL_DAYS} days if it comes on day {PILOT_DAYS}", late / runs, 0.8, False, runs),
    ]


def chance(runs: int) -> list[Claim]:
    """Somebody without skill who stays on a side for a day is not called lucky too often."""
    thrown = dice(700)
    people = [stubborn(thrown, LOOKS) for _ in range(runs)]
    coins = sum(coin_share(each, seed=run) <= 0.05 for run, each in enumerate(people)) / runs
    blind = sum(random_share(each, seed=run) <= 0.05 for run, each in enumerate(people)) / runs
    return [
        Claim("p of 1,000 coins is 5 % or less for who has no skill", coins, 0.065, True, runs),
        Claim("p of 1,000 blind entrants is 5 % or less for who has no skill", blind, 0.065, True, runs),
    ]


def pages(runs: int) -> list[Claim]:
    """What a page says at any of its looks to somebody without any skill."""
    better, worse, thrown = 0, 0, dice(750)
    for _ in range(runs):
        person = stubborn(thrown, LOOKS)
        told = [judged(person, day * DAY_MS, Decimal("0.1")).reason for day in range(LEAST_BLOCKS, LOOKS + 1)]
        better += any(EVIDENCE_BETTER.is_of(each) for each in told)
        worse += any(EVIDENCE_WORSE_THAN_CHANCE.is_of(each) for each in told)
    looks = f"at any of {LOOKS - LEAST_BLOCKS + 1} looks"
    return [
        Claim(f"a page calls somebody without skill better than chance, {looks}", better / runs, 0.01, True, runs),
        Claim(f"a page calls somebody without skill worse than chance, {looks}", worse / runs, 0.025, True, runs),
    ]


def searches(runs: int, tries: int = 100, days: int = 120) -> list[Claim]:
    """The best of many worthless tries is not believed."""
    thrown = dice(800)
    told = [found(thrown.standard_normal((days, tries)), tries) for _ in range(runs)]
    sure = sum(each.deflated > 0.95 for each in told) / runs
    overfitted = float(np.mean([each.overfitted or 0 for each in told]))
    return [
        Claim(f"the deflated Sharpe believes the best of {tries} worthless tries", sure, 0.05, True, runs),
        Claim(f"probability of overfitting of {tries} worthless tries, mean", overfitted, 0.4, False, runs),
    ]


def confidences(runs: int, decided: int = 720) -> list[Claim]:
    """Confidence that means nothing shows no skill, and its best threshold is worth nothing afterwards."""
    thrown, skilled, worth = dice(900), 0, []
    for _ in range(runs):
        says, net = thrown.uniform(0.5, 0.9, decided), TRADE_SD * thrown.standard_normal(decided)
        times = np.arange(decided) * (DAY_MS // A_DAY)
        told = [
            Decided(int(t), Decimal(f"{c:.2f}"), Decimal(f"{n:.6f}")) for t, c, n in zip(times, says, net, strict=True)
        ]
        made = calibration(told)
        skilled += made is not None and made.skill > 0
        if made and made.threshold and made.threshold.mean_after is not None:
            worth.append(made.threshold.mean_after > 0)
    return [
        Claim("meaningless confidence has skill", skilled / runs, 0.05, True, runs),
        Claim("and the threshold chosen for it gains afterwards", float(np.mean(worth)), 0.57, True, runs),
    ]


def equity_ratios(runs: int) -> list[Claim]:
    """The interval of a Sharpe ratio holds the true one."""
    values = 0.0005 + 0.01 * WORLDS["clustered volatility"](dice(1000), runs, REPORT_DAYS)
    nothing = Activity(0, Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    held, true = 0, 0.05 * np.sqrt(365)
    for run in values:
        days = [EquityDay(n * DAY_MS, Decimal(100), Decimal(f"{100 * (1 + each):.8f}")) for n, each in enumerate(run)]
        ratio = equity_figures(days, nothing).sharpe
        held += ratio is not None and ratio.low <= true <= ratio.high
    return [Claim(f"interval of the Sharpe ratio of {REPORT_DAYS} days", held / runs, 0.94, False, runs)]


Part = Callable[[int], list[Claim]]
PROOF: dict[Part, int] = {
    no_winner: 1_000,
    report_coverage: 2_000,
    a_winner: 200,
    equity_ratios: 1_000,
    arena_of_coins: 1_000,
    arena_of_one: 1_000,
    pages: 400,
    searches: 500,
    chance: 400,
    confidences: 500,
    anytime_coverage: 4_000,
    anytime_pairs: 1_000,
    planted_edge: 1_000,
    ladder: 1_000,
}
"""Every part and how many runs it has, the longest first."""
