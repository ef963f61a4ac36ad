"""
What a person reads when the exchange did not take a key: pure.

"Cannot be reached" is for trouble on the way alone. Whatever the exchange said is handed on: what it means, with
its code (*why*), its list of reasons, and its own words (*said*), which pages show letter by letter.
"""

import ipaddress
import re
from collections.abc import Iterable

from lib.accounts.refusal import Param, Refusal
from lib.domain.errors import MaemaeError, Retry
from lib.domain.venue_answer import VenueAnswer

_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{3,45}")


def venue_refusal(error: MaemaeError, addresses: Iterable[str] = ()) -> Refusal:
    """
    The refusal for *error*. A key bound to other addresses is answered with ours: the one the exchange names, else
    *addresses*, those this deployment is known to call from.
    """
    why, answer = error.why, error.answer
    if answer is None:
        return Refusal("refuse.key.unreachable" if isinstance(error, Retry) else "refuse.key.refused", why=why)
    key = "refuse.key.later" if answer.passing else "refuse.key.refused"
    return Refusal(key, why=answer.why, code=answer.code, **_details(answer, addresses))


def _details(answer: VenueAnswer, addresses: Iterable[str]) -> dict[str, Param]:
    details: dict[str, Param] = {
        "reasons": tuple(reason.why for reason in answer.reasons if reason.why),
        "said": answer.text,
        "address": "",
    }
    if answer.is_bound_elsewhere:
        details["address"] = _named(answer.text) or ", ".join(addresses) or "?"
    return {name: text for name, text in details.items() if text}


def _named(text: str) -> str:
    """The first IP address in *text*, "" without one."""
    for word in _ADDRESS.findall(text):
        try:
            return str(ipaddress.ip_address(word.strip(".:")))
        except ValueError:
            continue
    return ""
