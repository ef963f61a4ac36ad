"""The whole web over each kind of database, for who means harm."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from lib.bootstrap import WebSystem
from tests.effort import EFFORT
from tests.web.whole import entered, whole_system

AT_TIMES = ["sqlite", "mariadb"] if EFFORT.one_in == 1 else ["sqlite"]
"""What refuses another site's page does not ask what holds the rows: MariaDB has its turn at night."""


@dataclass(frozen=True, slots=True)
class Target:
    """A running web and its database."""

    client: TestClient
    system: WebSystem
    engine: sa.Engine


@pytest.fixture(params=["sqlite", "mariadb"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """A web of this test's own, as it runs; nobody is signed in."""
    with _target(request, tmp_path, hurried=True) as made:
        yield made


@pytest.fixture(params=["sqlite", "mariadb"])
def unpaced(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """The same without the paces of signing in, for who must try much."""
    with _target(request, tmp_path, hurried=False) as made:
        yield made


@pytest.fixture(params=AT_TIMES)
def unpaced_at_times(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """As `unpaced`, on each of `AT_TIMES`."""
    with _target(request, tmp_path, hurried=False) as made:
        yield made


@contextmanager
def _target(request: pytest.FixtureRequest, tmp_path: Path, *, hurried: bool) -> Iterator[Target]:
    url = None
    if request.param == "mariadb":
        url = request.getfixturevalue("new_mariadb")
    with whole_system(tmp_path, url, hurried=hurried) as (system, engine), entered(system, tmp_path) as client:
        yield Target(client, system, engine)
