"""
What a page's fragment still asks for after its page was left does not reach Streamlit.

Streamlit runs such a fragment after the page that was gone to, and its front end takes the beginning of that run, which
names the old page, for a change of page: it clears what it has just drawn, and the page stays blank but for what every
page has. Asked a moment sooner, both become one run of the old page, and the click on the link did nothing (1.67).
Nothing is lost with the request: what was typed is kept in the tab (`typing.mjs`), and everything else of a page that
was left is drawn anew when somebody comes back to it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState

from app.security import App, Message, Receive, Scope, Send

STREAM = "/_stcore/stream"
"""Streamlit's socket."""
LEAVING_S = 30.0
"""How long a tab may go on to ask in the name of the page it left. Not for ever: where the page it asked for is not
there, Streamlit shows another one, and that one's fragments are to run."""


class LeftPages:
    """Pure ASGI around *app*; *now* in seconds."""

    def __init__(self, app: App, now: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"] == STREAM:
            receive = self._without_left(receive)
        await self._app(scope, receive, send)

    def _without_left(self, receive: Receive) -> Receive:
        tab = Tab()

        async def receive_current() -> Message:
            while tab.has_left(_asked(message := await receive()), self._now()):
                pass
            return message

        return receive_current


@dataclass(slots=True)
class Tab:
    """Which *page* one tab asked for last, by Streamlit's name for it ("" = not known), and when."""

    page: str = ""
    since: float = 0.0

    def has_left(self, asked: ClientState | None, now: float) -> bool:
        """Whether *asked* is of a fragment whose page the tab has left; a whole page's run says where the tab is."""
        if asked is None:
            return False
        if asked.fragment_id:
            is_elsewhere = bool(self.page) and asked.page_script_hash not in ("", self.page)
            return is_elsewhere and now - self.since < LEAVING_S
        if asked.page_script_hash != self.page:
            self.page, self.since = asked.page_script_hash, now
        return False


def _asked(message: Message) -> ClientState | None:
    """The run that *message* asks for, if it does."""
    data = message.get("bytes")
    if message["type"] != "websocket.receive" or not data:
        return None
    try:
        told = BackMsg.FromString(data)
    except DecodeError:
        return None  # Streamlit's to refuse
    return told.rerun_script if told.HasField("rerun_script") else None
