"""Notifications leave this machine for the public internet alone, and nothing of an address stays behind."""

import socket
from collections.abc import Iterator

import pytest
import requests
import urllib3.util.connection

from lib.adapters.apprise.courier import AppriseCourier
from lib.adapters.apprise.outward import is_public, outward_only
from lib.adapters.vault import AddressOpener, AddressSealer, generate_keys
from lib.domain.errors import Pause, Retry

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


@pytest.fixture
def outward() -> Iterator[None]:
    before = urllib3.util.connection.create_connection
    outward_only(private_hosts=False)
    yield
    urllib3.util.connection.create_connection = before


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
    before = urllib3.util.connection.create_connection
    try:
        with pytest.raises(Retry) as refused:
            AppriseCourier().send(f"jsons://127.0.0.1:{inside}/canary", "title", "body")
    finally:
        urllib3.util.connection.create_connection = before
    assert "canary" not in str(refused.value)


def test_an_address_nobody_knows_is_refused() -> None:
    before = urllib3.util.connection.create_connection
    try:
        with pytest.raises(Retry):
            AppriseCourier().send("nonsense://x", "title", "body")
    finally:
        urllib3.util.connection.create_connection = before


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
