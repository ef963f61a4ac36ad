"""Figures are shown on a thread of their own; a port that is taken costs the figures and nothing else."""

import socket
import urllib.request
from collections.abc import Iterator

import pytest

from lib.adapters.prometheus import PrometheusMetrics
from lib.bootstrap import measured
from lib.metrics import catalogue as m
from lib.settings import load

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port: int = holder.getsockname()[1]
    return port


def test_a_process_with_a_port_answers_there(free: int) -> None:
    with measured("trader", load({"METRICS_PORT_TRADER": str(free)})) as metrics:
        assert metrics is not None
        metrics.count(m.SENT, "accepted")
        with urllib.request.urlopen(f"http://127.0.0.1:{free}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    assert 'maemae_orders_sent_total{said="accepted"} 1.0' in text
    assert "maemae_order_claims_refused_total 0.0" in text


def test_a_port_that_is_taken_is_an_alert_and_the_process_goes_on(taken: int, caplog: pytest.LogCaptureFixture) -> None:
    with measured("trader", load({"METRICS_PORT_TRADER": str(taken)})) as metrics:
        assert metrics is not None
    assert "metrics.not_shown" in [record.message for record in caplog.records]


def test_without_a_port_nothing_listens_and_nothing_is_counted() -> None:
    with measured("trader", load({})) as metrics:
        assert metrics is None
    with measured("web", load({"METRICS_TOKEN": "a-token-of-the-watchers"})) as metrics:
        assert isinstance(metrics, PrometheusMetrics)
