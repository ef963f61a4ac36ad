"""
A local analyst that says what it is told: OpenAI's chat completions with one scripted view, or no answer at all.

It never reads the question; who wants an analyst that thinks asks the simulator's.
"""

import asyncio
import json
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Views:
    """*action* is the next answer; while *hangs*, no answer comes. *asked* counts the questions."""

    action: str = "buy"
    stop: float = 0.02
    hangs: bool = False
    asked: int = 0
    port: int = 0
    _runner: web.AppRunner | None = field(default=None)
    _release: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self) -> None:
        """Listen on a free loopback port."""
        app = web.Application()
        app.add_routes([web.post("/v1/chat/completions", self._answer)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    def release(self) -> None:
        """Answer again, those who still wait too."""
        self.hangs = False
        self._release.set()
        self._release = asyncio.Event()

    async def close(self) -> None:
        self.release()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        asked = json.loads(await request.read())
        if self.hangs:
            await self._release.wait()  # whoever asked has hung up by then
        view = {
            "action": self.action,
            "confidence": 0.9,
            "leverage": 3,
            "reason": "as told",
            "stop_loss": self.stop,
            "take_profit": 0.04,
        }
        message = {"role": "assistant", "content": json.dumps(view), "refusal": None}
        return web.json_response(
            {
                "id": f"told-{self.asked}",
                "object": "chat.completion",
                "created": 0,
                "model": asked["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
                "usage": {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960},
            }
        )
