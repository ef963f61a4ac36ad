"""The symbol a request is about: one of those this deployment has, or none."""

from starlette.requests import Request

from app.http.fields import BadInput
from app.system import system
from lib.accounts.refusal import Refusal

LONGEST_SYMBOL = 32


def symbol_of(request: Request) -> str:
    """The `?symbol` of the query; "" where none is asked for, *BadInput* (404) for one there is none of."""
    asked = request.query_params.get("symbol", "")
    if asked and asked not in system().symbols:
        raise BadInput(Refusal("refuse.field", field="symbol"), 404)
    return asked
