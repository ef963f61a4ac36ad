"""No port is listened on here but where a test says so: what is shown is asked for directly."""

from collections.abc import Iterator

import pytest

from lib.adapters.prometheus import PrometheusMetrics
from tests.worlds.one_process import World


@pytest.fixture(autouse=True)
def _no_port(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("server") is None:
        monkeypatch.setattr(PrometheusMetrics, "serve", lambda self, host, port: None)


@pytest.fixture
def world() -> Iterator[World]:
    """A world with one account (id 1) of 10,000 USDT at medium risk, whose analyst buys."""
    made = World()
    made.add_account()
    yield made
    assert made.violations == []
