"""Won for one USDT by date, for one person: their own and the platform's."""

import sqlalchemy as sa

from lib.adapters.sql.forms.krw_rates import own_won_rates
from lib.adapters.sql.ledger.rows import setting_rows
from lib.domain.platform_settings import krw_rates
from lib.domain.won_rates import WonRates
from lib.queries.reading import Reading


class WonReadings(Reading):
    """Of one person."""

    def won_rates(self, user_id: int) -> WonRates:
        """Every rate that is known for the person."""
        return self._read(lambda c: rates_of(c, user_id))


def rates_of(connection: sa.Connection, user_id: int) -> WonRates:
    """The same, within a reading."""
    return WonRates(own_won_rates(connection, user_id), krw_rates(setting_rows(connection)))
