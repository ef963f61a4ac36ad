"""The collector, wired."""

from lib.adapters.bybit.limits.steps import Steps
from lib.adapters.bybit.rest.market_data import BybitMarketData
from lib.adapters.bybit.stream.kline_stream import BybitKlineStream, KlineTimings
from lib.bootstrap import stores
from lib.bootstrap.metrics import read_candles
from lib.clock import SystemClock
from lib.market.collector import Collector, CollectorPlan
from lib.market.measuring import Measuring
from lib.market.newsroom import Newsroom
from lib.market.sight import KEPT
from lib.ports.metrics import Metrics
from lib.settings import VERSION, Settings


def collector(settings: Settings, metrics: Metrics | None = None) -> Collector:
    """The candle collector of this deployment's feed; *metrics* are its figures."""
    plan = CollectorPlan(settings.feed_name, settings.symbols, settings.intervals, version=VERSION, wide=KEPT)
    market = BybitMarketData(settings.bybit_api_url, ban=stores.traders_ban(settings), steps=Steps())
    timings = KlineTimings(stale_after=settings.stale_after_s)
    stream = BybitKlineStream(settings.bybit_ws_url, plan.streamed, timings=timings) if plan.streamed else None
    store = stores.candle_store(settings)
    read_candles(metrics, store)
    clock = SystemClock()
    measuring = Measuring(plan.symbols, market, stores.measures(settings), clock)
    made = Collector(plan, store, market, stream, clock, measuring)
    if settings.news_feeds:
        # loaded where somebody named feeds: the parser and its HTTP client are nobody else's
        from lib.adapters.news.feeds import FeedSources

        made.read_news(Newsroom(FeedSources(settings.news_feeds), stores.news(settings), clock))
    return made
