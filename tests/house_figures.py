"""
The house in figures: what README, docs and ADRs say of it can be printed again.

Run as `python -m tests.house_figures`: lengths of functions, docstrings, broad excepts; and for each folder of lib its
modules, rooms (folders inside it that hold code) and floors (modules of the longest chain of imports inside it, a
circle counted once). It reads source text alone and judges nothing; limits are `tests.layout` and the import checker.
"""

import ast
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CODE = ("lib", "app", "services")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Imports = Mapping[str, frozenset[str]]
"""Module → the modules of the same folder that it imports, by dotted name."""


def modules_of(folder: Path) -> dict[str, ast.Module]:
    """The modules below *folder* that hold code, by dotted name."""
    read = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))}
    return {dotted(path): tree for path, tree in read.items() if len(tree.body) > bool(ast.get_docstring(tree))}


def dotted(path: Path) -> str:
    """The name under which *path* is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method of *tree*, those inside functions too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def lines_of(function: Function) -> int:
    """Lines of the body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None and len(function.body) > 1 else function.body
    return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1


def broad_excepts(tree: ast.AST) -> int:
    """Handlers of every exception there is."""
    broad = ("Exception", "BaseException")
    handlers = (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))
    return sum(one.type is None or (isinstance(one.type, ast.Name) and one.type.id in broad) for one in handlers)


def documented(tree: ast.AST) -> tuple[int, int]:
    """How many public functions have a docstring, of how many; methods serving a port leave it to the port."""
    public = [one for one in functions(tree) if not one.name.startswith("_")]
    return sum(ast.get_docstring(one) is not None for one in public), len(public)


def imports_of(modules: Mapping[str, ast.Module]) -> Imports:
    """What each of *modules* imports of the others."""
    return {name: frozenset(_imported(tree) & modules.keys() - {name}) for name, tree in modules.items()}


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def floors(imports: Imports) -> int:
    """Modules of the longest chain of *imports*."""

    @cache
    def above(name: str, seen: frozenset[str]) -> int:
        return 1 + max((above(other, seen | {name}) for other in imports[name] - seen), default=0)

    return max((above(name, frozenset({name})) for name in imports), default=0)


def rooms(folder: Path, modules: Mapping[str, ast.Module]) -> list[str]:
    """The folders directly inside *folder* that hold code."""
    own = dotted(folder / "__init__.py")
    inside = {name.removeprefix(f"{own}.").split(".")[0] for name in modules if name.startswith(f"{own}.")}
    return sorted(name for name in inside if (folder / name).is_dir())


def room_imports(folder: Path, imports: Imports) -> Imports:
    """*imports* with each room of *folder* as one."""
    depth = len(folder.relative_to(ROOT).parts) + 1

    def room(name: str) -> str:
        return ".".join(name.split(".")[:depth])

    joined: dict[str, set[str]] = {}
    for name, others in imports.items():
        joined.setdefault(room(name), set()).update(room(other) for other in others)
    return {name: frozenset(others - {name}) for name, others in joined.items()}


def house() -> Iterator[str]:
    """The figures of all code together."""
    trees = [tree for part in CODE for tree in modules_of(ROOT / part).values()]
    lengths = sorted(lines_of(one) for tree in trees for one in functions(tree))
    told, public = (sum(pair) for pair in zip(*(documented(tree) for tree in trees), strict=True))
    yield f"code                 {', '.join(CODE)}: {len(trees)} modules, {len(lengths)} functions"
    middle, most = statistics.median(lengths), percentile(lengths, 0.9)
    yield f"function length      median {middle:.0f}, p90 {most}, longest {lengths[-1]} lines"
    yield f"public functions     {told} of {public} have a docstring of their own ({told / public:.0%})"
    yield f"broad excepts        {sum(map(broad_excepts, trees))}"


def percentile(ordered: Sequence[int], share: float) -> int:
    """The value below which *share* of *ordered* lies."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def folders() -> Iterator[str]:
    """A line a folder of lib."""
    yield f"{'folder':<16} {'modules':>7} {'floors':>6} {'of rooms':>8}  rooms"
    for folder in sorted(path for path in (ROOT / "lib").iterdir() if path.is_dir()):
        modules = modules_of(folder)
        if modules:
            imports = imports_of(modules)
            by_room = floors(room_imports(folder, imports))
            yield (
                f"lib/{folder.name:<12} {len(modules):>7} {floors(imports):>6} {by_room:>8}"
                f"  {' '.join(rooms(folder, modules))}".rstrip()
            )


if __name__ == "__main__":
    sys.stdout.write("\n".join([*house(), "", *folders(), ""]))
