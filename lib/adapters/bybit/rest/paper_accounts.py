"""
Opens paper accounts at this deployment's simulator over HTTP: `lib.ports.exchange.PaperAccounts`.

One POST, sent once: a lost reply may leave an account at the simulator whose key is unknown, which costs nothing. The
answer, which holds a secret, is neither logged nor quoted.
"""

from decimal import Decimal
from typing import Any

import requests

from lib.adapters.bybit.limits.ban import Ban, OwnBan
from lib.domain import reason_codes as codes
from lib.domain.account_records import PaperAccount
from lib.domain.api_key import ApiKey
from lib.domain.errors import Pause, Retry
from lib.ports.exchange import PaperAccounts

TIMEOUTS = (2.0, 8.0)
"""Seconds to connect, seconds to read."""
RIGHTS: dict[str, list[str]] = {"ContractTrade": ["Order", "Position"], "Wallet": []}
"""The rights of a paper key: as narrow as we ask of every key."""


class SimulatorPaperAccounts(PaperAccounts):
    """`lib.ports.exchange.PaperAccounts` at *base_url*; *token* is the simulator's ("" when it asks for none)."""

    def __init__(
        self, base_url: str, token: str, *, timeouts: tuple[float, float] = TIMEOUTS, ban: Ban | None = None
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/sim/accounts"
        self._headers = {"X-Simulator-Token": token} if token else {}
        self._timeouts = timeouts
        self._ban = ban or OwnBan()

    def open(self, label: str, balance: Decimal) -> PaperAccount:
        self._ban.heed(self._url)
        with requests.Session() as session:
            session.trust_env = False
            try:
                body: dict[str, Any] = {"label": label, "balance": format(balance, "f"), "permissions": RIGHTS}
                answer = session.post(self._url, json=body, headers=self._headers, timeout=self._timeouts)
                return _opened(answer.status_code, answer.json())
            except (requests.RequestException, ValueError) as lost:
                raise Retry(codes.PAPER_UNREACHABLE(type=type(lost).__name__)) from None


def _opened(status: int, made: Any) -> PaperAccount:
    if status in (401, 403):
        raise Pause(codes.PAPER_REFUSES())
    if status != 200:
        raise Pause(codes.PAPER_HTTP(status=status))
    try:
        key = ApiKey(str(made["apiKey"]), str(made["apiSecret"]))
        uid = str(made["uid"])
    except (KeyError, TypeError) as problem:
        raise Retry(codes.PAPER_UNREADABLE(type=type(problem).__name__)) from None
    return PaperAccount(uid, key)
