"""
The OpenAPI 3.1 document of the API, made from what stands beside its routes (`app.api.endpoints`).

It says nothing about anybody, so strangers may read it: `GET /api/openapi.json`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api.endpoints import Endpoint, Part
from app.api.exchange import answered
from app.visit import PLAIN_COOKIE

PATH = "/api/openapi.json"
REFUSAL: dict[str, Any] = {
    "type": "object",
    "required": ["success", "message", "code", "error", "params"],
    "properties": {
        "success": {"const": False},
        "message": {"type": "string", "description": "One sentence in the caller's language."},
        "code": {"type": "string", "description": "What is wrong, for programs."},
        "error": {"type": "string", "description": "The same as a key of our catalogues."},
        "params": {"type": "object", "description": "The values in the sentence."},
    },
}
DESCRIPTION = (
    "Money and prices are strings of digits, moments epoch milliseconds. A browser asks with its session's cookie and "
    "from our own pages; a program with a personal token (`Authorization: Bearer mm_…`), which reads, or reads and "
    "controls, and never reaches keys, sign-in or the account's safety."
)


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The document of *endpoints*."""
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    schemes = {
        "session": {"type": "apiKey", "in": "cookie", "name": PLAIN_COOKIE},
        "token": {"type": "http", "scheme": "bearer"},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Maemae", "version": "1", "description": DESCRIPTION},
        "paths": paths,
        "components": {"schemas": {"Refusal": REFUSAL}, "securitySchemes": schemes},
    }


def _operation(one: Endpoint) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": f"{one.method.lower()}{one.path.replace('/', '_').replace('{', '').replace('}', '')}",
        "summary": one.summary,
        "parameters": [*_parameters("path", one.path_parts), *_parameters("query", one.query)],
        "responses": _answers(one),
        "security": [] if one.is_open else [{"session": []}, *([{"token": [one.scope]}] if one.scope else [])],
    }
    if one.method != "GET":
        made["requestBody"] = _body(one.body)
    return made


def _parameters(where: str, parts: Sequence[Part]) -> list[dict[str, Any]]:
    return [{"name": one.name, "in": where, "required": one.required, "schema": dict(one.schema)} for one in parts]


def _body(parts: Sequence[Part]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {one.name: dict(one.schema) for one in parts}}
    required = [one.name for one in parts if one.required]
    if required:
        schema["required"] = required
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _answers(one: Endpoint) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"} if one.media != "application/json" else {"type": "object"}
    refusal = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    return {
        "200": {"description": "Done.", "content": {one.media: {"schema": schema}}},
        "default": {"description": "Refused: why.", "content": refusal},
    }


def described(endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """*endpoints* and the one that tells of all of them."""
    made: list[Endpoint] = []

    @answered
    async def tell(request: Request) -> Response:
        return JSONResponse(document(made))

    made += [*endpoints, Endpoint("GET", PATH, tell, "This document.", is_open=True)]
    return tuple(made)
