"""A first visit weighs what it may, fetches no file twice and nothing from elsewhere, and nothing of the door moves."""

from collections import Counter

import pytest
from playwright.sync_api import Browser, expect

from app.i18n import catalogue
from tests.browser.deployment import Deployment
from tests.browser.watching import watched
from tests.browser.weighing import Weighed

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

DOOR_BYTES = 1_100_000
BOTH_BYTES = 1_400_000
"""Of the 1.2 and 2.2 MB promised; a file met before it is packed tightly weighs some per cent more than after."""
SETTLED_MS = 2_000
FILES = ("/static/", "/assets/", "/favicon.png")


def test_a_first_visit_weighs_what_it_may_and_fetches_each_file_once(deployed: Deployment, browser: Browser) -> None:
    with watched(browser, deployed.url, "ko-KR") as seen:
        page = seen.page()
        weighed = Weighed(page)
        page.goto(deployed.url)
        page.locator(".door form").wait_for()
        page.wait_for_timeout(SETTLED_MS)
        assert weighed.total <= DOOR_BYTES, sorted((one.size, one.path) for one in weighed.sent)[-10:]
        assert weighed.shift() < 0.05, weighed.shifts()

        page.locator(".door .quick button").first.click()
        expect(page.locator(".tvchart-legend")).to_contain_text(catalogue("ko")["chart.live"])
        page.wait_for_timeout(SETTLED_MS)
        assert weighed.total <= BOTH_BYTES, sorted((one.size, one.path) for one in weighed.sent)[-10:]
        times = Counter(one.url for one in weighed.sent if one.path.startswith(FILES))
        assert not [url for url, count in times.items() if count > 1]
        page.goto(deployed.url)
        page.locator(".tvchart-legend").wait_for()
        assert Counter(one.url for one in weighed.sent if one.path.startswith(FILES)) == times
        seen.assert_clean()
