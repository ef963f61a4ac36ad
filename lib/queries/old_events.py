"""
What order events of older releases say. Their words are part of a hash chain, so they stay as they were written.

A frozen table: nothing is added to it. Sentences with figures in them are not here and are shown as they stand.
"""

from collections.abc import Mapping

from lib.domain import reason_codes as codes
from lib.domain.reason import TEXT, Code, Reason
from lib.domain.stored_reason import parse

OLD_WORDS: Mapping[str, Code] = {
    "already claimed": codes.ALREADY_CLAIMED,
    "another trader holds the lease": codes.LEASE_LOST,
    "the decision is too old": codes.DECISION_TOO_OLD,
    "whoever was to send it is gone": codes.SENDER_GONE,
    "trading is switched off": codes.TRADING_SWITCHED_OFF,
    "auto-trading is off": codes.AUTO_TRADING_OFF,
    "the account is deleted": codes.ACCOUNT_DELETED,
    "the account's venue does not trade on this feed": codes.FEED_DOES_NOT_FIT,
    "the API key changed": codes.KEY_CHANGED,
    "the settings changed": codes.SETTINGS_CHANGED,
    "refused three times": codes.REFUSED_THREE_TIMES,
    "our clock and the database's differ by more than a second": codes.CLOCKS_DIFFER,
    "the order's size or prices are not those that were signed": codes.TERMS_CHANGED,
    "claimed": codes.CLAIMED,
    "planned": codes.PLANNED,
    "sent": codes.SENT,
    "filled": codes.FILLED,
    "partial": codes.PARTIAL,
    "cancelled": codes.CANCELLED,
    "rejected": codes.REJECTED,
    "OK": codes.ACKNOWLEDGED,
    "the position is not proved closed": codes.POSITION_NOT_PROVED_CLOSED,
    "leverage or position is not what was asked for": codes.LEVERAGE_OR_POSITION_DIFFERS,
    "the decision behind it is gone": codes.DECISION_GONE,
    "no evidence is left after a day": codes.EVIDENCE_EXPIRED,
    "the exchange's clock proves it never arrived": codes.ABSENCE_PROVED,
    "found among executions": codes.FOUND_AMONG_EXECUTIONS,
    "the exchange has it": codes.EXCHANGE_HAS_IT,
    "no evidence yet": codes.NO_EVIDENCE_YET,
    "nobody could ask the exchange for a day": codes.NOBODY_COULD_ASK,
    "orphan adopted": codes.ORPHAN_ADOPTED,
    "an earlier order is not resolved yet": codes.EARLIER_ORDER_UNRESOLVED,
    "maintenance of the exchange: entries wait until it is over": codes.MAINTENANCE,
    "this account only goes long": codes.LONG_ONLY,
    "a position on this symbol is not ours": codes.EXTERNAL_POSITION,
    "an order on this symbol is not ours": codes.EXTERNAL_ORDER,
    "there is no equity": codes.NO_EQUITY,
    "there is no price": codes.NO_PRICE,
    "the platform's exposure limit leaves no room": codes.PLATFORM_EXPOSURE_FULL,
    "the price tick is too coarse for this stop and target": codes.TICK_TOO_COARSE,
    "below the venue's minimum: there is no free balance": codes.NO_FREE_BALANCE,
    "another close takes its place": codes.REPLACED_BY_ANOTHER_CLOSE,
    "less of the position is ours than was to be closed": codes.POSITION_SMALLER_THAN_CLOSE,
    "the account was switched to cross margin at the exchange: set it back to isolated margin": codes.CROSS_MARGIN,
    "the account was switched to portfolio margin at the exchange: set it back to isolated margin": (
        codes.PORTFOLIO_MARGIN
    ),
    "the account was switched to hedge mode at the exchange: set it back to one-way mode": codes.HEDGE_MODE,
}


def event_reason(written: str) -> Reason:
    """The reason in an event's column, written now or by an older release."""
    read = parse(written)
    code = OLD_WORDS.get(written) if TEXT.is_of(read) else None
    return read if code is None else code()
