"""The live parts of a person's screens: the whole over REST, then what changes over the WebSocket. Their own alone."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.api import endpoints as api
from app.api.endpoints import Endpoint
from app.api.exchange import for_people
from app.api.market import serve
from app.api.symbols import LONGEST_SYMBOL, symbol_of
from app.cockpit import Cockpit
from app.live import SIGNED_OUT
from app.live_accounts import AccountHub
from app.threads import in_thread
from app.visit import visit_of
from lib.accounts.web import SessionUser

ACT_HEADER = "X-Maemae-Act"
"""The number of an act: the channel has told what came of it once its "acts" is that high."""
READ_ONLY_METHODS = frozenset({"GET", "HEAD"})


def endpoints(cockpit: Cockpit) -> tuple[Endpoint, ...]:
    """The snapshot."""

    @for_people
    async def snapshot(request: Request, user: SessionUser) -> Response:
        """`?symbol`: the whole message of the channel, as it is now, about that symbol first."""
        symbol = symbol_of(request)
        text = await in_thread(cockpit.whole, user.user_id, symbol, for_program=user.scopes is not None)
        return Response(text, media_type="application/json")

    which = (api.text("symbol", LONGEST_SYMBOL, required=False),)
    return (Endpoint("GET", "/api/account", snapshot, "The account as the dashboard shows it.", which, scope="read"),)


def channel(cockpit: Cockpit, hub: AccountHub) -> BaseRoute:
    """What changes of it."""

    async def follow(socket: WebSocket) -> None:
        """One message with everything of every symbol, then the parts that changed, until somebody leaves."""
        # accepted first: a browser cannot read the code of a connection that never opened
        await socket.accept()
        visit = visit_of(socket.scope)
        if visit.user is None or visit.token is None:
            await socket.close(SIGNED_OUT)
            return
        with hub.seat(visit.user.user_id, visit.token) as seat:
            await serve(socket, seat)

    return WebSocketRoute("/api/ws/account", follow)


def telling(hub: AccountHub, given: list[Route]) -> list[Route]:
    """*given*, with every act of them told to *hub*, so that all tabs of the person show it at once."""
    return [Route(one.path, partial(_told, one, hub), methods=list(one.methods or ())) for one in given]


async def _told(route: Route, hub: AccountHub, request: Request) -> Response:
    answer: Response = await route.endpoint(request)
    user = visit_of(request.scope).user
    if user is not None and request.method not in READ_ONLY_METHODS:
        answer.headers[ACT_HEADER] = str(hub.touched(user.user_id))
    return answer
