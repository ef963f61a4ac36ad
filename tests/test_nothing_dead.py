"""
What nobody calls, reads or shows does not stay: names in code, words of catalogues, rules of styles, settings.

A name counts as used where it stands anywhere else in the code that runs (tests do not count). What a framework calls
by its name is listed with who calls it.
"""

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from app.i18n import catalogue
from lib.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
CALLED_BY_OTHERS = {
    "send_400_response": "uvicorn's h11 protocol",
    "redirect_request": "urllib, when it is led elsewhere",
    "_prepare_headers": "pybit, before it sends",
    "log_message": "http.server, for each look at the figures",
    "process_request": "socketserver, when somebody connects",
    "service_actions": "socketserver, between requests",
    "load_dialect_impl": "SQLAlchemy's types",
    "process_bind_param": "SQLAlchemy's types",
    "process_result_value": "SQLAlchemy's types",
    "_now3": "SQLAlchemy's compiler",
    "_now3_upd": "SQLAlchemy's compiler",
    "_now3_sqlite": "SQLAlchemy's compiler",
    "ResumingMySQL": "Alembic, which finds a dialect's class by itself",
}
LAW_ONLY = {"is_unbooked", "UNLOCK_RULES"}
"""Rules written out for the in-memory ledger and the catalogues; the databases have theirs in SQL."""
OF_THE_EDGE = {"reason_codes.py", "reason.py"}
"""Files whose names are listed for a catalogue rather than called."""


def running(*suffixes: str) -> dict[str, str]:
    said = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    code = (
        name for name in said if name.startswith(("lib/", "services/", "app/", "bench/")) or name == "streamlit_app.py"
    )
    wanted = (name for name in code if name.endswith(suffixes) and "lightweight" not in name)
    return {name: (ROOT / name).read_text("utf-8") for name in wanted if (ROOT / name).exists()}


def defined(text: str) -> Iterator[str]:
    """Every function, class and module-level constant of a module."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def test_every_name_is_used_by_code_that_runs() -> None:
    sources = running(".py")
    told: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for name, text in sources.items():
        told.update(re.findall(r"[A-Za-z_]\w*", text))
        if not name.endswith(tuple(OF_THE_EDGE)) and not name.startswith("bench/"):
            times.update(defined(text))
    known = CALLED_BY_OTHERS.keys() | LAW_ONLY
    unused = {name for name, count in times.items() if told[name] <= count and not name.startswith("__")}
    assert unused - known == set()


def test_every_word_of_the_catalogues_is_shown_somewhere() -> None:
    text = "\n".join(running(".py", ".mjs").values())
    named = set(re.findall(r"""["']([a-z_]+(?:\.\w+)*)["']""", text))
    begun = tuple(re.findall(r"""f?["']((?:[a-z_]+\.)+(?:[a-z]+_)?)(?:\{|["'])""", text))
    spoken = {key for key in catalogue("en") if key in named or key.startswith(begun)}
    # a function that is given the beginning puts the rest to it
    given = {key for key in catalogue("en") if key.rpartition(".")[0] in named}
    assert set(catalogue("en")) - spoken - given == set()


def test_every_rule_of_the_styles_has_its_element() -> None:
    sources = running(".py", ".mjs")
    css = sources.pop("app/ui/style.py")
    text = "\n".join(body for name, body in sources.items() if name.startswith(("app/", "streamlit_app")))
    classes = {name.removeprefix("st-key-") for name in re.findall(r"\.([a-z][a-z0-9_-]*)", css)}
    assert {name for name in classes if not re.search(rf"\b{re.escape(name)}\b", text)} == set()


def test_every_setting_is_read() -> None:
    text = "\n".join(running(".py").values())
    assert {item.name for item in fields(Settings) if not re.search(rf"\.{item.name}\b", text)} == set()
