"""Import contracts that sources, names and processes are asked about themselves."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from lib import bootstrap
from lib.bootstrap import HOMES

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = "only a terminal writes caps of real money and what a preflight found"
KEPT_OUT = {
    "app",
    "lib.bootstrap.web",
    "lib.bootstrap.operators",
    "lib.bootstrap.processes",
    "lib.bootstrap.simulating",
    "lib.accounts",
    "lib.queries",
}
KEPT_OUT |= {"lib.trading"}
ADAPTER = "lib.adapters.sql.forms.real_caps"


def sources(module: str) -> Iterator[Path]:
    path = ROOT / module.replace(".", "/")
    yield from path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_web_and_trader_have_no_adapter_that_writes_preflights_and_caps() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    [contract] = [each for each in contracts if each["name"] == CONTRACT]
    assert set(contract["source_modules"]) == KEPT_OUT, "make check keeps these out"
    assert contract["forbidden_modules"] == [ADAPTER]
    reached = {
        path for module in KEPT_OUT for path in sources(module) if any(n.startswith(ADAPTER) for n in imported(path))
    }
    assert reached == set()


def test_bootstrap_finds_each_name_where_a_checker_does_and_none_is_a_submodules() -> None:
    told = [
        (node.module or "", name.name)
        for node in ast.walk(ast.parse((ROOT / "lib/bootstrap/__init__.py").read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lib.")
        for name in node.names
    ]
    assert sorted(told) == sorted((home, name) for home, names in HOMES.items() for name in names.split())
    assert not {name for _, name in told} & {path.stem for path in sources("lib.bootstrap")}
    for home, name in told:
        assert getattr(bootstrap, name) is getattr(import_module(home), name)


def test_nobody_who_only_asks_which_schema_stands_pays_for_what_changes_it() -> None:
    wholes = "collector trader worker notifying chat_bot open_control work_backtest readings web_system"
    asked = f"import sys; from lib import bootstrap; [getattr(bootstrap, name) for name in '{wholes}'.split()]"
    told = subprocess.run(
        [sys.executable, "-c", f"{asked}; print('alembic' in sys.modules, 'sqlalchemy' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["False", "True"]
