"""
The costs of a fill: the trading fee in the coin the account pays fees with, and the tax of the account's country.

Most accounts pay in USDT and no tax. An account that pays in MNT does so while it has enough MNT, else in USDT, as at
Bybit. A tax is a share of the fee, taken in the fee's coin. Exact in USDT; another coin's amounts keep eight decimals.
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
"""By a tax's type: its sub-type, and its share of the trading fee."""
FINEST = Decimal("1E-8")
BORN_WITH = Decimal(50)
"""A new account's balance of its fee coin beside USDT: enough for a while, so that running out happens too."""


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
    """The coin an account pays its fees in, and the tax it is charged ("" = none)."""

    coin: str = USDT
    tax: str = ""

    def __post_init__(self) -> None:
        if self.coin not in PRICES or self.tax not in TAXES:
            raise ValueError(f"fees are paid in {', '.join(PRICES)}; taxes are {', '.join(filter(None, TAXES))}")

    @property
    def tax_share(self) -> Decimal:
        """The tax as a share of the fee."""
        return TAXES[self.tax][1]


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one fill: *fee* and taxes in *coin*."""

    coin: str
    rate: Decimal
    fee: Decimal
    extra: tuple[ExtraFee, ...] = ()

    @property
    def total(self) -> Decimal:
        """Fee and taxes together, in *coin*."""
        return self.fee + sum((part.fee for part in self.extra), ZERO)


def cost(terms: FeeTerms, has: Mapping[str, Decimal], value: Decimal, rate: Decimal) -> Cost:
    """The cost of a fill of *value* USDT at *rate* for an account on *terms*; *has* are its other coins' balances."""
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
