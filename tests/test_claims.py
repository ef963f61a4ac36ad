"""
What README, the architecture and the ADRs claim, as far as the tree itself can say whether it is so.

Figures that only a measurement can give are not here; each of those stands beside the command that prints it.
"""

import argparse
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from app.live import QUEUE, SEATS_PER_SESSION
from lib.adapters.redis.candle_store import DEFAULT_CAPACITY
from lib.adapters.sql.tables.models import metadata
from lib.domain.account import MOST_GUESTS, RISK_PROFILES, Limits, PlatformLimits
from lib.domain.order import MAX_AGE_MS, RECV_WINDOW_MS
from lib.domain.sizing import MAX_STOP_DISTANCE, MIN_STOP
from lib.settings import load
from lib.trading.kill_switch.proof import PROOF_MS
from lib.trading.trader import Trader
from services.control import _arguments
from services.trader import timetable
from tests.torture.scenarios import POINTS

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.ko.md")
MADE_BY_HAND = {"help", "servers", "clean"}
"""Targets nobody needs to know of."""


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tracked() -> list[str]:
    said = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [name for name in said if (ROOT / name).exists()]


FILES = tracked()
NAMES = {*FILES, *(str(parent) for name in FILES for parent in Path(name).parents)}
DOCS = [name for name in FILES if name.endswith(".md") and name != "CHANGELOG.md"]


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("doc", DOCS)
def test_every_path_a_document_names_is_there(doc: str) -> None:
    named = re.findall(r"`((?:lib|app|services|tests|bench|db|docs)/[\w./-]+)`", text_of(doc))
    assert [path for path in named if not {path.rstrip("/"), f"{path}.py"} & NAMES] == []


@pytest.mark.parametrize("doc", DOCS)
def test_every_module_a_document_names_is_there(doc: str) -> None:
    basenames = {Path(name).name for name in FILES}
    assert [name for name in re.findall(r"`(\w+\.(?:py|mjs|toml|sql))`", text_of(doc)) if name not in basenames] == []
    run = re.findall(r"python -m ((?:services|bench|tests|app)(?:\.\w+)*)", text_of(doc))
    assert [name for name in run if not {name.replace(".", "/"), f"{name.replace('.', '/')}.py"} & NAMES] == []


@pytest.mark.parametrize("doc", DOCS)
def test_every_link_leads_somewhere(doc: str) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text_of(doc))
    assert [link for link in links if not (ROOT / doc).parent.joinpath(link).exists()] == []


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*##", text_of("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("doc", DOCS)
def test_every_word_of_make_is_a_target(doc: str) -> None:
    said = set(re.findall(r"(?:`|^)make ([a-z-]+)", text_of(doc), re.MULTILINE))
    assert said - targets() - MADE_BY_HAND == set()


CONTROL = re.compile(r'make control ARGS=(?:"([^"]+)"|([\w-]+))')


def controlled() -> Iterator[tuple[str, str]]:
    """Document and words of every command line that is written out."""
    for doc in DOCS:
        for quoted, word in CONTROL.findall(text_of(doc)):
            words = quoted or word
            if "…" not in words or "--why" in words:
                yield doc, words


def test_every_command_of_the_operator_is_understood_as_it_is_written() -> None:
    stands_for = {"LINK_ID": "mmlocal-1-e-0", "STATE": "ABSENT", "NAME": "max_exposure", "VALUE": "1", "N": "7"}
    for doc, words in controlled():
        given = [stands_for.get(word, word) for word in shlex.split(words)]
        assert isinstance(_arguments(given), argparse.Namespace), doc
    assert len(list(controlled())) > 20


# --- the tree ---------------------------------------------------------------------------------------------------------


def tree_of(readme: str) -> str:
    return next(block for block in text_of(readme).split("```") if "\nstreamlit_app.py" in block)


@pytest.mark.parametrize("readme", READMES)
def test_the_tree_names_every_room_and_every_process(readme: str) -> None:
    tree = tree_of(readme)
    rooms = {f"lib/{path.name}/" for path in (ROOT / "lib").iterdir() if (path / "__init__.py").exists()}
    assert {room for room in rooms if room not in tree} == set()
    rooms_of_trading = {path.name for path in (ROOT / "lib/trading").iterdir() if (path / "__init__.py").exists()}
    assert {room for room in rooms_of_trading if f"{room}/" not in tree} == set()
    processes = {
        path.stem for path in (ROOT / "services").glob("*.py") if '__name__ == "__main__"' in path.read_text("utf-8")
    }
    assert {name for name in processes if name not in tree} == set()


@pytest.mark.parametrize("readme", READMES)
def test_the_tree_names_every_target(readme: str) -> None:
    [line] = [line for line in tree_of(readme).splitlines() if line.startswith("Makefile")]
    assert set(re.findall(r"[a-z-]+", line.removeprefix("Makefile"))) == targets() - MADE_BY_HAND


def test_the_architecture_names_every_table() -> None:
    said = text_of("docs/architecture.md")
    assert {name for name in metadata.tables if f"`{name}`" not in said} == set()


def test_what_make_run_starts_is_named() -> None:
    started = re.findall(r"^(\w+):", text_of("Procfile.local"), re.MULTILINE)
    assert f"`Procfile.local`: {', '.join(started[:-1])} and {started[-1]}" in text_of("docs/architecture.md")


# --- decisions, alerts ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decision:
    number: str
    file: str
    title: str
    status: str


def decisions() -> list[Decision]:
    found = []
    for path in sorted((ROOT / "docs/adr").glob("[0-9]*.md")):
        said = path.read_text("utf-8")
        title = re.match(r"# (\d{4}) (.+)\n", said)
        status = re.search(r"^Status: ([a-z]+)", said, re.MULTILINE)
        assert title is not None, path.name
        assert status is not None, path.name
        found.append(Decision(title[1], path.name, title[2], status[1]))
    return found


def test_every_decision_is_listed_once_by_its_own_title_and_status() -> None:
    listed = re.findall(r"\| \[(\d{4})\]\(([^)]+)\) \| (.+) \| (\w+)", text_of("docs/adr/README.md"))
    assert sorted(listed) == sorted((one.number, one.file, one.title, one.status) for one in decisions())


def test_no_number_is_two_decisions() -> None:
    assert [number for number, times in Counter(one.number for one in decisions()).items() if times > 1] == []
    assert all(one.file.startswith(one.number) for one in decisions())


def test_every_alert_has_its_line_in_the_runbooks() -> None:
    code = [text_of(name) for name in FILES if name.startswith(("lib/", "services/")) and name.endswith(".py")]
    alerts = {alert for text in code for alert in re.findall(r'\.alert\(\s*"([a-z_.]+)"', text)}
    assert len(alerts) > 15
    said = text_of("docs/runbooks/README.md")
    assert {alert for alert in alerts if f"`{alert}`" not in said} == set()


# --- figures ----------------------------------------------------------------------------------------------------------


def limits_of(readme: str) -> str:
    return next(part for part in text_of(readme).split("\n## ") if part.startswith(("Limits", "한도")))


def percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"


@pytest.mark.parametrize("readme", READMES)
def test_the_limits_quoted_are_the_limits(readme: str) -> None:
    said, own, platform = limits_of(readme), Limits(), PlatformLimits()
    rows = [[cell.strip() for cell in line.split("|")[2:4]] for line in said.splitlines() if line.startswith("|")][2:]
    one, all_ = ([row[column] for row in rows] for column in (0, 1))
    for row, figure in enumerate((percent(own.daily_loss), percent(own.drawdown), own.loss_streak)):
        assert re.match(rf"{figure}(?!\d)", one[row]), one[row]
    assert one[3].startswith(str(own.entries_per_day))
    assert str(own.cooldown_ms // 60_000) in one[4]
    assert str(own.max_exposure) in one[5]
    assert one[7].startswith(str(own.max_positions))
    assert one[8].startswith(str(own.analyst_failures))
    assert one[9].startswith(f"{own.analyst_tokens:,}")
    assert percent(platform.daily_loss) in all_[0]
    assert all_[3].startswith(f"{platform.entries_per_day:,}")
    assert f"{platform.max_exposure:,} USDT" in all_[5]
    assert all_[8].startswith(str(platform.analyst_failures))
    assert f"{platform.analyst_tokens:,}" in all_[9]
    assert f"{platform.guest_tokens:,}" in all_[9]
    assert f"{platform.analyst_cost} USD" in all_[10]
    for figure in (MIN_STOP, MAX_STOP_DISTANCE):
        assert f"{(figure * 100).normalize():f}" in said
    levels = [f"{(profile.risk_per_trade * 100).normalize():f}" for profile in RISK_PROFILES.values()]
    assert re.search(rf"{levels[0]}\D+{levels[1]}\D+{levels[2]}", said)
    caps = [str(profile.leverage_cap) for profile in RISK_PROFILES.values()]
    assert re.search(rf"\b{caps[0]}\D+{caps[1]}\D+{caps[2]}(?!\d)", said)


@pytest.mark.parametrize("readme", READMES)
def test_the_moments_quoted_are_the_codes(readme: str) -> None:
    said = text_of(readme)
    for seconds in ((MAX_AGE_MS + RECV_WINDOW_MS + 2_000) / 1000, PROOF_MS / 1000, (RECV_WINDOW_MS + 2_000) / 1000):
        assert re.search(rf"\b{seconds:g} ?(?:seconds|초)", said), seconds
    assert f"{DEFAULT_CAPACITY:,}" in said


def test_what_the_example_of_settings_shows_is_what_holds_without_it() -> None:
    shown = dict(re.findall(r"^((?:PLATFORM_|MOST_)\w+)=(.+)$", text_of(".env.example"), re.MULTILINE))
    assert load(shown).platform_limits == load({}).platform_limits == PlatformLimits()
    assert shown["MOST_GUESTS"] == str(MOST_GUESTS)
    assert set(shown) >= {"PLATFORM_DAILY_LOSS", "PLATFORM_GUEST_TOKENS"}


class _Nothing(Trader):
    """A trader of which only the names of its jobs are wanted."""

    def __init__(self) -> None: ...


def test_the_timetable_quoted_is_the_traders() -> None:
    every: dict[str, int] = {}
    for job in timetable(_Nothing()).get_jobs():
        name = getattr(job.job_func, "__name__", "")
        every[name] = job.interval if job.unit == "seconds" else 0
    said = text_of("docs/architecture.md")
    for name, job_name in (("stops", "enforce_stops"), ("commands", "take_commands"), ("reconcile", "reconcile")):
        assert re.search(rf"^\| {name} \| {every[job_name]} s\b", said, re.MULTILINE), name
    assert f"| heartbeat | {every['heartbeat']} s |" in said
    assert f"| sweep, clocks, markets | {every['sweep']} s |" in said
    assert every["sweep"] == every["check_clocks"] == every["check_markets"]
    assert f"have become {len(every)} jobs" in text_of("docs/adr/0011-schedule-and-asyncio.md")


def test_the_live_charts_places_quoted_are_the_hubs() -> None:
    said = text_of("docs/architecture.md")
    assert f"queue of {QUEUE} is full" in said
    assert f"more than {SEATS_PER_SESSION} seats for one session" in said


def test_the_failpoints_quoted_are_all_there_are() -> None:
    names = {point for points in POINTS.values() for point in points}
    assert f"{len(names)} named failpoints" in text_of("README.md")


@pytest.mark.parametrize("readme", READMES)
def test_the_mutants_quoted_are_all_there_are(readme: str) -> None:
    patches = len(list((ROOT / "tests/mutants").glob("*.patch")))
    [(killed, known)] = re.findall(r"^\| (?:mutants|변이)[^|]*\| .*?(\d+)\D+(\d+)", text_of(readme), re.MULTILINE)
    assert (int(killed), int(known)) == (patches, patches)
