"""
An act: something that changes what is kept of a person, asked for by that person.

A read-only visitor of the demo is refused every act here, before the use-case looks at anything: a greyed button is a
courtesy of the page, not a lock. Whatever takes a signed-in person and changes something is marked; a test walks them.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from lib.accounts.refusal import Refusal
from lib.accounts.web import SessionUser

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")

_READ_ONLY = Refusal("refuse.read_only")

Act = Callable[Concatenate[S, SessionUser, P], R]


def act(method: Act[S, P, R]) -> Act[S, P, R | Refusal]:
    """*method* of a use-case, whose first argument is the person, for everybody but read-only visitors."""

    @wraps(method)
    def refusing(self: S, user: SessionUser, /, *args: P.args, **kwargs: P.kwargs) -> R | Refusal:
        return _READ_ONLY if user.read_only else method(self, user, *args, **kwargs)

    return refusing
