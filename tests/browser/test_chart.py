"""The chart in a real browser: what it keeps, what it fetches, what it leaves behind."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from statistics import pstdev
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, Route, WebSocketRoute, expect

from app.i18n import catalogue
from app.live import row_of
from app.ui.assets import folder_address
from lib.domain.candle import MINUTE_MS, Candle
from lib.simulator.analyst.indicators import FAST, SLOW, ema, relative_strength
from lib.simulator.feeds import INSTRUMENTS
from lib.simulator.market.market import SyntheticMarket
from tests.browser.deployment import Deployment, eventually
from tests.browser.test_accessible import enter
from tests.browser.watching import FLAGS, Watched, chromium, watched
from tests.effort import EFFORT
from tests.fakes.market import run_of

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

WORDS = catalogue("en")
SWITCH = ".st-key-symbol"
CHART = "window.__charts.at(-1)"
LEGEND = ".tvchart-legend"
LATE = f"""(() => {{ const chart = {CHART}; chart.heard = performance.now() - 61_000; chart.describe();
  return chart.said === "late"; }})()"""
"""Nothing was heard for more than a minute."""
VISITS, WARM, A_VISIT = 20 if EFFORT.one_in == 1 else 10, 4, 40_000
"""The visits, the first that counts, and the bytes each may leave: the browser keeps history and timings."""
LOOK = f"""(() => {{ const range = {CHART}.api.timeScale().getVisibleLogicalRange(), bars = {CHART}.bars;
  const last = bars.length - 1, step = {CHART}.seconds;
  const at = (i) => i >= last ? bars[last].time + (i - last) * step : bars[0].time + i * step;
  return [at(range.from), at(range.to)].map(Math.round); }})()"""
"""The stretch of time in sight, in seconds as the axis has them; the synthetic market has no holes."""


@contextmanager
def dashboard(deployed: Deployment, browser: Browser) -> Iterator[tuple[Watched, Page]]:
    """A guest of this test's own before a chart that lives; nothing bad may happen until the end."""
    with watched(browser, deployed.url, "en-GB") as seen:
        page = seen.page()
        enter(seen.context, deployed.url, "en")
        page.goto(deployed.url)
        alive(page)
        yield seen, page
        seen.assert_clean()


def alive(page: Page) -> None:
    expect(page.locator(LEGEND)).to_contain_text(WORDS["chart.live"])


def of(page: Page, what: str) -> Any:
    """A property of the chart on the page."""
    return page.evaluate(f"{CHART}.{what}")


def choose(page: Page, step: str) -> None:
    page.locator(f".tvchart [data-step='{step}']").click()
    assert of(page, "step") == step


def see(page: Page, start: float, end: float) -> None:
    """As somebody drags and zooms: from bar *start* to bar *end*."""
    page.evaluate(f"{CHART}.api.timeScale().setVisibleLogicalRange({{ from: {start}, to: {end} }})")


def market(deployed: Deployment) -> SyntheticMarket:
    known = {name: INSTRUMENTS[name] for name in ("BTCUSDT", "ETHUSDT")}
    return SyntheticMarket(int(deployed.env["SIMULATOR_SEED"]), known)


def merged(source: SyntheticMarket, opened_s: int, minutes: int, symbol: str = "BTCUSDT") -> list[float]:
    """The bar of so many minutes as the market has them."""
    found = [source.candle(symbol, opened_s * 1000 + n * MINUTE_MS) for n in range(minutes)]
    parts = [candle for candle in found if candle]
    high, low = max(one.high for one in parts), min(one.low for one in parts)
    volume = sum((one.volume for one in parts), Decimal(0))
    return row_of(Candle(opened_s * 1000, parts[0].open, high, low, parts[-1].close, volume))


def row(page: Page, place: str) -> list[float]:
    """The bar at *place* as a row."""
    bar = of(page, f"bars.at({place})")
    return [bar[name] for name in ("time", "open", "high", "low", "close", "volume")]


def same(one: list[float], other: list[float]) -> bool:
    return one == pytest.approx(other, rel=1e-9)


# --- memory and redrawing ---------------------------------------------------------------------------------------------


def charts_in_memory(page: Page, tools: CDPSession) -> int:
    """How many charts the browser holds after a collection, mounted or not."""
    tools.send("HeapProfiler.collectGarbage")
    prototype = tools.send("Runtime.evaluate", {"expression": "window.__kind"})["result"]["objectId"]
    found = tools.send("Runtime.queryObjects", {"prototypeObjectId": prototype})["objects"]["objectId"]
    length = {"objectId": found, "functionDeclaration": "function () { return this.length }", "returnByValue": True}
    return int(tools.send("Runtime.callFunctionOn", length)["result"]["value"])


@contextmanager
def interpreting(browser: Browser) -> Iterator[Browser]:
    """
    Another Chromium, which compiles nothing: code compiled as it grows hot is most of what a heap gains over twenty
    visits , ends by itself and would hide what a page leaves behind.
    """
    another = browser.browser_type.launch(executable_path=chromium(), args=[*FLAGS, "--js-flags=--jitless"])
    try:
        yield another
    finally:
        another.close()


def test_visits_leave_no_chart_no_socket_and_no_memory_behind(deployed: Deployment, browser: Browser) -> None:
    with interpreting(browser) as plain, dashboard(deployed, plain) as (seen, page):
        tools = seen.context.new_cdp_session(page)
        page.evaluate(f"window.__kind = Object.getPrototypeOf({CHART})")
        used = []
        for _ in range(VISITS):
            page.get_by_role("link", name=WORDS["page.trade_logs"]).first.click()
            expect(page.get_by_role("heading", name=WORDS["page.trade_logs"])).to_be_visible()
            eventually("the chart is gone", lambda: page.evaluate("window.__charts.length") == 0, 10)
            tools.send("HeapProfiler.collectGarbage")
            used.append(tools.send("Runtime.getHeapUsage")["usedSize"])
            page.get_by_role("link", name=WORDS["page.dashboard"]).first.click()
            alive(page)
            assert page.evaluate("window.__charts.length") == 1
        # the newest that went may still be held by what the front end remembers of its page
        assert charts_in_memory(page, tools) <= 3
        # the least of each half: between them the newest page that went is held or not
        half = (VISITS - WARM) // 2
        grown = (min(used[-half:]) - min(used[WARM : WARM + half])) / half
        assert grown < A_VISIT, used


def test_ticks_draw_a_bar_and_never_all_of_them(deployed: Deployment, browser: Browser) -> None:
    with dashboard(deployed, browser) as (_, page):
        draws, ticks = of(page, "draws"), of(page, "ticks")
        eventually("ticks come", lambda: of(page, "ticks") > ticks + 15, 90)
        assert of(page, "draws") == draws


# --- the view ---------------------------------------------------------------------------------------------------------


def test_an_interval_changes_in_the_browser_and_shows_the_same_time(deployed: Deployment, browser: Browser) -> None:
    with dashboard(deployed, browser) as (seen, page):
        see(page, 1000, 2400)
        eventually("it is noted", lambda: of(page, "view.wish?.right"), 5)
        looked = page.evaluate(LOOK)
        count = f"(() => {{ {CHART}.chooseStep('15m'); return {CHART}.bars.length }})()"
        assert 300 < page.evaluate(count) < 400, "at once, out of what is at hand"
        expect(page).to_have_url(re.compile(r"[?&]step=15m"))
        for step in ("15m", "5m", "3m", "15m"):
            choose(page, step)
            there = page.evaluate(LOOK)
            assert there == pytest.approx(looked, abs=of(page, "seconds"))
        # a day's bars: the same time, and more of what was before
        choose(page, "1d")
        assert page.evaluate(LOOK)[1] == pytest.approx(looked[1], abs=86_400)
        choose(page, "1m")
        assert page.evaluate(LOOK) == looked

        eventually("ticks come", lambda: of(page, "ticks") > 8, 60)
        assert page.evaluate(LOOK) == looked
        choose(page, "5m")
        there = page.evaluate(LOOK)
        page.reload()
        alive(page)
        assert of(page, "step") == "5m"
        eventually("the same time is in sight", lambda: page.evaluate(LOOK) == pytest.approx(there, abs=300), 10)

        # the server starts anew under the open page
        deployed.running["web"].send_signal(signal.SIGTERM)
        deployed.running["web"].wait(20)
        expect(page.locator(LEGEND)).to_contain_text(WORDS["chart.closed"])
        deployed.start("web")
        expect(page.locator(LEGEND)).to_contain_text(WORDS["chart.live"], timeout=120_000)
        seen.errors.clear()  # what a browser notes of a server that is away
        assert page.evaluate(LOOK) == pytest.approx(there, abs=300)
        assert of(page, "step") == "5m"

        page.locator(".tvchart .now").click()
        expect(page.locator(".tvchart .now")).to_be_hidden()
        page.goto(f"{deployed.url}/?step=1h")
        alive(page)
        assert of(page, "step") == "1h"


def test_another_symbol_shows_the_same_time_and_is_kept_by_the_address(deployed: Deployment, browser: Browser) -> None:
    source = market(deployed)
    with dashboard(deployed, browser) as (_, page):
        choose(page, "5m")
        see(page, 300, 500)
        eventually("it is noted", lambda: of(page, "view.wish?.right"), 5)
        looked = page.evaluate(LOOK)
        assert page.locator(SWITCH).get_by_role("radio").all_inner_texts() == ["BTCUSDT", "ETHUSDT"]
        place = page.locator(".tvchart").bounding_box()
        for symbol in ("ETHUSDT", "BTCUSDT", "ETHUSDT"):
            page.locator(SWITCH).get_by_role("radio", name=symbol).click()
            expect(page.locator(".tvchart .symbol")).to_have_text(symbol)
            alive(page)
            eventually("its bars are there", lambda: of(page, "bars.length") > 900, 30)
            assert page.evaluate(LOOK) == looked
            assert of(page, "step") == "5m"
            opened = int(row(page, "400")[0])
            assert same(row(page, "400"), merged(source, opened, 5, symbol)), "it is that symbol's candles"
            assert page.locator(".tvchart").bounding_box() == place, "nothing jumps"
            expect(page.locator(".position .flat")).to_contain_text(symbol)
            expect(page.locator(".st-key-bar .symbol")).to_have_text(symbol)
        expect(page).to_have_url(re.compile(r"[?&]symbol=ETHUSDT"))
        ticks = of(page, "ticks")
        eventually("ticks come", lambda: of(page, "ticks") > ticks + 2, 60)
        assert page.evaluate(LOOK) == looked

        page.reload()
        alive(page)
        expect(page.locator(".tvchart .symbol")).to_have_text("ETHUSDT")
        expect(page.locator(SWITCH).get_by_role("radio", name="ETHUSDT")).to_be_checked()
        eventually("the same time is in sight", lambda: page.evaluate(LOOK) == pytest.approx(looked, abs=300), 30)


# --- older candles ----------------------------------------------------------------------------------------------------


def test_scrolling_to_the_left_brings_the_exchanges_own_older_candles(deployed: Deployment, browser: Browser) -> None:
    source = market(deployed)
    with dashboard(deployed, browser) as (seen, page):
        first = of(page, "bars.length")
        newest = page.evaluate(LOOK)
        see(page, 5, 155)
        # a range is taken up with the next frame
        eventually("the chart is there", lambda: page.evaluate(LOOK) != newest, 5)
        looked = page.evaluate(LOOK)
        eventually("older minutes come", lambda: of(page, "bars.length") >= first + 300, 90)
        assert page.evaluate(LOOK) == looked, "what is in sight stays there"
        assert all(same(row(page, at), merged(source, int(row(page, at)[0]), 1)) for at in ("0", "200", "700"))
        times = [bar["time"] for bar in of(page, "bars")]
        assert times == list(range(times[0], times[0] + 60 * len(times), 60)), "no hole where they meet"

        choose(page, "1h")
        eventually("hours of weeks come", lambda: of(page, "bars.length") > 200, 120)
        assert all(same(row(page, at), merged(source, int(row(page, at)[0]), 60)) for at in ("0", "-90", "-80", "-3"))
        # the newest bar moves with the ticks of the minute
        eventually("it is the live price", lambda: of(page, "bars.at(-1).close") == of(page, "last.close"), 5)
        ticks = of(page, "ticks")
        eventually("ticks come", lambda: of(page, "ticks") > ticks + 3, 60)

        # an exchange that is away: said, and tried again by a button
        refused: list[str] = []

        def refuse(route: Route) -> None:
            refused.append(route.request.url)
            route.fulfill(status=503, json={"error": "refuse.busy", "params": {}})

        page.route("**/api/kline/history*", refuse)
        known = of(page, "bars.length")
        see(page, -10, 100)
        pill = page.locator(".tvchart .pill")
        expect(pill).to_contain_text(WORDS["chart.older_failed"])
        assert refused
        page.unroute("**/api/kline/history*")
        pill.get_by_role("button", name=WORDS["chart.retry"]).click()
        eventually("they come after all", lambda: of(page, "bars.length") > known, 120)
        seen.errors = [error for error in seen.errors if "/api/kline/history" not in error]


# --- what it says -----------------------------------------------------------------------------------------------------


def test_the_lines_are_the_analysts_formulas(deployed: Deployment, browser: Browser) -> None:
    candles = run_of(120)
    closes = [one.close for one in candles]
    with watched(browser, deployed.url, "en-GB") as seen:
        page = seen.page()
        page.goto(deployed.url)
        read = """async ([url, rows]) => {
          const of = await import(url);
          const bars = rows.map(([time, open, high, low, close, volume]) => ({ time, open, high, low, close, volume }));
          const all = (make) => { const out = []; make(bars.slice(0, 60), out, 0); make(bars, out, 59); return out; };
          return {
            fast: all((b, out, from) => of.ema(b, of.FAST, out, from)),
            slow: all((b, out, from) => of.ema(b, of.SLOW, out, from)),
            rsi: all((b, out, from) => of.rsi(b, of.RSI_SPAN, out, from)),
            bands: all((b, out, from) => of.bollinger(b, of.BAND_SPAN, of.BAND_WIDTH, out, from)),
            vwap: all((b, out, from) => of.vwap(b, 32400, out, from)).map((one) => one.value),
          };
        }"""
        shifted = [[row_of(one)[0] + 32_400, *row_of(one)[1:]] for one in candles]
        said = page.evaluate(read, [f"{folder_address('chart')}/indicators.mjs", shifted])
    assert said["fast"] == pytest.approx([float(value) for value in ema(closes, FAST)])
    assert said["slow"] == pytest.approx([float(value) for value in ema(closes, SLOW)])
    assert said["rsi"][:14] == [None] * 14
    for n in range(14, len(candles)):
        assert said["rsi"][n] == pytest.approx(float(relative_strength(closes[: n + 1])))
    assert said["bands"][:19] == [None] * 19
    for n in range(19, len(candles)):
        window = closes[n - 19 : n + 1]
        middle, reach = sum(window, Decimal(0)) / 20, 2 * Decimal(pstdev(window))
        wanted = {"middle": float(middle), "upper": float(middle + reach), "lower": float(middle - reach)}
        assert said["bands"][n] == pytest.approx(wanted)
    assert said["vwap"] == pytest.approx([float(value) for value in day_vwap(candles)])


def day_vwap(candles: list[Candle]) -> list[Decimal]:
    """Volume-weighted mean of the typical price since midnight UTC."""
    found, paid, traded, today = [], Decimal(0), Decimal(0), -1
    for one in candles:
        if one.open_time // 86_400_000 != today:
            paid, traded, today = Decimal(0), Decimal(0), one.open_time // 86_400_000
        paid += (one.high + one.low + one.close) / 3 * one.volume
        traded += one.volume
        found.append(paid / traded)
    return found


def test_indicators_are_remembered_and_all_of_it_can_be_read_and_done_by_keyboard(
    deployed: Deployment, browser: Browser
) -> None:
    with dashboard(deployed, browser) as (_, page):
        page.get_by_role("button", name=WORDS["chart.indicators"]).press("Enter")
        for name in ("rsi", "bollinger", "vwap"):
            page.get_by_role("menuitemcheckbox", name=WORDS[f"chart.with_{name}"]).press("Enter")
        page.keyboard.press("Escape")
        expect(page.locator(".tvchart .menu")).to_be_hidden()
        expect(page.locator(LEGEND)).to_contain_text("RSI 14")
        page.reload()
        alive(page)
        expect(page.locator(LEGEND)).to_contain_text("VWAP")
        assert len(page.evaluate(f"{CHART}.api.panes().map(() => 1)")) == 2

        name = WORDS["chart.name"].format(symbol="BTCUSDT", step="1m")
        expect(page.get_by_role("group", name=name)).to_be_visible()
        stage = page.get_by_role("application", name=name)
        stage.focus()
        before = page.evaluate(LOOK)
        stage.press("ArrowLeft")
        eventually("it moves", lambda: page.evaluate(LOOK)[0] < before[0], 5)
        stage.press("End")
        eventually("it comes back", lambda: page.evaluate(LOOK)[1] >= before[1], 5)

        page.get_by_role("button", name=WORDS["chart.table"]).press("Enter")
        table = page.get_by_role("table").filter(has_text=name)
        cells = table.get_by_role("row").nth(2).get_by_role("cell").all_inner_texts()
        bar = of(page, "bars.at(-2)")
        assert cells[4] == f"{bar['close']:,.1f}"
        assert re.fullmatch(r"\d{1,2} [A-Z][a-z]{2} 20\d\d \d\d:\d\d", cells[0])
        page.get_by_role("button", name=WORDS["chart.table"]).press("Enter")
        expect(table).to_be_hidden()

        page.get_by_role("button", name=WORDS["chart.full"]).click()
        eventually("it fills the screen", lambda: of(page, "frame.clientHeight") >= 990, 5)
        page.get_by_role("button", name=WORDS["chart.leave_full"]).click()
        eventually("and no longer", lambda: of(page, "frame.clientHeight") < 700, 5)


def test_candles_that_cannot_be_had_are_said_and_asked_for_again(deployed: Deployment, browser: Browser) -> None:
    with watched(browser, deployed.url, "en-GB") as seen:
        page = seen.page()
        page.route("**/api/kline?*", lambda route: route.fulfill(status=503, json={"error": "refuse.busy"}))
        enter(seen.context, deployed.url, "en")
        page.goto(deployed.url)
        veil = page.locator(".tvchart .veil")
        expect(veil).to_contain_text(WORDS["chart.failed"])
        page.unroute("**/api/kline?*")
        veil.get_by_role("button", name=WORDS["chart.retry"]).click()
        alive(page)
        expect(veil).to_be_hidden()


def test_prices_that_stopped_coming_are_called_delayed_until_one_comes(deployed: Deployment, browser: Browser) -> None:
    with watched(browser, deployed.url, "en-GB") as seen:
        page, quiet = seen.page(), False

        def through(socket: WebSocketRoute) -> None:
            server = socket.connect_to_server()
            server.on_message(lambda message: None if quiet else socket.send(message))

        page.route_web_socket(re.compile(r"/api/ws\?"), through)
        enter(seen.context, deployed.url, "en")
        page.goto(deployed.url)
        alive(page)
        quiet = True
        # more than a minute ago; what was on its way when it went quiet is heard first
        eventually("they are late", lambda: page.evaluate(LATE), 20)
        expect(page.locator(LEGEND)).to_contain_text(WORDS["chart.late"])
        quiet = False
        alive(page)
        expect(page.locator(LEGEND)).not_to_contain_text(WORDS["chart.late"])
        seen.assert_clean()
