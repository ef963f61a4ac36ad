"""The trader's public questions: closed candles of the feed, price and rules of the venue, and opened exchanges."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest

from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitAsyncMarket, BybitExchanges
from lib.adapters.vault import VaultOpener, VaultSealer, generate_keys
from lib.clock import SteppedClock
from lib.domain.account import Venue
from lib.domain.api_key import SealContext
from lib.domain.candle import MINUTE_MS, interval_ms
from lib.domain.errors import Pause, Retry
from lib.ports.exchange import Lane
from lib.ports.market import NotListed
from tests.adapters.scripted import KEY, NOW, ScriptedTransport, page, reply
from tests.adapters.test_wire import INSTRUMENT, POSITION
from tests.contract.exchange_worlds import START_BALANCE, in_process
from tests.factories import SYMBOL, T, order, trader_account

TICKER = {"symbol": SYMBOL, "lastPrice": "60000.1", "markPrice": "60001.2"}


def market_over(transport: ScriptedTransport, clock: SteppedClock | None = None) -> BybitAsyncMarket:
    clock = clock or SteppedClock(NOW)
    urls = {"paper": "http://venue.test"}
    return BybitAsyncMarket("http://feed.test", urls, lambda _: transport, clock, LocalLimiter(clock))  # type: ignore[arg-type]


@pytest.mark.parametrize("interval", ["1m", "5m"])
@pytest.mark.parametrize("limit", [1, 7])
async def test_the_newest_closed_candles_come_oldest_first_without_the_open_one(interval: str, limit: int) -> None:
    step = interval_ms(interval)
    async with in_process() as world:
        clock = world.clock
        market = BybitAsyncMarket("http://feed", {}, lambda _: world.transport, clock, LocalLimiter(clock))
        candles = await market.closed_candles(SYMBOL, interval, limit=limit)
        assert [c.open_time for c in candles] == [T - n * step for n in range(limit, 0, -1)]
        earlier = await market.closed_candles(SYMBOL, interval, end=T - 3 * step, limit=2)
        assert [c.open_time for c in earlier] == [T - 4 * step, T - 3 * step]


async def test_a_candle_closes_exactly_at_its_boundary() -> None:
    row = [str(T - MINUTE_MS), "1", "2", "0.5", "1.5", "3", "4"]
    for now, count in ((T - 1, 0), (T, 1)):
        market = market_over(ScriptedTransport(page(row, time=now)))
        assert len(await market.closed_candles(SYMBOL, "1m", limit=30)) == count


async def test_candles_are_asked_of_the_feed_and_prices_of_the_venue() -> None:
    asked: list[str] = []
    clock = SteppedClock(NOW)

    def transport_for(url: str) -> ScriptedTransport:
        asked.append(url)
        return ScriptedTransport(page(TICKER), page(TICKER))

    market = BybitAsyncMarket("http://feed", {"demo": "http://demo"}, transport_for, clock, LocalLimiter(clock))
    assert (await market.ticker("demo", SYMBOL)).last == Decimal("60000.1")
    assert (await market.ticker("demo", SYMBOL)).seen_at == NOW
    assert asked == ["http://feed", "http://demo"]
    with pytest.raises(Pause, match="venue_not_served venue=mainnet"):
        await market.ticker("mainnet", SYMBOL)


async def test_rules_are_asked_again_after_ten_minutes() -> None:
    clock = SteppedClock(NOW)
    changed = {**INSTRUMENT, "status": "Closed"}
    market = market_over(ScriptedTransport(page(INSTRUMENT), page(changed)), clock)
    assert (await market.instrument("paper", SYMBOL)).trading
    clock.advance_to(NOW + 600_000)
    assert (await market.instrument("paper", SYMBOL)).trading
    clock.advance_to(NOW + 600_001)
    assert not (await market.instrument("paper", SYMBOL)).trading


async def test_who_asks_for_a_price_within_a_second_shares_the_answer() -> None:
    clock = SteppedClock(NOW)
    later = {**TICKER, "lastPrice": "60100.0"}
    transport = ScriptedTransport(page(TICKER), page(later), page(later))
    market = market_over(transport, clock)
    crowd = await asyncio.gather(*(market.ticker("paper", SYMBOL) for _ in range(50)))
    assert {ticker.last for ticker in crowd} == {Decimal("60000.1")}
    clock.advance_to(NOW + 1_000)
    assert (await market.ticker("paper", SYMBOL)).last == Decimal("60000.1")
    assert len(transport.asked) == 1
    clock.advance_to(NOW + 1_001)
    assert (await market.ticker("paper", SYMBOL)).last == Decimal("60100.0")
    assert len(transport.asked) == 2


async def test_a_price_that_could_not_be_had_is_asked_for_again() -> None:
    market = market_over(ScriptedTransport(TimeoutError(), page(TICKER)))
    first, second = await asyncio.gather(*(market.ticker("paper", SYMBOL) for _ in range(2)), return_exceptions=True)
    assert isinstance(first, Retry)
    assert not isinstance(second, BaseException)


class Family(LocalLimiter):
    """A limiter that knows what it was asked to let pass."""

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__(clock)
        self.passed: list[tuple[str, str, Lane, bool]] = []
        self.over: list[Lane] = []

    def finished(self, lane: Lane) -> None:
        self.over.append(lane)

    async def admit(
        self, account: str, path: str, *, lane: Lane = "trade", urgent: bool = False, max_wait_s: float | None = None
    ) -> None:
        self.passed.append((account, path, lane, urgent))
        await super().admit(account, path, lane=lane, urgent=urgent, max_wait_s=max_wait_s)


class Families:
    """`Limits` with a limiter for each URL."""

    def __init__(self, clock: SteppedClock) -> None:
        self._clock = clock
        self.made: dict[str, Family] = {}

    def at(self, url: str) -> Family:
        return self.made.setdefault(url, Family(self._clock))


async def test_a_403_from_one_address_leaves_the_other_alone() -> None:
    clock = SteppedClock(NOW)
    limits = Families(clock)
    over = {
        "http://bybit": ScriptedTransport((403, {}, b"access too frequent")),
        "http://paper": ScriptedTransport(page(TICKER)),
    }
    urls = {"demo": "http://bybit", "paper": "http://paper"}
    market = BybitAsyncMarket("http://paper", urls, over.__getitem__, clock, limits)  # type: ignore[arg-type]
    with pytest.raises(Retry):
        await market.ticker("demo", SYMBOL)
    with pytest.raises(Retry, match="address_blocked"):
        await market.instrument("demo", SYMBOL)
    assert (await market.ticker("paper", SYMBOL)).last == Decimal("60000.1")
    assert len(over["http://bybit"].asked) == 1


@pytest.mark.parametrize("answer", [page(POSITION), TimeoutError(), reply(code=10003), (502, {}, b"<html>")])
async def test_a_call_is_over_whatever_became_of_it(answer: Exception | tuple[int, dict[str, str], bytes]) -> None:
    clock = SteppedClock(NOW)
    limits = Families(clock)
    transport = ScriptedTransport(answer, answer, answer, answer)
    urls: dict[Venue, str] = {"paper": "http://paper"}
    exchange = BybitExchanges(VaultOpener([generate_keys()[0]]), urls, lambda _: transport, clock, limits).of(
        "paper", "1", KEY
    )
    market = BybitAsyncMarket("http://paper", urls, lambda _: transport, clock, limits)
    with suppress(Retry, Pause):
        await exchange.position(SYMBOL)
    with suppress(Retry, Pause):
        await exchange.set_leverage(SYMBOL, 3)
    with suppress(Retry, Pause):
        await market.ticker("paper", SYMBOL)
    await exchange.send_order(exchange.sign_order(order(), NOW))
    limiter = limits.made["http://paper"]
    assert sorted(lane for _, _, lane, _ in limiter.passed) == sorted(limiter.over)
    assert len(limiter.over) == 5, "four calls and the venue's time"


async def test_an_account_calls_in_the_lane_it_was_opened_for() -> None:
    clock = SteppedClock(NOW)
    limits = Families(clock)
    exchanges = BybitExchanges(
        VaultOpener([generate_keys()[0]]),
        {"paper": "http://paper"},
        lambda _: ScriptedTransport(page(POSITION), reply(), reply()),
        clock,
        limits,
    )
    exchange = exchanges.of("paper", "1", KEY, "guard")
    await exchange.position(SYMBOL)
    await exchange.set_trading_stop(SYMBOL, Decimal(1), Decimal(2))
    assert [call for call in limits.made["http://paper"].passed if call[0]] == [
        ("paper:1", "/v5/position/list", "guard", False),
        ("paper:1", "/v5/position/trading-stop", "guard", True),
    ]


@pytest.mark.parametrize("answer", [reply(code=10001, message="symbol invalid"), page()])
async def test_an_unknown_symbol_is_that_symbols_trouble(answer: tuple[int, dict[str, str], bytes]) -> None:
    with pytest.raises(NotListed, match="DOGEBTC"):
        await market_over(ScriptedTransport(answer)).instrument("paper", "DOGEBTC")


@pytest.mark.parametrize(
    "answer", [TimeoutError(), (502, {}, b"<html>"), reply(code=10016), page(["x"]), reply({"list": 5})]
)
async def test_trouble_is_retry(answer: Exception | tuple[int, dict[str, str], bytes]) -> None:
    with pytest.raises(Retry):
        await market_over(ScriptedTransport(answer)).closed_candles(SYMBOL, "1m", limit=5)


# --- opened exchanges ------------------------------------------------------------------------------------------------


async def test_an_accounts_sealed_key_opens_its_exchange() -> None:
    private, public = generate_keys()
    async with in_process() as world:
        account = trader_account(uid="1000001")
        context = SealContext(account.user_id, account.venue, account.uid, account.key_version)
        sealed = VaultSealer(public).seal(world.key, context)
        exchanges = BybitExchanges(
            VaultOpener([private]), {"paper": "x"}, lambda _: world.transport, world.clock, LocalLimiter(world.clock)
        )
        opened = exchanges.open(replace(account, sealed_key=sealed))
        assert opened.uid == "1000001"
        assert (await opened.wallet()).balance == START_BALANCE
        with pytest.raises(Pause):
            exchanges.open(replace(account, sealed_key=sealed, uid="1000002"))
        with pytest.raises(Pause):
            exchanges.open(replace(account, sealed_key=sealed, key_version=2))


async def test_accounts_of_a_venue_share_its_clock() -> None:
    transport = ScriptedTransport(page(POSITION), page(POSITION))
    transport.server_ms = NOW + 5_000
    clock = SteppedClock(NOW)
    opener = VaultOpener([generate_keys()[0]])
    exchanges = BybitExchanges(opener, {"paper": "x"}, lambda _: transport, clock, LocalLimiter(clock))
    await exchanges.of("paper", "1", KEY).position(SYMBOL)
    transport.server_ms = 0  # asked a second time, the stamp would show it
    await exchanges.of("paper", "2", KEY).position(SYMBOL)
    assert {asked.headers["X-BAPI-TIMESTAMP"] for asked in transport.asked} == {str(NOW + 4_900)}


@pytest.mark.parametrize("code", [10017, 10032])
async def test_a_venue_that_does_not_offer_its_status_announces_nothing_and_is_not_asked_on(code: int) -> None:
    over = ScriptedTransport(reply(code=code, message="not offered"))
    market = market_over(over)
    assert [await market.maintenance("paper") for _ in range(3)] == [()] * 3
    assert len(over.asked) == 1


async def test_a_status_that_cannot_be_read_now_is_retry() -> None:
    with pytest.raises(Retry):
        await market_over(ScriptedTransport(reply(code=10016))).maintenance("paper")
