"""
A refusal of Bybit's as a reason and as a value: its meaning to the owner of a key.

The reason is ours, with Bybit's code in it; the value keeps Bybit's own words, cut and without secrets. Codes that are
not listed are told in Bybit's words. A gateway's HTTP 5xx is no answer: it is trouble on the way, like silence.
A process's reaction to a code is in `codes`.
https://bybit-exchange.github.io/docs/v5/error
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from lib import log
from lib.adapters.bybit.codes import FORBIDDEN, Kind, kind_of
from lib.domain import reason_codes as codes
from lib.domain.decision import clean_text
from lib.domain.reason import Code, Reason, text
from lib.domain.venue_answer import LONGEST_TEXT, MOST_REASONS, VenueAnswer

MARGIN_MODE_FAILED = 3400045
"""The code under which a refused margin mode is told, whatever code its reasons came under."""
WRONG_ADDRESS = 10010
"""The key is bound to addresses, and ours is not among them."""
MOST_BODY = 65_536
_PASSING = frozenset({Kind.BUSY, Kind.CLOCK, Kind.MAYBE})
_COUNTRY = ("country", "region", "cloudfront", "geo")
"""Words on the page of an HTTP 403 that is about the server's country, and not about how often it called."""
_TOO_OFTEN = "access too frequent"

MEANINGS: Mapping[Code, tuple[int, ...]] = {
    codes.BYBIT_KEY_UNKNOWN: (10003,),
    codes.BYBIT_KEY_EXPIRED: (33004, -2015),
    codes.BYBIT_SECRET_WRONG: (10004,),
    codes.BYBIT_KEY_LACKS_RIGHT: (10005,),
    codes.BYBIT_KEY_OWNER_UNKNOWN: (10007,),
    codes.BYBIT_RESTRICTED: (10008,),
    codes.BYBIT_REGION: (10009,),
    codes.BYBIT_WRONG_ADDRESS: (10010,),
    codes.BYBIT_COMPLIANCE: (10024,),
    codes.BYBIT_BANNED: (10027,),
    codes.BYBIT_NEEDS_UNIFIED: (10028, 110088, 500011),
    codes.BYBIT_NOT_FOR_UNIFIED: (100028, 110067),
    codes.BYBIT_SYMBOL_NOT_ALLOWED: (10029,),
    codes.BYBIT_NOT_FOR_DEMO: (10032,),
    codes.BYBIT_POSITION_OPEN: (110024, 3400208),
    codes.BYBIT_ORDERS_OPEN: (110028, 3400052, 3400053, 3400054),
    codes.BYBIT_NO_TRADING_NOW: (110066,),
    codes.BYBIT_TERMS: (110123, 110125),
    codes.BYBIT_COOLING_OFF: (110124,),
    codes.BYBIT_PRODUCT_REGION: (110132,),
    codes.BYBIT_MARGIN_MODE: (110073, 3400045, 182110),
    codes.BYBIT_TOO_LITTLE: (3400071,),
    codes.BYBIT_RISK_TOO_HIGH: (3400210, 3400211, 3400213, 182108),
    codes.BYBIT_COPY_TRADING: (3401010,),
    codes.BYBIT_LOAN: (3200320,),
    codes.BYBIT_COLLATERAL: (3200641,),
    codes.BYBIT_UPGRADING: (3100197,),
    codes.BYBIT_ACCOUNT_TOO_OFTEN: (10006,),
    codes.BYBIT_SERVER_TOO_OFTEN: (10018,),
    codes.BYBIT_CLOCK: (10002, -1),
    codes.BYBIT_BUSY: (429, 10429, 10000, 10016, 10019, 3400214),
    codes.BYBIT_FULL_HOUR: (3400209, 3400212),
}
MEANING_OF: Mapping[int, Code] = {number: code for code, numbers in MEANINGS.items() for number in numbers}

_OF_STATUS = {401: codes.BYBIT_KEY_REFUSED()}
_COUNTRY_403 = codes.BYBIT_COUNTRY()
_OFTEN_403 = codes.BYBIT_SERVER_BLOCKED()
_EITHER_403 = codes.BYBIT_FORBIDDEN()


def blocked_answer() -> VenueAnswer:
    """The answer that stands for Bybit's while our address keeps silence after an HTTP 403."""
    return VenueAnswer(FORBIDDEN, _OFTEN_403, is_http=True, passing=True)


def answer_of(status: int, body: bytes, hide: Iterable[str] = ()) -> VenueAnswer | None:
    """
    The refusal in a response other than success; None for a gateway's 5xx.

    *hide* are texts that the answer must not hold, whatever the venue echoes: the key and its secret.
    """
    if status >= 500:
        return None
    secrets = tuple(text for text in hide if text)
    found = _decoded(body)
    reasons = _reasons(found.get("result"), secrets)
    code = _code(found) or (MARGIN_MODE_FAILED if reasons else 0)
    if status == FORBIDDEN or not code:
        return _of_page(status, body)
    text = _cut(found.get("retMsg"), secrets)
    passing = kind_of(code, 200, text) in _PASSING and not reasons
    why = _meaning(code, codes.BYBIT_ERROR(code=code, said=text))
    bound = code == WRONG_ADDRESS
    return VenueAnswer(code, why, text, reasons, passing=passing, is_bound_elsewhere=bound)


def _code(found: Mapping[str, Any]) -> int:
    code = found.get("retCode")
    return code if isinstance(code, int) and not isinstance(code, bool) else 0


def _meaning(code: int, otherwise: Reason) -> Reason:
    known = MEANING_OF.get(code)
    return known(code=code) if known else otherwise


def _of_page(status: int, body: bytes) -> VenueAnswer:
    """The refusal in a page that is not Bybit's usual answer: its subject, never its markup."""
    said = _forbidden(body) if status == FORBIDDEN else _OF_STATUS.get(status, codes.BYBIT_HTTP(status=status))
    return VenueAnswer(status, said, is_http=True, passing=status in (200, FORBIDDEN, 429))


def _forbidden(body: bytes) -> Reason:
    told = body[:MOST_BODY].decode(errors="replace").lower()
    if _TOO_OFTEN in told:
        return _OFTEN_403
    return _COUNTRY_403 if any(word in told for word in _COUNTRY) else _EITHER_403


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body[:MOST_BODY])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _reasons(result: object, secrets: tuple[str, ...]) -> tuple[VenueAnswer, ...]:
    """`result.reasons`: the reasons that the venue lists under a refused margin mode."""
    listed = result.get("reasons") if isinstance(result, dict) else None
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    return tuple(_reason(row, secrets) for row in rows[:MOST_REASONS])


def _reason(row: Mapping[str, Any], secrets: tuple[str, ...]) -> VenueAnswer:
    written = str(row.get("reasonCode", ""))[:12]
    code = int(written) if written.removeprefix("-").isascii() and written.removeprefix("-").isdigit() else 0
    said = _cut(row.get("reasonMsg"), secrets)
    return VenueAnswer(code, _meaning(code, codes.BYBIT_SAYS(code=code, said=said) if code else text(said)), said)


def _cut(text: object, secrets: tuple[str, ...]) -> str:
    said = text if isinstance(text, str) else ""
    for secret in secrets:
        said = said.replace(secret, "••••")
    return log.redact(clean_text(said, LONGEST_TEXT))
