"""Every act is refused to a read-only visitor by the use-case itself; acts are found, not listed."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest

import lib.accounts
from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser

VISITOR = SessionUser(7, "demo@maemae.local", "ko", is_demo=True, read_only=True)
NO_ACTS = {
    "People.register", "People.sign_in", "People.try_paper", "People.open_demo",
    "People.user_of", "People.sign_out", "People.tidy",
    "TradingDesk.paper_for_newcomer",
}  # fmt: skip
"""Coming in, going out and upkeep: nobody is signed in there, or nothing of a person changes."""


def offered() -> Iterator[tuple[str, type, Any]]:
    """Every public method of the classes that pages and routes call."""
    for module in pkgutil.iter_modules(lib.accounts.__path__, "lib.accounts."):
        for name, made in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if made.__module__ != module.name:
                continue
            for method, function in inspect.getmembers(made, inspect.isfunction):
                if not method.startswith("_"):
                    yield f"{name}.{method}", made, function


def takes_a_person(function: Any) -> bool:
    return SessionUser in get_type_hints(function).values()


ACTS = [(name, owner, function) for name, owner, function in offered() if takes_a_person(function)]


def test_the_walk_finds_acts() -> None:
    assert {"TradingDesk.open_paper", "TradingDesk.flatten", "People.sign_out_everywhere"} <= {act[0] for act in ACTS}


@pytest.mark.parametrize(("name", "owner", "function"), ACTS, ids=[act[0] for act in ACTS])
def test_a_read_only_visitor_is_refused_before_anything_is_looked_at(name: str, owner: type, function: Any) -> None:
    # without stores, ports and a clock: whatever looked at one would fail here
    bare: Any = object.__new__(owner)
    others = list(inspect.signature(function).parameters.values())[2:]
    answer = function(bare, VISITOR, *(None for one in others if one.default is inspect.Parameter.empty))
    assert answer == Refusal("refuse.read_only")


@pytest.mark.parametrize("owner", ["People", "TradingDesk"])
def test_whatever_a_page_can_call_is_an_act_or_known_to_be_none(owner: str) -> None:
    acts = {name for name, _, _ in ACTS}
    methods = {name for name, _, _ in offered() if name.startswith(f"{owner}.")}
    assert methods - acts - NO_ACTS == set(), "a new method takes a SessionUser and is marked @act, or is named here"
