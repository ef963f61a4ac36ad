"""
Bybit's announcements of maintenance, from the wire to `Maintenance`.

Kept are announcements under way or to come that touch contracts (product 1), trading or its services (service types),
and the venue asked about (env 1 = production, 2 = demo). A missing or empty field touches everything; a row that cannot
be read is left out: an unreadable announcement must not stop any account.
https://bybit-exchange.github.io/docs/v5/system-status
"""

from typing import Any

from lib import log
from lib.adapters.bybit.rest.wire import Envelope, Row
from lib.domain.account import Venue
from lib.domain.maintenance import Maintenance

PATH = "/v5/system/status"
ONGOING, SCHEDULED = "ongoing", "scheduled"
CONTRACTS = 1
TRADING = frozenset({1, 2, 5})
"""Trading, trading by HTTP, market data; streams alone (3, 4) keep no entry off."""
ENV: dict[Venue, int] = {"mainnet": 1, "demo": 2}
LONGEST_YEAR_9999_MS = 253_402_300_799_000
_log = log.get("bybit")


def maintenance_from(envelope: Envelope, venue: Venue) -> tuple[Maintenance, ...]:
    """The maintenance that *venue* announces and that is not over."""
    found = []
    for row in envelope.rows:
        try:
            if _is_ours(row, venue):
                found.append(_read(row))
        except (KeyError, TypeError, ValueError) as problem:
            _log.warning("bybit.status_unread", why=type(problem).__name__)
    return tuple(found)


def _is_ours(row: Row, venue: Venue) -> bool:
    products, services, env = _numbers(row, "product"), _numbers(row, "serviceTypes"), row.get("env")
    return (
        row.get("state") in (ONGOING, SCHEDULED)
        and (not products or CONTRACTS in products)
        and (not services or bool(TRADING & services))
        and (env is None or venue not in ENV or int(env) == ENV[venue])
    )


def _read(row: Row) -> Maintenance:
    ends = row.get("uidSuffix") or []
    return Maintenance(
        begin_ms=_moment(row.get("begin")),
        end_ms=_moment(row.get("end")),
        is_ongoing=row["state"] == ONGOING,
        uid_ends=tuple(str(int(end)) for end in ends),
    )


def _numbers(row: Row, name: str) -> frozenset[int]:
    return frozenset(int(one) for one in row.get(name) or [])


def _moment(value: Any) -> int:
    """The moment in epoch ms; 0 for a blank one."""
    at_ms = int(value or 0)
    if not 0 <= at_ms <= LONGEST_YEAR_9999_MS:
        raise ValueError("no time of this calendar")
    return at_ms
