"""One deployment and one browser for the tests of this folder; each test is a person of its own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.deployment import Deployment, deployment
from tests.browser.watching import chromium, running_browser

expect.set_options(timeout=20_000)
"""A deadline on a busy machine, not a rhythm."""


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
