"""The trader's public questions: closed candles of the feed, price and rules of the venue, and opened exchanges."""

from dataclasses import replace
from decimal import Decimal

import pytest

from lib.adapters.bybit.exchanges import BybitAsyncMarket, BybitExchanges
from lib.adapters.bybit.limiter import LocalLimiter
from lib.adapters.vault import VaultOpener, VaultSealer, generate_keys
from lib.clock import SteppedClock
from lib.domain.candle import MINUTE_MS, interval_ms
from lib.domain.errors import Halt, Pause, Retry
from lib.ports import SealContext
from tests.adapters.scripted import KEY, NOW, ScriptedTransport, page, reply
from tests.adapters.test_wire import INSTRUMENT, POSITION
from tests.contract.exchange_worlds import START_BALANCE, in_process
from tests.factories import SYMBOL, T, trader_account

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
    with pytest.raises(Pause, match="does not trade on mainnet"):
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


@pytest.mark.parametrize("answer", [reply(code=10001, message="symbol invalid"), page()])
async def test_an_unknown_symbol_halts_with_one_line(answer: tuple[int, dict[str, str], bytes]) -> None:
    with pytest.raises(Halt, match="DOGEBTC"):
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
