"""
Onboarding of an exchange key, over pybit: whose key it is, what it may do, and one-way isolated mode.

Used once per key, in clear, before it is sealed. pybit's session object shows the secret in its repr and its errors
carry the request, so neither is logged, raised or kept; only the venue's code and a cut of its text go on. pybit's own
retries are off.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit.unified_trading import HTTP

from lib.adapters.bybit.ban import FORBIDDEN, Ban, OwnBan
from lib.adapters.bybit.codes import ADDRESS_BLOCKED, Reaction, reaction
from lib.domain.account import Venue
from lib.domain.decision import clean_text
from lib.domain.errors import MaemaeError, Pause, Retry
from lib.log import hide, redact
from lib.ports import ApiKey, KeyInfo

TIMEOUTS = (2.0, 8.0)
"""Seconds to connect, seconds to read."""
ISOLATED = "ISOLATED_MARGIN"
UNIFIED_STATUS = 3
"""Least unifiedMarginStatus that is a unified account."""
_NO_RETRY = {-1_000_000}


class PybitKeyProbe:
    """`lib.ports.KeyProbe` over the venues of *urls*."""

    def __init__(
        self, urls: Mapping[Venue, str], *, timeouts: tuple[float, float] = TIMEOUTS, ban: Ban | None = None
    ) -> None:
        self._urls = urls
        self._timeouts = timeouts
        self._ban = ban or OwnBan()

    def key_info(self, venue: Venue, key: ApiKey) -> KeyInfo:
        session = self._session(venue, key)
        with hide(key.api_key, key.api_secret):
            return _key_info(self._ask(venue, session.get_api_key_information))

    def prepare(self, venue: Venue, key: ApiKey, symbol: str) -> None:
        session = self._session(venue, key)
        with hide(key.api_key, key.api_secret):
            self._isolate(venue, session)
            self._ask(venue, lambda: session.switch_position_mode(category="linear", symbol=symbol, mode=0))

    def _session(self, venue: Venue, key: ApiKey) -> HTTP:
        if venue not in self._urls:
            raise Pause(f"this deployment does not trade on {venue}")
        session = HTTP(
            api_key=key.api_key,
            api_secret=key.api_secret,
            timeout=self._timeouts,
            max_retries=1,
            retry_codes=_NO_RETRY,
        )
        session.endpoint = self._urls[venue].rstrip("/")
        session.client.trust_env = False
        return session

    def _isolate(self, venue: Venue, session: HTTP) -> None:
        account = self._ask(venue, session.get_account_info)
        if int(account.get("unifiedMarginStatus", 0)) < UNIFIED_STATUS:
            raise Pause("the exchange account is not a unified trading account: upgrade it at Bybit first")
        if account.get("marginMode") == ISOLATED:
            return
        changed = self._ask(venue, lambda: session.set_margin_mode(setMarginMode=ISOLATED))
        if reasons := changed.get("reasons"):
            raise Pause(f"isolated margin cannot be set: {_cut(reasons[0].get('reasonMsg', ''))}")

    def _ask(self, venue: Venue, request: Callable[[], Any]) -> dict[str, Any]:
        """The `result` of an answer; {} for "not modified"."""
        self._ban.heed(self._urls[venue])
        try:
            result = request()["result"]
        except InvalidRequestError as refusal:
            if refusal.status_code == ADDRESS_BLOCKED:
                self._ban.met(self._urls[venue])
            if refused := _refusal(refusal.status_code, 200, str(refusal.message)):
                raise refused from None
            return {}
        except FailedRequestError as failure:
            if failure.status_code == FORBIDDEN:
                self._ban.met(self._urls[venue])
            raise _failure(failure.status_code) from None
        except requests.RequestException as lost:
            raise Retry(f"Bybit cannot be reached ({type(lost).__name__})") from None
        except (KeyError, TypeError, ValueError) as problem:
            raise Retry(f"Bybit's answer cannot be read ({type(problem).__name__})") from None
        return result if isinstance(result, dict) else {}


def _refusal(code: int, status: int, message: str) -> MaemaeError | None:
    meaning = reaction(code, status, is_write=True, message=message)
    if meaning is Reaction.OK:
        return None
    if meaning in (Reaction.PAUSE, Reaction.REJECT):
        return Pause(f"Bybit refuses the key or the account ({code}): {_cut(message)}")
    return Retry(f"Bybit answers {code}: {_cut(message)}")


def _failure(status: object) -> MaemaeError:
    if status == 401:
        return Pause("Bybit refuses the key (HTTP 401)")
    return Retry(f"Bybit answers HTTP {status}")


def _key_info(result: dict[str, Any]) -> KeyInfo:
    try:
        return _parsed(result)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise Retry(f"Bybit's answer about the key cannot be read ({type(problem).__name__})") from None


def _parsed(result: dict[str, Any]) -> KeyInfo:
    permissions = result["permissions"]
    wallet = permissions.get("Wallet") or []
    read_only = result["readOnly"] != 0
    return KeyInfo(
        uid=str(int(result["userID"])),
        may_trade=not read_only and {"Order", "Position"} <= set(permissions.get("ContractTrade") or []),
        may_withdraw="Withdraw" in wallet,
        may_transfer=any("Transfer" in permission for permission in wallet),
        read_only=read_only,
        unified=result.get("uta") == 1,
        bound_ips=tuple(ip for ip in result.get("ips") or [] if ip != "*"),
        expires_at=_expiry(result.get("expiredAt") or ""),
    )


def _expiry(text: str) -> int:
    """Epoch ms of an ISO time; 0 for none and for 1970, which the venue sends for keys that do not expire."""
    if not text:
        return 0
    # "Z" is spelled out because an aware time is needed on every Python we run on
    return max(0, int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000))


def _cut(message: str) -> str:
    return redact(clean_text(message, 160))
