"""One deployment and one browser for the tests of this folder; each test is a person of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.deployment import Deployment, deployment
from tests.browser.watching import chromium, running_browser

FOLDER = Path(__file__).parent
FIRST = "/test_browser.py::test_a_newcomer_sees_"
"""Needs the first minutes of a deployment; whoever comes later pays for one of their own."""

expect.set_options(timeout=20_000)
"""A deadline on a busy machine, not a rhythm."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of this folder's tests FIRST comes first; those of other folders stay where they are."""
    places = [place for place, item in enumerate(items) if item.path.parent == FOLDER]
    ours = sorted((items[place] for place in places), key=lambda item: FIRST not in item.nodeid)
    for place, item in zip(places, ours, strict=True):
        items[place] = item


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    binary = chromium()
    if binary is None:
        pytest.skip("NO CHROMIUM: install it or set TEST_CHROMIUM; the browser tests did not run")
    with running_browser(binary) as running:
        yield running


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The running system."""
    with deployment(tmp_path_factory.mktemp("deployed")) as running:
        yield running
