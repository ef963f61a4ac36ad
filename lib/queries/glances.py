"""How a person's account stands, in the few figures a message has room for: `lib.ports.chat.Glances`."""

from decimal import Decimal

from lib.ports.chat import Glance, Glances, OpenNow
from lib.queries.money import MoneyReadings
from lib.queries.standing import StandingReadings
from lib.queries.values import Holding


class GlanceReadings(MoneyReadings, StandingReadings, Glances):
    """Of the active account of one person."""

    def glance(self, user_id: int) -> Glance | None:
        standing, tiles, held = self.standing(user_id), self.tiles(user_id), self.holding(user_id)
        if standing is None or tiles is None or held is None:
            return None
        own = standing.switches
        return Glance(
            account_id=standing.account_id,
            state=standing.state,
            why=standing.why,
            equity=tiles.equity,
            today=tiles.today,
            position=_open(held, tiles.open_pnl),
            closes=own.flatten,
            switched_ms=own.switched_ms,
            proven_ms=own.proven_ms,
        )


def _open(held: Holding, result: Decimal) -> OpenNow | None:
    if not held.position_qty:
        return None
    qty, way = abs(held.position_qty), held.position.direction
    return OpenNow(held.symbol, way, qty, held.avg_entry_price, held.stop_loss, result)
