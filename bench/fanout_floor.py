"""The floor in `bench.dashboards`: a bare WebSocket route that sends one ready text a second to everybody. PORT."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

TEXT = '{"rows":[[1795373400,56501.0,56502.7,56480.7,56502.7,12.468]]}'
viewers: set[WebSocket] = set()


async def follow(socket: WebSocket) -> None:
    """One viewer, until it leaves."""
    await socket.accept()
    viewers.add(socket)
    try:
        await socket.receive_text()
    except WebSocketDisconnect:
        viewers.discard(socket)


async def send() -> None:
    """One text a second."""
    while True:
        await asyncio.sleep(1)
        for viewer in tuple(viewers):
            await viewer.send_text(TEXT)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """With the sender."""
    sending = asyncio.create_task(send())
    yield
    sending.cancel()


if __name__ == "__main__":
    app = Starlette(routes=[WebSocketRoute("/api/ws", follow)], lifespan=lifespan)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, ws="websockets-sansio")
