"""A fragment of a page that was left is not run: neither after the page that was gone to, nor in its place."""

import asyncio
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState

from app.left_pages import LEAVING_S, STREAM, LeftPages

Said = dict[str, Any]
END: Said = {"type": "websocket.disconnect"}


def whole(page: str) -> Said:
    """A tab asks for *page*, as a click on a link does."""
    return {"type": "websocket.receive", "bytes": _said(page, "")}


def part(page: str) -> Said:
    """A fragment of *page* asks to be run."""
    return {"type": "websocket.receive", "bytes": _said(page, "f1")}


def _said(page: str, fragment: str) -> bytes:
    return bytes(BackMsg(rerun_script=ClientState(page_script_hash=page, fragment_id=fragment)).SerializeToString())


def heard(*said: Said | float, path: str = STREAM, kind: str = "websocket") -> list[Said]:
    """What comes through of *said*; a number lets that many seconds pass."""
    now, left, through = 0.0, list(said), []

    async def receive() -> Said:
        nonlocal now
        while left and isinstance(left[0], float):
            now += left.pop(0)  # type: ignore[operator]
        return left.pop(0) if left else END  # type: ignore[return-value]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive()) is not END:
            through.append(message)

    async def nobody(message: Any) -> None: ...

    asyncio.run(LeftPages(app, lambda: now)({"type": kind, "path": path}, receive, nobody))
    return through


def test_a_fragment_of_the_page_that_was_left_is_not_run() -> None:
    assert heard(whole("desk"), part("desk"), whole("results"), part("desk"), part("results")) == [
        whole("desk"), part("desk"), whole("results"), part("results")
    ]  # fmt: skip


def test_the_first_page_need_not_be_known_by_name() -> None:
    # a tab says no name before it has been told one
    assert heard(whole(""), whole("results"), part("desk")) == [whole(""), whole("results")]
    assert heard(whole(""), part("desk")) == [whole(""), part("desk")]


def test_who_comes_back_is_there_again() -> None:
    said = [whole("desk"), whole("results"), whole("desk"), part("desk")]
    assert heard(*said) == said


def test_what_streamlit_showed_instead_of_a_page_that_is_gone_comes_to_live() -> None:
    assert heard(whole("gone"), LEAVING_S - 1, part("home")) == [whole("gone")]
    assert heard(whole("gone"), LEAVING_S, part("home")) == [whole("gone"), part("home")]


def test_a_run_of_the_page_one_is_on_winds_nothing_up() -> None:
    said = [whole("gone"), whole("gone"), part("home")]
    assert heard(said[0], LEAVING_S, said[1], said[2]) == said


@pytest.mark.parametrize(
    "other",
    [
        {"type": "websocket.receive", "bytes": b"\xff\xff"},
        {"type": "websocket.receive", "bytes": b""},
        {"type": "websocket.receive", "text": "hello"},
        {"type": "websocket.receive", "bytes": BackMsg(app_heartbeat=True).SerializeToString()},
        {"type": "websocket.connect"},
    ],
)
def test_whatever_else_is_said_goes_through(other: Said) -> None:
    assert heard(whole("results"), other) == [whole("results"), other]


@pytest.mark.parametrize(("kind", "path"), [("websocket", "/api/ws"), ("http", STREAM)])
def test_other_sockets_and_requests_are_not_looked_into(kind: str, path: str) -> None:
    said = [whole("results"), part("desk")]
    assert heard(*said, kind=kind, path=path) == said
