"""Notifications leave this machine for the public internet alone, and nothing of an address stays behind."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import requests
import urllib3.util.connection

from lib.adapters.apprise.bounds import short_answers_only, within
from lib.adapters.apprise.courier import AppriseCourier
from lib.adapters.apprise.outward import is_public, outward_only
from lib.adapters.vault import AddressOpener, AddressSealer, generate_keys
from lib.domain.errors import Pause, Retry

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


@pytest.fixture(autouse=True)
def only_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a courier changes for its whole process, the tests after these have as it was."""
    monkeypatch.setattr(requests.Session, "send", requests.Session.send)
    monkeypatch.setattr(urllib3.util.connection, "create_connection", urllib3.util.connection.create_connection)


@pytest.fixture
def outward() -> None:
    outward_only(private_hosts=False)


@pytest.fixture
def inside() -> Iterator[int]:
    """A port of this machine where nobody may call."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        port: int = listening.getsockname()[1]
        yield port
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1"])
def test_no_address_of_this_machine_is_called(outward: None, inside: int, host: str) -> None:
    with pytest.raises((Retry, OSError)):
        requests.get(f"http://{host}:{inside}/", timeout=2)


def test_the_courier_says_only_that_it_did_not_arrive(inside: int) -> None:
    with pytest.raises(Retry) as refused:
        AppriseCourier().send(f"jsons://127.0.0.1:{inside}/canary", "title", "body")
    assert "canary" not in str(refused.value)


def test_an_address_nobody_knows_is_refused() -> None:
    with pytest.raises(Retry):
        AppriseCourier().send("nonsense://x", "title", "body")


@pytest.mark.parametrize(
    ("place", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700:4700::1111", True),
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::10.0.0.1", False),
        ("64:ff9b::0101:0101", True),
        ("64:ff9b:1::0a00:0001", False),
        ("2002:0101:0101::", False),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", False),
        ("2001:db8::1", False),
        ("5f00::1", False),
    ],
)
def test_what_is_public(place: str, public: bool) -> None:
    assert is_public(place) is public


def test_an_address_opens_for_its_person_and_service_alone() -> None:
    private, public = generate_keys()
    sealer, opener = AddressSealer(public), AddressOpener(private)
    sealed = sealer.seal("tgram://secret/1", 7, "telegram")
    assert "secret" not in sealed
    assert opener.open(sealed, 7, "telegram") == "tgram://secret/1"
    for user_id, service in ((8, "telegram"), (7, "slack")):
        with pytest.raises(Pause):
            opener.open(sealed, user_id, service)
    with pytest.raises(Pause):
        AddressOpener(generate_keys()[0]).open(sealed, 7, "telegram")


@contextmanager
def answering(head: bytes, drip: bytes) -> Iterator[int]:
    """A server of this machine that answers *head* and then *drip* again and again until it is cut off."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(head)
                    while not ended.wait(0.02):
                        connection.sendall(drip)

        ended = threading.Event()
        serving = threading.Thread(target=serve)
        serving.start()
        yield listening.getsockname()[1]
        ended.set()
        serving.join()


@pytest.fixture
def bounded() -> None:
    outward_only(private_hosts=True)
    short_answers_only()


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nX-Drip: ", b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"]
)
def test_a_server_that_answers_for_ever_is_cut_off(bounded: None, head: bytes) -> None:
    with answering(head, b"a") as port, pytest.raises(requests.RequestException), within(0.5):
        requests.get(f"http://127.0.0.1:{port}/", timeout=20)


def test_an_answer_without_an_end_is_not_read_to_it(bounded: None) -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65_536) as port, pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/", timeout=20)


def test_a_short_answer_is_read_as_ever(bounded: None) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"") as port:
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=20).text == "ok"


def test_a_proxy_of_the_environment_is_not_used(bounded: None, inside: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{inside}")
    monkeypatch.setenv("no_proxy", "")
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"") as port:
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=5).text == "ok"
