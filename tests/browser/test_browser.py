"""What a newcomer does in the first minute, and what is left for anybody after signing out."""

import json
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from app.i18n import catalogue
from app.visit import PLAIN_COOKIE
from lib.adapters.sql.tables.trading import fills, trade_logs
from lib.domain.candle import MINUTE_MS
from tests.browser.deployment import Deployment, deployment, eventually
from tests.browser.test_accessible import enter
from tests.browser.watching import Watched, watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

NEWEST_CHART = "window.__charts?.findLast((chart) => !chart.dead)"
CLOSE = f"{NEWEST_CHART}.last.close"
NEWEST_OUTCOME = "[data-testid=stDataFrame] [role=gridcell]#glide-cell-1-0"
NEWEST_IN_THE_LOG = "[data-testid=stDataFrame] [role=gridcell]#glide-cell-2-0"
"""The log names the symbol first."""
"""A grid is drawn; its cells' texts are kept beside it for screen readers. Second column, first row."""
LEGEND = ".tvchart-legend"
ANSWERED_MS = 30_000
GONE_MS = 12_000
"""An open page asks every five seconds whether its session still lives."""


@pytest.fixture
def moving(deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """
    A deployment in its first minutes, in which the analyst wants a position and nobody traded.

    The folder's shared one is in them for whoever comes first (see conftest.py); later its market does as it likes.
    """
    if deployed.is_new and not traded(deployed):
        yield deployed
        return
    with deployment(tmp_path_factory.mktemp("moving")) as running:
        yield running


def traded(deployed: Deployment) -> bool:
    """Whether anybody's cycle has come to an end in it."""
    with deployed.engine.connect() as connection:
        return connection.execute(sa.select(trade_logs.c.id).limit(1)).first() is not None


def come_in(page: Page, url: str, words: dict[str, str]) -> None:
    """From the front door to an own paper account by one click."""
    page.goto(url)
    page.get_by_role("button", name=words["sign_in.try"]).click()
    see_the_chart(page, words)


def be_in(page: Page, url: str, language: str) -> None:
    """On the dashboard of a guest who reads *language*, without the door: for tests of what is behind it."""
    enter(page.context, url, language)
    page.goto(url)
    see_the_chart(page, catalogue(language))


def see_the_chart(page: Page, words: dict[str, str]) -> None:
    """Wait until the chart stands and prices come."""
    expect(page.locator(".tvchart canvas").first).to_be_visible()
    expect(page.locator(LEGEND)).to_contain_text(words["chart.live"])


def picture(page: Page) -> str:
    """The chart as it is drawn now."""
    return str(page.evaluate(f"{NEWEST_CHART}.api.takeScreenshot().toDataURL()"))


def see_it_move(page: Page, seen: Watched) -> None:
    """A price that came by our WebSocket is the price in the chart, and the drawing changed with it."""
    legend, before = page.locator(LEGEND), picture(page)
    for _ in range(2):
        expect(legend).not_to_have_text(legend.inner_text())
    eventually("the price came by our socket", lambda: page.evaluate(CLOSE) in closes(seen), 10)
    eventually("the drawing changes", lambda: picture(page) != before, 10)


def closes(seen: Watched) -> set[float]:
    """Every closing price our WebSocket brought."""
    return {row[4] for frame in seen.frames for row in json.loads(frame)["rows"]}


def test_a_newcomer_sees_the_chart_move_switches_on_asks_and_reads_the_answer_and_the_results(
    moving: Deployment, browser: Browser
) -> None:
    words = catalogue("ko")
    with watched(browser, moving.url, "ko-KR") as seen:
        page = seen.page()
        come_in(page, moving.url, words)
        see_it_move(page, seen)

        page.get_by_text(words["control.auto_trade"], exact=True).click()
        expect(page.get_by_text(words["control.auto_on"])).to_be_visible()
        page.get_by_role("button", name=words["control.ask_now"]).click()
        expect(page.get_by_text(words["control.asked"])).to_be_visible()
        outcomes = re.compile("|".join(words[f"outcome.{one}"] for one in ("bought", "sold")))
        expect(page.locator(NEWEST_OUTCOME)).to_have_text(outcomes, timeout=ANSWERED_MS)

        open_by_its_mark(page, words)
        expect(page.locator(NEWEST_OUTCOME)).to_have_text(outcomes)

        for _ in "from the dashboard", "from the log":
            click_newest(page)
            expect(page).to_have_url(re.compile(r"/trade_logs\?(.*&)?log=\d+"))
            expect(page.locator(".st-key-detail")).to_be_in_viewport()
            expect(page.locator(".st-key-detail")).to_contain_text(words["detail.view"])
            drawn(page)
            page.locator(".st-key-close button").click()
            expect(page.locator(".st-key-detail")).to_have_count(0)

        page.get_by_role("link", name=words["page.dashboard"]).first.click()
        page.get_by_role("link", name=words["decisions.all"]).click()
        expect(page.get_by_role("heading", name=words["page.trade_logs"])).to_be_visible()
        expect(page.locator(NEWEST_IN_THE_LOG)).to_have_text(outcomes)
        logged = the_log(moving)
        assert logged["outcome"] in ("bought", "sold")
        assert logged["t_ms"] % MINUTE_MS == 0
        page.goto(f"{moving.url}/trade_logs?log={logged['id']}")
        expect(page.get_by_role("heading", name=words[f"outcome.{logged['outcome']}"])).to_be_visible()
        read_the_results(page, moving, words)
        seen.assert_clean()


def read_the_results(page: Page, moving: Deployment, words: dict[str, str]) -> None:
    """The results have the position that was opened, and what the exchange executed."""
    with moving.engine.connect() as connection:
        [executed] = connection.execute(sa.select(fills).where(fills.c.kind == "trade")).mappings()
    page.get_by_role("link", name=words["page.results"]).first.click()
    for table, text in (("positions", "BTCUSDT"), ("fills", executed["exec_id"])):
        page.get_by_role("radio", name=words[f"table.{table}"], exact=True).click()
        row = page.locator("[data-testid=stDataFrame] [role=gridcell][id$='-0']")
        expect(row.get_by_text(text, exact=True)).to_be_attached()


MARK = f"""(() => {{ const chart = {NEWEST_CHART}, id = [...chart.marks.groups.keys()].at(-1);
  if (!id) return null;
  const [time, kind] = id.split(" "), bar = chart.bars.find((one) => one.time === Number(time));
  const box = chart.stage.getBoundingClientRect(), long = kind === "buy";
  return [box.x + chart.api.timeScale().timeToCoordinate(bar.time),
    box.y + chart.candles.priceToCoordinate(long ? bar.low : bar.high) + (long ? 16 : -16)]; }})()"""
"""Where the newest mark is drawn."""


def open_by_its_mark(page: Page, words: dict[str, str]) -> None:
    """The order is marked in the chart: the mark tells what and why, and a click opens the decision."""
    eventually("the order is marked", lambda: page.evaluate(MARK), 20)
    page.locator(".tvchart").scroll_into_view_if_needed()
    x, y = page.evaluate(MARK)
    page.mouse.move(x - 30, y)
    page.mouse.move(x, y)
    tip = page.locator(".tvchart .tip")
    expect(tip).to_contain_text(re.compile("|".join(words[f"mark.{one}"] for one in ("bought", "sold"))))
    expect(tip).to_contain_text(words["chart.mark_open"])
    page.mouse.click(x, y)
    expect(page).to_have_url(re.compile(r"/trade_logs\?(.*&)?log=\d+"))
    expect(page.locator(".st-key-detail")).to_contain_text(words["detail.view"])
    page.go_back()
    expect(page.locator(LEGEND)).to_contain_text(words["chart.live"])


def drawn(page: Page) -> None:
    """Wait until the script behind the page has ended: what is clicked while it draws may be drawn away."""
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")


def click_newest(page: Page) -> None:
    """A click on the reason in the first row of the table: the grid is drawn, so it is a click at a place."""
    table = page.locator("[data-testid=stDataFrame]").last
    table.scroll_into_view_if_needed()
    expect(page.locator(NEWEST_OUTCOME)).to_have_count(1)
    table.click(position={"x": 520, "y": 52})


def the_log(deployed: Deployment) -> sa.RowMapping:
    with deployed.engine.connect() as connection:
        return connection.execute(sa.select(trade_logs)).mappings().one()


def test_after_signing_out_neither_back_nor_the_old_cookie_nor_another_tab_shows_anything(
    deployed: Deployment, browser: Browser
) -> None:
    words = catalogue("en")
    with watched(browser, deployed.url, "en-GB") as seen:
        page, other = seen.page(), seen.page()
        come_in(page, deployed.url, words)
        other.goto(deployed.url)
        expect(other.locator(LEGEND)).to_contain_text(words["chart.live"])
        (cookie,) = [one for one in seen.context.cookies() if one["name"] == PLAIN_COOKIE]
        assert cookie["httpOnly"]
        assert page.evaluate("document.cookie").count(cookie["value"]) == 0

        page.get_by_role("link", name=words["page.trade_logs"]).first.click()
        expect(page.get_by_role("heading", name=words["page.trade_logs"])).to_be_visible()
        page.locator(".st-key-me button").click()
        page.get_by_role("button", name=words["top.sign_out"], exact=True).click()
        page.get_by_role("button", name=words["top.leave.yes"], exact=True).click()  # a guest is asked
        at_the_door(page, words)
        page.go_back()
        at_the_door(page, words)
        expect(other.get_by_role("button", name=words["sign_in.try"])).to_be_visible(timeout=GONE_MS)
        at_the_door(other, words)
        seen.assert_clean()
    with watched(browser, deployed.url, "en-GB") as thief:
        thief.context.add_cookies([{"name": PLAIN_COOKIE, "value": cookie["value"], "url": deployed.url}])
        page = thief.page()
        page.goto(f"{deployed.url}/trade_logs")
        at_the_door(page, words)
        for path in ("/api/auth/me", "/api/logs", "/api/kline", "/api/settings", "/api/apikey"):
            assert page.request.get(deployed.url + path).status == 401
        assert page.evaluate(SOCKET_CODE, deployed.url.replace("http", "ws") + "/api/ws") == 4401
        thief.assert_clean()


SOCKET_CODE = "(url) => new Promise((done) => { new WebSocket(url).onclose = (event) => done(event.code); })"


def at_the_door(page: Page, words: dict[str, str]) -> None:
    """The front door and nothing of anybody's."""
    expect(page.get_by_role("button", name=words["sign_in.try"])).to_be_visible()
    expect(page.locator(".tvchart, .st-key-control, .st-key-top, [data-testid=stDataFrame]")).to_have_count(0)
    assert "guest-" not in page.content()
