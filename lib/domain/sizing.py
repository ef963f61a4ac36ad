"""
How large an entry may be: quantity, leverage and prices inside every cap. Pure.

Code sizes, not the model. Caps are measured where the order may be filled worst, at the edge of its price collar: a
fill there loses at most the risk budget at the stop and stays inside the notional and margin caps. Every cap that
fired is recorded as a *Clamp* (asked, allowed). Fees, funding and slippage past the stop are not sized for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from lib.domain import reason_codes as codes
from lib.domain.account import AccountSettings
from lib.domain.decision import Decision
from lib.domain.instrument import Instrument
from lib.domain.margin import lowest_maintenance
from lib.domain.position import ZERO, Side
from lib.domain.reason import NOTHING, Reason
from lib.domain.stakes import Ceiling, Stake, ceiling_of, exposed, margins

COLLAR = Decimal("0.003")
"""An entry is an IOC limit at ref ± this fraction: a price collar by construction."""
MIN_STOP = Decimal("0.002")
MAX_STOP_DISTANCE = Decimal("0.05")
MAX_TARGET = Decimal("0.2")
MAX_REWARD = 10
"""A target farther away than this many stops, or than `MAX_TARGET`, is a slip of units (1 for 1 %): no entry."""
LIQUIDATION_ROOM = Decimal("0.01")
"""Leverage is kept so low that liquidation lies at least this fraction of the price beyond the stop."""

_ANY_LEVERAGE = 1_000_000

Prices = tuple[Decimal, Decimal, Decimal]
"""Limit, stop, target."""


@dataclass(frozen=True, slots=True)
class Clamp:
    """One cap having fired: *asked* became *allowed*."""

    name: str
    asked: str
    allowed: str


@dataclass(frozen=True, slots=True)
class Sizing:
    """An entry's size and prices, or why there is no entry (*qty* 0)."""

    qty: Decimal
    leverage: int
    limit_price: Decimal
    stop_loss: Decimal
    take_profit: Decimal
    why: Reason = NOTHING
    clamps: tuple[Clamp, ...] = ()
    ceiling: Ceiling | None = None
    """What the account may have at stake: judged again where the entry is written down."""


def unfit(decision: Decision) -> Reason:
    """Why no entry can have *decision*'s stop and target; `NOTHING` when an entry can."""
    stop, target = decision.stop_loss, decision.take_profit
    if not MIN_STOP <= stop <= MAX_STOP_DISTANCE:
        return codes.STOP_OUTSIDE(stop=stop, least=MIN_STOP, most=MAX_STOP_DISTANCE)
    if target <= COLLAR:
        return codes.TARGET_TOO_NEAR(target=target)
    most = min(MAX_TARGET, MAX_REWARD * stop)
    if target > most:
        return codes.TARGET_TOO_FAR(target=target, most=most, ever=MAX_TARGET)
    return NOTHING


def size_entry(  # noqa: PLR0913
    decision: Decision,
    side: Side,
    equity: Decimal,
    available: Decimal,
    settings: AccountSettings,
    instrument: Instrument,
    ref: Decimal,
    room: Decimal | None = None,
    others: Sequence[Stake] = (),
) -> Sizing:
    """
    Quantity, leverage and prices of an entry at the venue's last price *ref*.

    qty = floor(min(risk% x equity / distance from limit to stop, exposure cap / price, margin cap x leverage / price)),
    price being the dearer of ref and limit; *room* is the notional the platform has left in USDT (None = not asked),
    *others* what is at stake in the account's other symbols: both caps are over all of them.
    Leverage is the least of what the analyst, the person, the level, the instrument and the stop's distance from
    liquidation allow.
    """
    if (why := unfit(decision)) or ref <= 0:
        return _no_entry(why or codes.NO_PRICE(), 1, ())
    leverage, clamps = _leverage(decision, settings, instrument)
    prices = entry_prices(decision, side, instrument, ref)
    price = max(ref, prices[0])
    by_risk = settings.profile.risk_per_trade * equity / _worst_distance(decision, prices, ref)
    ceiling = ceiling_of(settings.limits, equity, available, others)
    beside = exposed(others, side, ceiling.correlation)
    caps = (
        ("max_exposure", max(ceiling.exposure - beside, ZERO) / price),
        ("max_margin", max(ceiling.margin - margins(others), ZERO) * leverage / price),
    )
    asked = instrument.floor_qty(by_risk)
    qty, cut = _capped(asked, (*caps, ("instrument", instrument.max_market_qty)), instrument)
    clamps = (*clamps, *cut)
    if why := _below_minimum(qty, equity, min(by_risk, *(cap for _, cap in caps)), instrument, ref):
        full = codes.EXPOSURE_FULL(exposure=beside, limit=ceiling.exposure)
        return _no_entry(full if beside and min(cap for _, cap in caps) < by_risk else why, leverage, clamps)
    if room is not None:
        qty, cut = _capped(qty, (("platform_exposure", room / price),), instrument)
        clamps = (*clamps, *cut)
    if qty < _least(instrument, ref):
        return _no_entry(codes.PLATFORM_EXPOSURE_FULL(), leverage, clamps)
    if not are_ordered(side, prices, ref):
        return _no_entry(codes.TICK_TOO_COARSE(), leverage, clamps)
    return Sizing(qty, leverage, *prices, clamps=clamps, ceiling=ceiling)


def _no_entry(why: Reason, leverage: int, clamps: tuple[Clamp, ...]) -> Sizing:
    return Sizing(ZERO, leverage, ZERO, ZERO, ZERO, why, clamps)


def entry_prices(decision: Decision, side: Side, instrument: Instrument, ref: Decimal) -> Prices:
    """Limit, stop and target of an entry of *decision* at the venue's last price *ref*, in USDT."""
    sign = 1 if side == "buy" else -1
    limit = _limit(side, instrument, ref)
    stop = instrument.round_price(ref * (1 - sign * decision.stop_loss))
    take = instrument.round_price(ref * (1 + sign * decision.take_profit))
    return limit, stop, take


def _limit(side: Side, instrument: Instrument, ref: Decimal) -> Decimal:
    if side == "buy":
        return instrument.floor_price(ref * (1 + COLLAR))
    return instrument.ceil_price(ref * (1 - COLLAR))


def are_ordered(side: Side, prices: Prices, ref: Decimal) -> bool:
    """Whether rounding to the tick left stop, limit and target on their sides of one another."""
    limit, stop, take = prices
    low, high = (stop, take) if side == "buy" else (take, stop)
    return 0 < low < min(ref, limit) <= max(ref, limit) < high


def _worst_distance(decision: Decision, prices: Prices, ref: Decimal) -> Decimal:
    """From the worst fill the limit allows to the stop, in USDT; rounding to a coarse tick never makes it shorter."""
    limit, stop, _ = prices
    return max(abs(limit - stop), ref * (COLLAR + decision.stop_loss))


def _capped(
    qty: Decimal, caps: tuple[tuple[str, Decimal], ...], instrument: Instrument
) -> tuple[Decimal, tuple[Clamp, ...]]:
    clamps = []
    for name, cap in caps:
        allowed = instrument.floor_qty(cap)
        if allowed < qty:
            clamps.append(Clamp(f"qty: {name}", str(qty), str(allowed)))
            qty = allowed
    return qty, tuple(clamps)


def _leverage(decision: Decision, settings: AccountSettings, instrument: Instrument) -> tuple[int, tuple[Clamp, ...]]:
    maintenance = lowest_maintenance(instrument.max_leverage)
    caps = (
        ("max_leverage", settings.max_leverage),
        ("risk_level", settings.profile.leverage_cap),
        ("instrument", int(instrument.max_leverage)),
        ("liquidation", int(1 / (decision.stop_loss + LIQUIDATION_ROOM + maintenance))),
    )
    leverage, clamps = decision.leverage, []
    for name, cap in caps:
        if leverage > cap:
            clamps.append(Clamp(f"leverage: {name}", str(leverage), str(max(cap, 1))))
            leverage = max(cap, 1)
    return leverage, tuple(clamps)


def _below_minimum(qty: Decimal, equity: Decimal, uncut: Decimal, instrument: Instrument, ref: Decimal) -> Reason:
    least = _least(instrument, ref)
    if qty >= least:
        return NOTHING
    if uncut <= 0:
        return codes.NO_FREE_BALANCE()
    needed = (equity * least / uncut).quantize(Decimal("0.01"), ROUND_CEILING)
    return codes.BELOW_MINIMUM(least=least, needed=needed)


def _least(instrument: Instrument, ref: Decimal) -> Decimal:
    # the venue measures notional at the limit price, which may lie a collar below ref
    return instrument.ceil_qty(max(instrument.min_qty, instrument.min_notional / (ref * (1 - COLLAR))))


# --- the least that can enter -----------------------------------------------------------------------------------------


def least_equity(
    settings: AccountSettings, instrument: Instrument, ref: Decimal, stop: Decimal = MIN_STOP
) -> Decimal | None:
    """
    The least equity in USDT, cents rounded up, with which an entry whose stop is at least *stop* away (a fraction of
    *ref*, the price now) can be placed; None when no equity is enough.

    Of a flat account with nothing else in it, for the side and the leverage that need least. `size_entry` finds no
    quantity below it, whatever the analyst says.
    """
    sides: tuple[Side, ...] = ("buy",) if settings.long_only else ("buy", "sell")
    found = (_least_equity(side, settings, instrument, ref, max(stop, MIN_STOP)) for side in sides)
    return min((needed for needed in found if needed is not None), default=None)


def _least_equity(
    side: Side, settings: AccountSettings, instrument: Instrument, ref: Decimal, stop: Decimal
) -> Decimal | None:
    stop, stop_price, limit = _nearest_stop(side, instrument, ref, stop)
    least, profile, limits = _least(instrument, ref), settings.profile, settings.limits
    leverage, _ = _leverage(Decision("buy", Decimal(1), _ANY_LEVERAGE, "", stop, stop), settings, instrument)
    shares = (profile.risk_per_trade, limits.max_exposure, limits.max_margin * leverage)
    if stop > MAX_STOP_DISTANCE or stop_price <= 0 or least > instrument.max_market_qty or min(shares) <= 0:
        return None
    price, distance = max(ref, limit), max(abs(limit - stop_price), ref * (COLLAR + stop))
    needed = max(least * each / share for each, share in zip((distance, price, price), shares, strict=True))
    return needed.quantize(Decimal("0.01"), ROUND_CEILING)


def _nearest_stop(side: Side, instrument: Instrument, ref: Decimal, stop: Decimal) -> Prices:
    """
    The nearest stop of at least *stop* that rounding leaves beyond price and limit: its fraction, its price, the limit.

    A tick that is coarse beside the price pushes the stop out.
    """
    sign = 1 if side == "buy" else -1
    limit, tick = _limit(side, instrument, ref), instrument.tick_size
    beyond = instrument.ceil_price(min(ref, limit)) - tick
    if side == "sell":
        beyond = instrument.floor_price(max(ref, limit)) + tick
    # half a tick before it still rounds to it
    stop = max(stop, (sign * (ref - beyond) - tick / 2) / ref)
    rounded = instrument.round_price(ref * (1 - sign * stop))
    return stop, min(rounded, beyond) if side == "buy" else max(rounded, beyond), limit
