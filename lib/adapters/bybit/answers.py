"""
A refusal of Bybit's as one plain sentence and as a value: which answers mean what to the owner of a key.

The sentence is ours, with Bybit's code behind it; the value keeps Bybit's own words, cut and without secrets. Codes
that nobody listed are told in Bybit's words. A gateway's HTTP 5xx is no answer: it is trouble on the way, like silence.
What a process does about a code is `codes`, not here.
https://bybit-exchange.github.io/docs/v5/error
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from lib import log
from lib.adapters.bybit.codes import FORBIDDEN, Kind, kind_of
from lib.domain.decision import clean_text
from lib.domain.venue_answer import LONGEST_TEXT, MOST_REASONS, VenueAnswer

MARGIN_MODE_FAILED = 3400045
"""What a margin mode that was not set is told as, whatever code its reasons came under."""
WRONG_ADDRESS = 10010
"""The key is bound to addresses, and ours is not among them."""
MOST_BODY = 65_536
_PASSING = frozenset({Kind.BUSY, Kind.CLOCK, Kind.MAYBE})
_COUNTRY = ("country", "region", "cloudfront", "geo")
"""What the page of an HTTP 403 says when it is about where the server stands, and not about how often it asked."""
_TOO_OFTEN = "access too frequent"

SENTENCES: Mapping[str, tuple[int, ...]] = {
    "Bybit does not know this API key: it is wrong, deleted, or made on another site or in another environment": (
        10003,
    ),
    "the API key has expired": (33004, -2015),
    "the API secret does not fit the API key": (10004,),
    "the API key lacks a right that is needed here": (10005,),
    "Bybit could not tell whose API key this is": (10007,),
    "Bybit has restricted this account: look for its message there": (10008,),
    "Bybit does not serve the region of this account or server": (10009,),
    "the API key is bound to IP addresses, and this server's is not among them": (10010,),
    "Bybit's compliance rules stop this account: look for its message there": (10024,),
    "Bybit has banned trading on this account": (10027,),
    "this needs a unified trading account: upgrade it at Bybit first": (10028, 110088, 500011),
    "Bybit does not offer this to unified trading accounts": (100028, 110067),
    "the symbol is not on the API key's list of symbols": (10029,),
    "Bybit does not offer this to demo trading accounts": (10032,),
    "the account has an open position: close it at Bybit first": (110024, 3400208),
    "the account has open orders: cancel them at Bybit first": (110028, 3400052, 3400053, 3400054),
    "Bybit allows this account no trading now": (110066,),
    "the trading terms at Bybit have not been accepted": (110123, 110125),
    "the account is in a cooling-off period at Bybit": (110124,),
    "the product is not offered in the account's region": (110132,),
    "Bybit did not change the account's margin mode": (110073, 3400045, 182110),
    "the account holds too little for this": (3400071,),
    "the account's risk is too high for this": (3400210, 3400211, 3400213, 182108),
    "a copy trading account cannot be switched": (3401010,),
    "a loan at Bybit stops this": (3200320,),
    "the account's collateral stops this": (3200641,),
    "Bybit is upgrading this account: try again later": (3100197,),
    "Bybit has had too many calls for this account: try again in a moment": (10006,),
    "Bybit has had too many calls from this server: it stays silent for ten minutes": (10018,),
    "this server's clock is not Bybit's: whoever runs the server must set it": (10002, -1),
    "Bybit is busy or being maintained: try again in a few minutes": (429, 10429, 10000, 10016, 10019, 3400214),
    "Bybit does not do this around the full hour: try again in ten minutes": (3400209, 3400212),
}
SENTENCE_OF: Mapping[int, str] = {code: sentence for sentence, codes in SENTENCES.items() for code in codes}

_OF_STATUS = {401: "Bybit refuses the key (HTTP 401)"}
_COUNTRY_403 = "Bybit does not serve the country this server's address is in (HTTP 403)"
_OFTEN_403 = "Bybit has had too many calls from this server: it stays silent for ten minutes (HTTP 403)"
_EITHER_403 = "Bybit answers HTTP 403: too many requests from this address, or a region it does not serve"


def blocked_answer() -> VenueAnswer:
    """What stands for Bybit's word while our address keeps the silence it asked for."""
    return VenueAnswer(FORBIDDEN, _OFTEN_403, is_http=True, passing=True)


def answer_of(status: int, body: bytes, hide: Iterable[str] = ()) -> VenueAnswer | None:
    """
    What a response other than success says; None for a gateway's 5xx.

    *hide* are texts that must not stand in it, whatever the venue echoes: the key and its secret.
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
    sentence = _sentence(code, f"Bybit answers {code}: {text}")
    bound = code == WRONG_ADDRESS
    return VenueAnswer(code, sentence, text, reasons, passing=passing, is_bound_elsewhere=bound)


def _code(found: Mapping[str, Any]) -> int:
    code = found.get("retCode")
    return code if isinstance(code, int) and not isinstance(code, bool) else 0


def _sentence(code: int, otherwise: str) -> str:
    known = SENTENCE_OF.get(code)
    return f"{known} ({code})" if known else otherwise


def _of_page(status: int, body: bytes) -> VenueAnswer:
    """A page that is not Bybit's usual answer: what it is about, never its markup."""
    said = _forbidden(body) if status == FORBIDDEN else _OF_STATUS.get(status, f"Bybit answers HTTP {status}")
    return VenueAnswer(status, said, is_http=True, passing=status in (200, FORBIDDEN, 429))


def _forbidden(body: bytes) -> str:
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
    """`result.reasons`: what the venue lists under a refused margin mode."""
    listed = result.get("reasons") if isinstance(result, dict) else None
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    return tuple(_reason(row, secrets) for row in rows[:MOST_REASONS])


def _reason(row: Mapping[str, Any], secrets: tuple[str, ...]) -> VenueAnswer:
    written = str(row.get("reasonCode", ""))[:12]
    code = int(written) if written.removeprefix("-").isascii() and written.removeprefix("-").isdigit() else 0
    text = _cut(row.get("reasonMsg"), secrets)
    return VenueAnswer(code, _sentence(code, f"{text} ({code})" if code else text), text)


def _cut(text: object, secrets: tuple[str, ...]) -> str:
    said = text if isinstance(text, str) else ""
    for secret in secrets:
        said = said.replace(secret, "••••")
    return log.redact(clean_text(said, LONGEST_TEXT))
