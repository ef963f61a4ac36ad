"""
Onboarding of an exchange key, over pybit: the key's account and rights, and one-way isolated mode.

Used once per key, in clear, before it is sealed. pybit's session object shows the secret in its repr and its errors
carry the request, so neither is logged, raised or kept; only the venue's code and a cut of its text go on. pybit's own
retries are off, and its stamps are made by the venue's clock, measured first. A refusal is told in the venue's words
(`answers`); "cannot be reached" is said of silence alone.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit.unified_trading import HTTP

from lib.adapters.bybit.answers import answer_of
from lib.adapters.bybit.codes import ADDRESS_BLOCKED, FORBIDDEN, Kind, Reaction, kind_of, reaction
from lib.adapters.bybit.limits.ban import Ban, OwnBan
from lib.adapters.bybit.rest.calls import MARGIN_MS
from lib.clock import Clock, SystemClock
from lib.domain import reason_codes as codes
from lib.domain.account import Doubt, Venue
from lib.domain.api_key import ApiKey, KeyInfo
from lib.domain.errors import MaemaeError, Pause, Retry
from lib.domain.venue_answer import VenueAnswer
from lib.domain.venues import CAPABILITIES
from lib.log import get, hide
from lib.ports.exchange import KeyProbe

LOG = get("bybit.key_probe")
TIMEOUTS = (2.0, 8.0)
"""Seconds to connect, seconds to read."""
ISOLATED = "ISOLATED_MARGIN"
UNIFIED_STATUS = 3
"""Least unifiedMarginStatus that is a unified account."""
AHEAD_LIFE_MS = 60_000
"""How long a measured offset of the venue's clock is used: the calls of one check."""
WRONG_CLOCK = 10002
CROSS = "REGULAR_MARGIN"
NOT_OFFERED = frozenset({10032, 10017, 110073})
"""Codes by which demo trading lacks a route: not for demo, not there, or a failure without a reason."""
NOT_FOUND = frozenset({404})
NOBODYS_ORDER, NO_SUCH_ORDER = "mm-nobodys-order", 110001
UNTOLD = KeyInfo(
    uid="",
    may_trade=True,
    may_withdraw=False,
    may_transfer=False,
    read_only=False,
    unified=True,
    bound_ips=(),
    expires_at=0,
    doubts=("uid", "rights"),
)
"""
The record of a demo key, of which the venue tells nothing. Withdrawing and transferring are not offered in demo trading
either; whether the key may trade and is of a unified account, `prepare` finds out by trying.
"""
_NO_RETRY = {-1_000_000}
_JSON = "application/json"


class _Session(HTTP):  # type: ignore[misc]  # pybit is untyped
    """pybit at *url* with *key*, stamped by *clock* and the measured offset; *reply* is the last response."""

    def __init__(self, url: str, key: ApiKey, timeouts: tuple[float, float], clock: Clock) -> None:
        super().__init__(
            api_key=key.api_key,
            api_secret=key.api_secret,
            timeout=timeouts,
            max_retries=1,
            retry_codes=_NO_RETRY,
        )
        self.endpoint = url.rstrip("/")
        self.client.trust_env = False
        self.client.hooks["response"].append(self._heard)
        self.clock, self.ahead_ms = clock, 0
        self.reply: requests.Response | None = None

    def _heard(self, reply: requests.Response, *_: Any, **__: Any) -> None:
        self.reply = reply

    def measure(self) -> dict[str, Any]:
        """Ask for the venue's time, and stamp requests by that time from now on."""
        before = self.clock.now_ms()
        told: dict[str, Any] = self.get_server_time()
        after = self.clock.now_ms()
        # as VenueClock: half of the way, but never so much that a stamp could be ahead
        self.ahead_ms = int(told["time"]) - after + min((after - before) // 2, MARGIN_MS)
        return told

    def _prepare_headers(self, payload: str, recv_window: int, content_type: str = _JSON) -> dict[str, str]:
        stamp = self.clock.now_ms() + self.ahead_ms - MARGIN_MS
        return {
            "Content-Type": content_type,
            "X-BAPI-API-KEY": self.api_key,
            "X-BAPI-SIGN": self._auth(payload, recv_window, stamp),
            "X-BAPI-SIGN-TYPE": "2",
            "X-BAPI-TIMESTAMP": str(stamp),
            "X-BAPI-RECV-WINDOW": str(recv_window),
        }


class PybitKeyProbe(KeyProbe):
    """`lib.ports.exchange.KeyProbe` over the venues of *urls*; *clock* is the one HTTP waits by."""

    def __init__(
        self,
        urls: Mapping[Venue, str],
        *,
        timeouts: tuple[float, float] = TIMEOUTS,
        ban: Ban | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._urls = urls
        self._timeouts = timeouts
        self._ban = ban or OwnBan()
        self._clock = clock or SystemClock()
        self._ahead: dict[Venue, tuple[int, int]] = {}
        """When the venue's clock was measured, by our clock, and how far the venue's was ahead."""

    def key_info(self, venue: Venue, key: ApiKey) -> KeyInfo:
        session = self._session(venue, key)
        with hide(key.api_key, key.api_secret):
            try:
                return _key_info(self._ask(venue, session, session.get_api_key_information))
            except (Pause, Retry) as refused:
                if not _is_not_offered(venue, refused.answer):
                    raise
                return UNTOLD

    def prepare(self, venue: Venue, key: ApiKey, symbols: Sequence[str]) -> tuple[Doubt, ...]:
        session = self._session(venue, key)
        with hide(key.api_key, key.api_secret):
            doubts = self._isolate(venue, session)
            # a write: a key that may only read, or not touch positions, is refused here whatever its record says
            self._one_way(venue, session, symbols[0])
            self._one_way_if_it_can_be(venue, session, symbols[1:])
            if not CAPABILITIES[venue].offers_everything:
                self._try_orders(venue, session, symbols[0])
        return doubts

    def set_one_way(self, venue: Venue, key: ApiKey, symbols: Sequence[str]) -> None:
        session = self._session(venue, key)
        with hide(key.api_key, key.api_secret):
            self._one_way_if_it_can_be(venue, session, symbols)

    def _one_way(self, venue: Venue, session: _Session, symbol: str) -> None:
        """By symbol, not for all of a coin: nothing of the owner's other trades is touched."""
        switch = {"category": "linear", "symbol": symbol, "mode": 0}
        self._ask(venue, session, lambda: session.switch_position_mode(**switch))

    def _one_way_if_it_can_be(self, venue: Venue, session: _Session, symbols: Sequence[str]) -> None:
        """One symbol's refusal (it is not listed any more, say) is no other's: modes are read before any entry."""
        for symbol in symbols:
            try:
                self._one_way(venue, session, symbol)
            except (Pause, Retry) as refused:
                LOG.warning("key.mode_not_set", symbol=symbol, why=str(refused))

    def _try_orders(self, venue: Venue, session: _Session, symbol: str) -> None:
        """Learn by trying whether the key may order, which demo trading may not tell. No order is cancelled."""
        nobodys = {"category": "linear", "symbol": symbol, "orderLinkId": NOBODYS_ORDER}
        try:
            self._ask(venue, session, lambda: session.cancel_order(**nobodys))
        except Retry as gone:
            if gone.answer is None or gone.answer.code != NO_SUCH_ORDER:
                raise

    def _session(self, venue: Venue, key: ApiKey) -> _Session:
        if venue not in self._urls:
            raise Pause(codes.VENUE_NOT_SERVED(venue=venue))
        session = _Session(self._urls[venue], key, self._timeouts, self._clock)
        measured_ms, ahead_ms = self._ahead.get(venue, (0, 0))
        if 0 <= self._clock.now_ms() - measured_ms < AHEAD_LIFE_MS:
            session.ahead_ms = ahead_ms
            return session
        self._ask(venue, session, session.measure)
        self._ahead[venue] = self._clock.now_ms(), session.ahead_ms
        return session

    def _isolate(self, venue: Venue, session: _Session) -> tuple[Doubt, ...]:
        account = self._ask(venue, session, session.get_account_info)
        if int(account.get("unifiedMarginStatus", 0)) < UNIFIED_STATUS:
            raise Pause(codes.UPGRADE_TO_UNIFIED())
        if account.get("marginMode") == ISOLATED:
            return ()
        try:
            self._ask(venue, session, lambda: session.set_margin_mode(setMarginMode=ISOLATED))
        except (Pause, Retry) as refused:
            if account.get("marginMode") != CROSS or not _is_not_offered(venue, refused.answer):
                raise
            return ("cross_margin",)
        return ()

    def _ask(self, venue: Venue, session: _Session, request: Callable[[], Any]) -> dict[str, Any]:
        """The `result` of an answer; {} for "not modified"."""
        self._ban.heed(self._urls[venue])
        session.reply = None
        try:
            result = request()["result"]
        except (InvalidRequestError, FailedRequestError):
            return self._refused(venue, session)
        except requests.RequestException as lost:
            raise Retry(codes.BYBIT_UNREACHABLE(type=type(lost).__name__)) from None
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise Retry(codes.BYBIT_UNREADABLE(type=type(problem).__name__), _said(session)) from None
        if isinstance(result, dict) and result.get("reasons"):
            return self._refused(venue, session)  # retCode 0, and refused all the same
        return result if isinstance(result, dict) else {}

    def _refused(self, venue: Venue, session: _Session) -> dict[str, Any]:
        """{} for an answer that means "already so"; otherwise the reaction to the refusal."""
        answer = _said(session)
        if answer is None:
            status = session.reply.status_code if session.reply is not None else 0
            raise Retry(codes.BYBIT_HTTP(status=status)) from None
        if answer.code == WRONG_CLOCK:
            self._ahead.pop(venue, None)
        if answer.code == (FORBIDDEN if answer.is_http else ADDRESS_BLOCKED):
            self._ban.met(self._urls[venue])
        if kind_of(answer.code, 200) is Kind.OK and not answer.is_http and not answer.reasons:
            return {}
        raise _reaction(answer) from None


def _is_not_offered(venue: Venue, answer: VenueAnswer | None) -> bool:
    """
    Whether *answer* says that *venue*, which does not offer every route, lacks this one. A refusal with reasons is the
    account's, and real money is never traded on a doubt.
    """
    if CAPABILITIES[venue].offers_everything or answer is None or answer.reasons:
        return False
    return answer.code in (NOT_FOUND if answer.is_http else NOT_OFFERED)


def _said(session: _Session) -> VenueAnswer | None:
    """The refusal in the last response; None for a gateway's 5xx and without a response."""
    if session.reply is None:
        return None
    return answer_of(session.reply.status_code, session.reply.content, (session.api_secret, session.api_key))


def _reaction(answer: VenueAnswer) -> MaemaeError:
    code, status = (None, answer.code) if answer.is_http else (answer.code, 200)
    meaning = reaction(code, status, is_write=True, message=answer.text)
    kept_out = meaning in (Reaction.PAUSE, Reaction.REJECT) or bool(answer.reasons)
    return (Pause if kept_out else Retry)(answer.why, answer)


def _key_info(result: dict[str, Any]) -> KeyInfo:
    try:
        return parsed_key(result)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        why = codes.BYBIT_KEY_UNREADABLE(type=type(problem).__name__)
        raise Retry(why, VenueAnswer(200, why, is_http=True, passing=True)) from None


def parsed_key(result: dict[str, Any]) -> KeyInfo:
    """The record of a key; KeyError, TypeError, ValueError or AttributeError for one that cannot be read."""
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
