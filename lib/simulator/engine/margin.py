"""
When a position is liquidated, and at what price it is taken over: isolated, and cross over a whole account.

Isolated: a position stands for itself, with its initial margin and what its owner added to it. Cross (every mode but
ISOLATED_MARGIN): all positions stand on the account's equity, and all are liquidated when that falls to the sum of
their maintenance margins. Initial and maintenance margin are reckoned on the entry value in both modes. Portfolio
margin is not simulated: it counts as cross.
"""

from decimal import ROUND_DOWN, Decimal

from lib.domain.margin import bankruptcy_price, initial_margin, liquidation_price
from lib.domain.position import ZERO, Position
from lib.simulator.engine.accounts import Account, Holding
from lib.simulator.engine.books import Books


def liquidation_edge(books: Books, account: Account, holding: Holding) -> Decimal:
    """The price at which the open position of *holding* is liquidated while all others stand still; 0 = at none."""
    if account.is_isolated:
        edge = liquidation_price(holding.position, books.config.maintenance_rate)
        return max(edge - _added(holding), ZERO)
    position = holding.position
    others = books.open_profit(account, but=position.symbol)
    missing = maintenance(books, account) - account.cash - others
    return max(position.avg_entry_price + missing / position.qty, ZERO)


def bust_price(holding: Holding) -> Decimal:
    """The price at which an isolated position has lost its margin and what was added to it."""
    return max(bankruptcy_price(holding.position) - _added(holding), ZERO)


def _added(holding: Holding) -> Decimal:
    """How far the margin added to a position moves its prices, towards a fall of a long and a rise of a short."""
    return holding.extra_margin / holding.position.qty


def maintenance(books: Books, account: Account) -> Decimal:
    """The maintenance margins of all positions."""
    rate = books.config.maintenance_rate
    return sum((abs(h.position.qty) * h.position.avg_entry_price * rate for h in account.holdings.values()), ZERO)


def exhausting_price(books: Books, account: Account, position: Position) -> Decimal:
    """The price, on the tick, at which closing *position* leaves no cash, and takes none that is not there."""
    fee, size = books.fee_rate(account), abs(position.qty)
    instrument, value = books.instrument(position.symbol), abs(position.qty) * position.avg_entry_price
    if position.qty > 0:
        return max(instrument.ceil_price((value - account.cash) / (size * (1 - fee))), instrument.tick_size)
    return max(instrument.floor_price((value + account.cash) / (size * (1 + fee))), instrument.tick_size)


def replenish(books: Books, account: Account, symbol: str) -> bool:
    """Add its initial margin again to a position whose owner wants that; False when there is nothing to add."""
    holding = books.holding(account, symbol)
    if not (holding.auto_margin and account.is_isolated):
        return False
    wanted = initial_margin(holding.position, books.fee_rate(account))
    amount = min(wanted, books.available(account)).quantize(Decimal("1E-8"), ROUND_DOWN)
    if amount <= 0:
        return False
    holding.extra_margin += amount
    books.moved(account, symbol)
    return True
