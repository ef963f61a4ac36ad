"""
The meaning of Bybit's answers: every retCode and HTTP status, in one table.

A code has a *kind* (what happened); kind and direction give the *reaction*. For a read, trouble is always "retry" or
"pause": a read changes nothing. For a write, a request that might have taken effect is "unknown", and only a query
decides. A code that is not listed is never ignored: unknown for writes, retry for reads, and an alert for both. The
reply to an order is read more strictly than other writes (`send_outcome`). Above this folder no code is interpreted.
https://bybit-exchange.github.io/docs/v5/error
"""

from collections.abc import Mapping
from enum import StrEnum

from lib.domain.order import SendOutcome


class Kind(StrEnum):
    """What an answer says happened."""

    OK = "ok"
    BUSY = "busy"
    """The request was refused before any effect; the same request may be made later."""
    CLOCK = "clock"
    """Our timestamp was outside the window; refused before any effect."""
    MAYBE = "maybe"
    """The request may or may not have taken effect."""
    OWNER = "owner"
    """The key or the account is at fault; no request works until its owner acts."""
    MARKET = "market"
    """A price, size, margin or limit rule refused the request."""
    OURS = "ours"
    """Our request is malformed: a bug, or a rule the venue changed."""


class Reaction(StrEnum):
    """What the caller does: go on, raise Retry, raise Pause, or hand back an outcome."""

    OK = "ok"
    RETRY = "retry"
    PAUSE = "pause"
    REJECT = "reject"
    UNKNOWN = "unknown"


GROUPS: Mapping[Kind, tuple[int, ...]] = {
    Kind.OK: (0, 110008, 110010, 110025, 110026, 110027, 110029, 110043, 34040),
    Kind.BUSY: (10006, 10018, 10019, 110079, 3400209, 3400212),
    Kind.CLOCK: (-1, 10002),
    Kind.MAYBE: (429, 10429, 10000, 10014, 10016, 110001, 110072, 170141, 12141, 3400214),
    Kind.OWNER: (
        *(10003, 33004, -2015, 10007, 10004, 10005, 10008, 10009, 10010, 10024, 10027, 10028, 10029, 10032),
        *(110024, 110028, 110066, 110067, 110073, 110088, 100028, 110123, 110124, 110125, 110132, 182108, 182110),
        *(3400045, 3400052, 3400053, 3400054, 3400071, 3400208, 3400210, 3400211, 3400213, 3401010),
        *(3100197, 3200320, 3200641, 500011),
    ),
    Kind.MARKET: (
        *(110003, 110120, 110121, 30208, 30209, 110004, 110006, 110007, 110012, 110044, 110045),
        *(110051, 110052, 110053, 110009, 110020, 110061, 110011, 110039, 110040, 110046),
        *(110013, 110036, 110038, 110086, 110090, 110017, 130125, 110021, 110023, 30228, 110042, 110074),
        *(110092, 110093, 110094, 110118, 3400139),
    ),
    Kind.OURS: (10001, 10017),
}
KINDS: Mapping[int, Kind] = {code: kind for kind, codes in GROUPS.items() for code in codes}

FORBIDDEN = 403
"""The HTTP status of two refusals: an address that called too often, and a country that is not served."""
ADDRESS_BLOCKED = 10018
"""The older form of HTTP 403: our address called too often."""
_REPORTED = frozenset({110009, 110020, 110061, 110021, 110023, 30228, 110042, 110074})
"""Refusals a person should know of: orders have piled up, or the contract is being closed to new positions."""

_EARLY = frozenset({10002, 10006})
"""An order's timestamp outside the window, and too many requests of its account: nothing was executed."""
_REFUSALS = frozenset({Kind.BUSY, Kind.CLOCK, Kind.OWNER, Kind.MARKET, Kind.OURS})

_READS: Mapping[Kind, Reaction] = {
    Kind.OK: Reaction.OK,
    Kind.OWNER: Reaction.PAUSE,
}
_WRITES: Mapping[Kind, Reaction] = {
    Kind.OK: Reaction.OK,
    Kind.BUSY: Reaction.RETRY,
    Kind.CLOCK: Reaction.RETRY,
    Kind.MAYBE: Reaction.UNKNOWN,
    Kind.OWNER: Reaction.PAUSE,
    Kind.MARKET: Reaction.REJECT,
    Kind.OURS: Reaction.REJECT,
}


def kind_of(code: int | None, http_status: int, message: str = "") -> Kind | None:
    """The kind of an answer; None = not in the table. *code* None = the body was not readable."""
    if http_status != 200:
        return _http_kind(http_status)
    if code is None:
        return Kind.MAYBE
    if code == 10001 and "position idx not match position mode" in message.lower():
        return Kind.OWNER
    return KINDS.get(code)


def _http_kind(status: int) -> Kind | None:
    if status >= 500 or status == 429:
        return Kind.MAYBE
    return {401: Kind.OWNER, 403: Kind.BUSY, 404: Kind.OURS}.get(status)


def reaction(code: int | None, http_status: int, is_write: bool, message: str = "") -> Reaction:
    """The reaction to an answer; the module's docstring tells of reads and writes."""
    kind = kind_of(code, http_status, message)
    if is_write:
        return Reaction.UNKNOWN if kind is None else _WRITES[kind]
    return Reaction.RETRY if kind is None else _READS.get(kind, Reaction.RETRY)


def send_outcome(code: int) -> SendOutcome:
    """
    The outcome of an order by retCode *code* of its readable reply.

    Only an order that Bybit refuses before executing anything may be signed again under the same id: few codes, by
    name. "Already so" is no acknowledgement of an order.
    """
    if code == 0:
        return SendOutcome.ACCEPTED
    if code in _EARLY:
        return SendOutcome.REFUSED_EARLY
    return SendOutcome.REFUSED if KINDS.get(code) in _REFUSALS else SendOutcome.UNKNOWN


def alarming(code: int | None, http_status: int, message: str = "") -> bool:
    """Whether to alert: a code that is not listed, a request of ours called malformed, a contract being closed."""
    return kind_of(code, http_status, message) in (None, Kind.OURS) or (http_status == 200 and code in _REPORTED)
