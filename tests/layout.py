"""
The layout's traps, checked by `make check`: each rule is a sentence that was broken once somewhere.

Run as `python -m tests.layout`; prints what is wrong and exits 1.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lib.domain import reason_codes
from lib.domain.reason import Code

ROOT = Path(__file__).resolve().parents[1]
CODE = ("lib", "services", "app", "bench")
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "manager.py", "common.py", "misc.py"}
LONGEST = 400
TAKES_A_REASON = {"text", "Retry", "Pause", "Skip", "NotNow", "BudgetAway", "NotListed", "CorruptCandles", "Abstained"}


def _modules() -> Iterator[Path]:
    for folder in CODE:
        yield from sorted((ROOT / folder).rglob("*.py"))


def pages_beside_the_script() -> Iterator[str]:
    """A pages/ folder beside the Streamlit script lets a page run without the script: sign-in bypassed."""
    if (ROOT / "pages").exists():
        yield "pages/ stands beside streamlit_app.py"
    if (ROOT / "app" / "app.py").exists():
        yield "app/app.py shadows its package"


def ignored_source() -> Iterator[str]:
    """`lib/` is in common .gitignore templates; git and ruff then skip it silently."""
    for folder in CODE:
        ignored = subprocess.run(["git", "check-ignore", "-q", f"{folder}/x.py"], cwd=ROOT, check=False)
        if ignored.returncode == 0:
            yield f"{folder}/ is ignored by git"


def modules_say_what_they_are() -> Iterator[str]:
    """Every module with code begins with a docstring, and none is called after nothing."""
    for path in _modules():
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        if text.strip() and ast.get_docstring(ast.parse(text)) is None:
            yield f"{name} has no docstring"
        if path.name in FORBIDDEN_NAMES:
            yield f"{name}: name it after its idea"
        if text.count("\n") > LONGEST:
            yield f"{name} has more than {LONGEST} lines: split it by idea"


def settings_are_documented() -> Iterator[str]:
    """Every name lib/settings.py reads stands in .env.example."""
    source = (ROOT / "lib" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'source(?:\.get\(|, )"([A-Z_]+)"', source))
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name in sorted(read - {"DYNO"}):
        if not re.search(rf"^{name}=", example, re.MULTILINE):
            yield f".env.example lacks {name}"


def processes_start_as_modules() -> Iterator[str]:
    """`python services/x.py` would put services/ on sys.path: Procfiles start with -m."""
    for name in ("Procfile", "Procfile.local"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if "python" in line and "python -m " not in line:
                yield f"{name}: {line}"


def no_mode_switches() -> Iterator[str]:
    """Paper, live and test differ by objects and URLs, never by a flag."""
    for path in _modules():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"\bif\b.*\b(dry_run|is_testing|testing|is_paper|paper_mode)\b", line):
                yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


def one_log() -> Iterator[str]:
    """A logger of the standard library's drops our fields: who logs asks `lib.log` for one."""
    for path in _modules():
        name = str(path.relative_to(ROOT))
        if name == "lib/log.py":
            continue
        for number, module in _imports(path):
            if module.partition(".")[0] == "logging":
                yield f"{name}:{number}: log by `lib.log`, which keeps fields and hides secrets"


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""


def one_balance() -> Iterator[str]:
    """The balance is added up in one place: three formulas had drifted apart by a deposit."""
    for path in _modules():
        name = str(path.relative_to(ROOT))
        if name == "lib/domain/books.py" or name.startswith("lib/simulator/"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"realised\b.*-.*\bfees\b.*\+.*\bfunding\b", line):
                yield f"{name}:{number}: the balance is `lib.domain.books.balance`"


def reasons_are_data() -> Iterator[str]:
    """A reason that is stored or shown is a code with its own parameters; nothing in lib writes prose for one."""
    known = {name: set(code.params) for name, code in vars(reason_codes).items() if isinstance(code, Code)}
    for path in sorted((ROOT / "lib").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("lib/simulator/"):
            continue  # another's words on the wire
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and (problem := _reason_problem(call, known)):
                yield f"{name}:{call.lineno}: {problem}"


def _reason_problem(call: ast.Call, known: dict[str, set[str]]) -> str:
    called = call.func
    if isinstance(called, ast.Name) and called.id in TAKES_A_REASON:
        is_prose = any(isinstance(given, ast.JoinedStr | ast.Constant) for given in call.args[:1])
        return f"{called.id} takes a reason of lib.domain.reason_codes, not prose" if is_prose else ""
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "codes":
        given = {keyword.arg or "**" for keyword in call.keywords}
        wanted = known.get(called.attr)
        return "" if wanted == given and not call.args else f"{called.attr} takes {sorted(wanted or ())}"
    return ""


def main() -> int:
    """All rules; the exit status."""
    rules = (
        pages_beside_the_script,
        ignored_source,
        modules_say_what_they_are,
        settings_are_documented,
        processes_start_as_modules,
        no_mode_switches,
        one_balance,
        one_log,
        reasons_are_data,
    )
    problems = [problem for rule in rules for problem in rule()]
    for problem in problems:
        sys.stdout.write(f"layout: {problem}\n")
    return bool(problems)


if __name__ == "__main__":
    raise SystemExit(main())
