"""A venue on a synthetic market, and a client that signs for itself (independently of the venue's own code)."""

import hashlib
import hmac
import json
from typing import Any

from lib.clock import SteppedClock
from lib.domain.fill_prices import EngineConfig
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.faults import Fault
from lib.simulator.market.market import Market, SyntheticMarket
from lib.simulator.venue.venue import Request, Response, Venue, VenueConfig
from tests.worlds.venue import BITCOIN, BTC, START

LINEAR = {"category": "linear", "symbol": BTC}
MARKET = SyntheticMarket(5, {BTC: BITCOIN})
ROOMY = VenueConfig(ip_limit=None)


def signature(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Visitor:
    """A client with one account at a venue of its own."""

    def __init__(self, config: VenueConfig = ROOMY, market: Market | None = None, **account: Any) -> None:
        self.clock = SteppedClock(START)
        self.engine = Engine(market or MARKET, {BTC: BITCOIN}, EngineConfig())
        self.venue = Venue(self.engine, self.clock, config)
        self.remote = "127.0.0.1"
        opened = self.open_account(**account)
        self.uid, self.key, self.secret = opened["uid"], opened["apiKey"], opened["apiSecret"]

    def open_account(self, **body: Any) -> dict[str, Any]:
        response = self.venue.handle(Request("POST", "/sim/accounts", body=json.dumps(body).encode()))
        assert response.status == 200, response.body
        opened: dict[str, Any] = json.loads(response.body)
        return opened

    def signed(self, method: str, path: str, payload: str, *, at: int | None = None, window: str = "5000") -> Request:
        stamp = str(self.clock.now_ms() if at is None else at)
        headers = {
            "x-bapi-api-key": self.key,
            "X-Bapi-Timestamp": stamp,
            "X-BAPI-RECV-WINDOW": window,
            "X-BAPI-SIGN": signature(self.secret, stamp + self.key + window + payload),
        }
        query, body = (payload, b"") if method == "GET" else ("", payload.encode())
        return Request(method, path, query, headers, body, self.remote)

    def send(self, request: Request) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.venue.handle(request).body)
        return answer

    def raw(self, method: str, path: str, **params: Any) -> Response:
        payload = json.dumps(params) if method == "POST" else "&".join(f"{k}={v}" for k, v in params.items())
        return self.venue.handle(self.signed(method, path, payload))

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.raw("GET", path, **(LINEAR | params)).body)
        return answer

    def post(self, path: str, **params: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.raw("POST", path, **(LINEAR | params)).body)
        return answer

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        answer = self.get(path, **params)
        assert answer["retCode"] == 0, answer
        rows: list[dict[str, Any]] = answer["result"]["list"]
        return rows

    def buy(self, qty: str = "0.1", **params: Any) -> dict[str, Any]:
        return self.post("/v5/order/create", side="Buy", orderType="Market", qty=qty, **params)

    def later(self, ms: int) -> None:
        self.clock.advance_to(self.clock.now_ms() + ms)
        self.engine.advance(self.clock.now_ms())

    def arm(self, kind: str, path: str | None = None, count: int = 1, **params: Any) -> None:
        self.venue.faults.push(Fault(kind, path, count, None, params))

    def price(self) -> str:
        last: str = self.rows("/v5/market/tickers")[0]["lastPrice"]
        return last
