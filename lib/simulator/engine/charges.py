"""
What a fill costs its account: the trading fee in the coin it pays fees with, and its country's tax beside it.

Most accounts pay in USDT and no tax. One that pays in MNT does so while it has enough of it, else in USDT, as Bybit
does. A tax is a share of the fee, taken in the fee's coin. Exact in USDT; another coin's amounts keep eight decimals.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from lib.domain.position import ZERO

USDT = "USDT"
PRICES: Mapping[str, Decimal] = {USDT: Decimal(1), "MNT": Decimal("1.2056")}
"""USDT for one of each coin a fee can be paid in."""
TAXES: Mapping[str, tuple[str, Decimal]] = {
    "": ("", ZERO),
    "GST": ("IND_GST", Decimal("0.18")),
    "VAT": ("ARE_VAT", Decimal("0.05")),
}
"""By type: its sub-type, and its share of the trading fee."""
FINEST = Decimal("1E-8")
BORN_WITH = Decimal(50)
"""Of the coin it pays fees in, beside USDT: enough for a while, so that running out of it is met too."""


@dataclass(frozen=True, slots=True)
class ExtraFee:
    """One entry of *extraFees*."""

    coin: str
    kind: str
    sub_kind: str
    rate: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """In which coin an account pays its fees, and which tax it is charged ("" = none)."""

    coin: str = USDT
    tax: str = ""

    def __post_init__(self) -> None:
        if self.coin not in PRICES or self.tax not in TAXES:
            raise ValueError(f"fees are paid in {', '.join(PRICES)}; taxes are {', '.join(filter(None, TAXES))}")

    @property
    def tax_share(self) -> Decimal:
        """What the tax adds to the fee, as a share of it."""
        return TAXES[self.tax][1]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one fill costs: *fee* and taxes of *coin*."""

    coin: str
    rate: Decimal
    fee: Decimal
    extra: tuple[ExtraFee, ...] = ()

    @property
    def total(self) -> Decimal:
        """All of it, in its coin."""
        return self.fee + sum((part.fee for part in self.extra), ZERO)


def cost(terms: FeeTerms, has: Mapping[str, Decimal], value: Decimal, rate: Decimal) -> Cost:
    """What a fill of *value* USDT at *rate* costs an account on *terms* that *has* so much of other coins."""
    wanted = _in_coin(terms, value, rate, terms.coin)
    if terms.coin != USDT and wanted.total > has.get(terms.coin, ZERO):
        return _in_coin(terms, value, rate, USDT)
    return wanted


def _in_coin(terms: FeeTerms, value: Decimal, rate: Decimal, coin: str) -> Cost:
    if not terms.tax:
        return Cost(coin, rate, _amount(value * rate, coin))
    sub_kind, share = TAXES[terms.tax]
    tax = ExtraFee(coin, terms.tax, sub_kind, rate * share, _amount(value * rate * share, coin))
    return Cost(coin, rate, _amount(value * rate, coin), (tax,))


def _amount(in_usdt: Decimal, coin: str) -> Decimal:
    return in_usdt if coin == USDT else (in_usdt / PRICES[coin]).quantize(FINEST)
