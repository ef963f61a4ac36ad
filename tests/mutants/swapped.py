"""
Functions that get other bodies while everything that knows them is imported already.

What a module or a class does when it is imported has happened and cannot be put right in place: only where nothing but
bodies of functions differs is anything swapped.
"""

import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from inspect import CO_OPTIMIZED
from types import CodeType, FunctionType

AT_ONCE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
"""Code that has run when the body it stands in has."""
SAME = (
    *("co_name", "co_flags", "co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_code", "co_names"),
    *("co_varnames", "co_freevars", "co_cellvars", "co_exceptiontable"),
)


class Differs(Exception):
    """More than bodies of functions that are alive."""


Alive = Mapping[str, Sequence[FunctionType]]


def alive() -> Alive:
    """Every function there is, by the file it was written in; none that `gc.freeze` has put away."""
    found: dict[str, list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType):
            found[one.__code__.co_filename].append(one)
    return found


def swap(path: str, before: str, after: str, functions: Sequence[FunctionType]) -> None:
    """
    Give those of *functions* whose bodies differ between *before* and *after*, two texts of the file at *path*, the
    later ones. `Differs`, and nothing is changed, where that would not be the whole difference.
    """
    try:
        old, new = (compile(text, path, "exec", dont_inherit=True) for text in (before, after))
    except (SyntaxError, ValueError):
        raise Differs(path) from None
    bodies = list(_changed(old, new))
    known = [[one for one in functions if one.__code__ == was] for was, _ in bodies]
    made = {inner for was, _ in bodies for inner in _deep(was)}
    if not bodies or not all(known) or any(one.__code__ in made for one in functions):
        raise Differs(path)
    for (_, becomes), ones in zip(bodies, known, strict=True):
        for one in ones:
            one.__code__ = becomes


def _changed(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Functions of a body that ran, and what they become."""
    if not _says_the_same(old, new):
        raise Differs(old.co_name)
    for was, becomes in zip(_within(old), _within(new), strict=True):
        if was.co_name in AT_ONCE or not was.co_flags & CO_OPTIMIZED:
            yield from _changed(was, becomes)
        elif not _is_the_same(was, becomes):
            if was.co_freevars != becomes.co_freevars:
                raise Differs(was.co_name)
            yield was, becomes


def _within(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _deep(code: CodeType) -> Iterator[CodeType]:
    """What *code* makes when it runs: whoever made some of it at import has it as it was."""
    for one in _within(code):
        yield one
        yield from _deep(one)


def _says_the_same(old: CodeType, new: CodeType) -> bool:
    """Whether two bodies are the same, whatever the functions in them do and on which lines they stand."""
    return all(getattr(old, name) == getattr(new, name) for name in SAME) and _constants(old) == _constants(new)


def _constants(code: CodeType) -> list[object]:
    return [one.co_name if isinstance(one, CodeType) else (type(one), repr(one)) for one in code.co_consts]


def _is_the_same(old: CodeType, new: CodeType) -> bool:
    """Also what is in them, and in that."""
    return _says_the_same(old, new) and all(map(_is_the_same, _within(old), _within(new)))
