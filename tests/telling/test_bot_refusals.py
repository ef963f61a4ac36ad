"""What ends only when a person mends it calls one, once: a wrong token, and somebody else who reads the messages."""

from collections.abc import Callable, Iterator

import pytest

from lib import log
from lib.adapters.telegram.bot_api import CALLS_A_PERSON, TelegramApi
from lib.domain.errors import Retry
from tests.fakes.bot_api import TOKEN, BotServer

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def server() -> Iterator[BotServer]:
    with BotServer() as made:
        yield made


@pytest.fixture
def heard() -> Iterator[list[str]]:
    events: list[str] = []
    with log.listen(lambda event, _: events.append(event)):
        yield events


def alerts(heard: list[str]) -> list[str]:
    return [event for event in heard if event in CALLS_A_PERSON.values()]


def refused(call: Callable[[], object]) -> None:
    with pytest.raises(Retry):
        call()


def test_a_wrong_token_calls_a_person_once(server: BotServer, heard: list[str]) -> None:
    api = TelegramApi(server.url, TOKEN.replace("canary", "wrong-"))
    for _ in range(3):
        refused(api.me)
    assert alerts(heard) == ["telegram.token_refused"]


def test_another_reader_calls_a_person_once_and_again_when_it_comes_back(server: BotServer, heard: list[str]) -> None:
    api = TelegramApi(server.url, TOKEN)
    for is_there in (True, True, False, True):
        server.read_by_another = is_there
        if is_there:
            refused(lambda: api.updates(0, 0))
        else:
            assert api.updates(0, 0) == []
    assert api.me().bot_id, "the token is good"
    assert alerts(heard) == ["telegram.read_elsewhere", "telegram.read_elsewhere"]
