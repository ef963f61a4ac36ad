"""Whoever reaches the door of a process's figures keeps neither its threads nor its descriptors."""

import os
import socket
import threading
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Gauge, make_wsgi_app

from lib.adapters.metrics_server import PLACES, MetricsServer
from tests.browser.deployment import eventually

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

FLOOD = 200


def served(longest_s: float) -> MetricsServer:
    registry = CollectorRegistry()
    Gauge("shown", "something", registry=registry).set(7)
    made = MetricsServer("127.0.0.1", 0, make_wsgi_app(registry), longest_s)
    made.start()
    return made


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    made = served(longest_s=3_600)
    yield made
    made.shutdown()
    made.server_close()


def looked(server: MetricsServer) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=20) as answer:
        return str(answer.read().decode())


def sockets(server: MetricsServer, said: bytes, count: int) -> list[socket.socket]:
    found = [socket.create_connection(("127.0.0.1", server.server_port), timeout=20) for _ in range(count)]
    for one in found:
        one.sendall(said)
    return found


def serving() -> int:
    return sum("process_request_thread" in thread.name for thread in threading.enumerate())


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else len(os.listdir("/dev/fd"))


@pytest.mark.parametrize("said", [b"", b"GET /metrics HTTP/1.1\r\nX-A: b\r\n"], ids=["silent", "half a header"])
def test_a_crowd_that_says_nothing_gets_a_few_places_and_a_look_is_answered(server: MetricsServer, said: bytes) -> None:
    before = descriptors()
    crowd = sockets(server, said, FLOOD)
    try:
        assert "shown 7.0" in looked(server)
        eventually("the crowd is thrown out", lambda: serving() <= PLACES, 60)
        assert descriptors() - before <= FLOOD + 2 * PLACES
    finally:
        for one in crowd:
            one.close()


def test_who_dawdles_is_thrown_out_without_a_crowd() -> None:
    server = served(longest_s=0.2)
    try:
        [dawdler] = sockets(server, b"GET /metrics HTTP/1.1\r\n", 1)
        with dawdler:
            assert dawdler.recv(1) == b""
        assert "shown 7.0" in looked(server)
    finally:
        server.shutdown()
        server.server_close()
