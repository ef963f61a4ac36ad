"""
What every route of the API is, as data beside it: its address, what it takes, who may ask, what it is for.

From it come the routes, their OpenAPI document (`app.api.openapi`) and what a personal token may do: without a *scope*
an endpoint answers to a person's own session alone, whatever a token may.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.exchange import Route as Work
from app.api.exchange import answered, refused
from app.visit import visit_of
from lib.accounts.refusal import Refusal
from lib.domain.api_token import Scope

Schema = Mapping[str, Any]
Asking = Literal["GET", "POST", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class Part:
    """One value of a query, a path or a body, as JSON Schema says it."""

    name: str
    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One method of one address. *is_open* = strangers may ask; *scope* = what a personal token needs, None = none may.
    """

    method: Asking
    path: str
    work: Work
    summary: str
    query: tuple[Part, ...] = ()
    path_parts: tuple[Part, ...] = ()
    body: tuple[Part, ...] = ()
    scope: Scope | None = None
    is_open: bool = False
    media: str = "application/json"


def text(name: str, longest: int, *, required: bool = True, shape: str = "") -> Part:
    """Text of at most *longest* characters."""
    return Part(name, {"type": "string", "maxLength": longest} | ({"format": shape} if shape else {}), required)


def choice(name: str, options: Iterable[str], *, required: bool = True) -> Part:
    """One of *options*."""
    return Part(name, {"type": "string", "enum": list(options)}, required)


def flag(name: str, *, required: bool = True) -> Part:
    """True or false."""
    return Part(name, {"type": "boolean"}, required)


def whole(name: str, least: int, most: int, *, required: bool = False) -> Part:
    """A whole number from *least* to *most*."""
    return Part(name, {"type": "integer", "minimum": least, "maximum": most}, required)


def decimal(name: str, *, nullable: bool = False) -> Part:
    """An exact number, written as text."""
    return Part(
        name, {"type": ["string", "null"] if nullable else "string", "pattern": r"^[0-9]{1,15}(\.[0-9]{1,8})?$"}
    )


def names(name: str, options: list[str]) -> Part:
    """A list of some of *options*, each at most once."""
    items = {"type": "string", "enum": options}
    return Part(name, {"type": "array", "items": items, "uniqueItems": True})


def part(name: str, names: Collection[str]) -> Part:
    """An object with no other *names* than these."""
    values: dict[str, Any] = {one: {"type": ["string", "integer"]} for one in sorted(names)}
    return Part(name, {"type": "object", "properties": values, "additionalProperties": False})


def routes_of(endpoints: Iterable[Endpoint]) -> list[Route]:
    """The routes of *endpoints*."""
    return [Route(one.path, _guarded(one), methods=[one.method]) for one in endpoints]


def _guarded(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """Its work, for who asks by a token only within the token's scopes."""

    @wraps(endpoint.work)
    @answered
    async def route(request: Request) -> Response:
        user = visit_of(request.scope).user
        is_public = endpoint.is_open and endpoint.method == "GET"
        if user is not None and user.scopes is not None and endpoint.scope not in user.scopes and not is_public:
            return refused(Refusal("refuse.token.scope"))
        return await endpoint.work(request)

    return route
