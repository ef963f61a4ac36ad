"""
The effects of venue-level faults: false answers, and external changes of an account behind a client's back.

A "before" fault changes the answer and nothing else; an "after" fault happens once the request took full effect.
Lasting faults (clock skew, maintenance, a symbol that is gone, a revoked key) are kept here, in the veil or on the key.
"""

from decimal import Decimal

from lib.simulator.engine.accounts import Account
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.faults import Fault
from lib.simulator.engine.orders import Refused
from lib.simulator.venue.call import Response, Veil, envelope

STATUS = "/v5/system/status"
SERVER_ERROR = "System error. Please try again later."
GATEWAY = (
    b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)
COUNTRY = (
    b"<html><body><h1>403 ERROR</h1>The Amazon CloudFront distribution is configured to block access from your country."
    b"</body></html>"
)
PLAIN = {
    "region_403": (403, COUNTRY),
    "http_403": (403, b"access too frequent"),
    "http_429": (429, b"Too Many Requests"),
    "http_5xx_before": (502, GATEWAY),
}


class Broken(Exception):
    """A fault replaces the request's true answer."""

    def __init__(self, status: int, body: bytes | None = None, code: int = 0, text: str = "", reset: int = 0) -> None:
        super().__init__(f"{status} {code}")
        self._status, self._body, self._code, self._text, self._reset = status, body, code, text, reset

    def response(self, now: int) -> Response:
        """The false answer as it goes on the wire at *now*."""
        if self._body is not None:
            return Response(self._status, {"Content-Type": "text/html"}, self._body)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if self._code == 10006:
            stamp = str(now + self._reset)
            headers |= {"X-Bapi-Limit": "10", "X-Bapi-Limit-Status": "0", "X-Bapi-Limit-Reset-Timestamp": stamp}
        return Response(self._status, headers, envelope(self._code, self._text, {}, now))


class FaultEffects:
    """Takes faults off the engine's queue as requests pass, and carries them out."""

    def __init__(self, engine: Engine, veil: Veil, skew_ms: int = 0) -> None:
        self._engine, self._veil = engine, veil
        self._closed_until = 0
        self.skew_ms = skew_ms

    def before_all(self, path: str, now: int) -> None:
        """Carry out the faults that hit every request, signed or not."""
        if skew := self._engine.faults.take("clock_skew", path=path):
            self.skew_ms = skew.number("ms", 1_500)
        if self._engine.faults.take("clear_closed", path=path):
            self._veil.forgotten_before = now
        if closed := self._engine.faults.take("maintenance", path=path):
            self._closed_until = closed.number("until", now + closed.number("ms", 10_000))
        self._work_on_markets(path, now)
        if path != STATUS and any(begin <= now < end for begin, end in self._veil.announced):
            raise Broken(200, code=10016, text=SERVER_ERROR)
        if now < self._closed_until:
            raise Broken(200, code=10016, text=SERVER_ERROR)

    def _work_on_markets(self, path: str, now: int) -> None:
        """Carry out the exchange's own changes: announced maintenance, symbols that go and come back."""
        faults = self._engine.faults
        if told := faults.take("announce", path=path):
            begin = now + told.number("ahead", 0)
            self._veil.announced.append((begin, begin + told.number("ms", 600_000)))
        if gone := faults.take("delist", path=path):
            self._veil.delisted.add(gone.text("symbol", "BTCUSDT"))
        if halted := faults.take("halt", path=path):
            self._engine.books.let_trade(halted.text("symbol", "BTCUSDT"), False)
        if back := faults.take("relist", path=path):
            symbol = back.text("symbol", "BTCUSDT")
            self._veil.delisted.discard(symbol)
            self._engine.books.let_trade(symbol, True)

    def before(self, path: str, uid: int | None) -> None:
        """*Broken* when a fault refuses the request without any effect."""
        faults = self._engine.faults
        for kind, (status, body) in PLAIN.items():
            if faults.take(kind, path=path, uid=uid):
                raise Broken(status, body)
        if faults.take("err_10016_before", path=path, uid=uid):
            raise Broken(200, code=10016, text=SERVER_ERROR)
        if past := faults.take("rate_limit_past_reset", path=path, uid=uid):
            raise Broken(200, code=10006, text="Too many visits!", reset=-past.number("ms", 500))
        if future := faults.take("rate_limit_future_reset", path=path, uid=uid):
            raise Broken(200, code=10006, text="Too many visits!", reset=future.number("ms", 500))

    def after(self, path: str, uid: int | None) -> None:
        """*Broken* when the request took effect and a fault hides that."""
        faults = self._engine.faults
        if faults.take("http_5xx_after", path=path, uid=uid):
            raise Broken(502, GATEWAY)
        if faults.take("err_10000_after", path=path, uid=uid):
            raise Broken(200, code=10000, text="Server Timeout")
        if faults.take("err_10016_after", path=path, uid=uid):
            raise Broken(200, code=10016, text=SERVER_ERROR)

    def by_hand(self, path: str, account: Account) -> None:
        """Carry out the external changes, by the owner or Bybit, that come just before this request."""
        faults, uid = self._engine.faults, account.uid
        if fault := faults.take("leverage_changed", path=path, uid=uid):
            self._relever(fault, uid)
        if fault := faults.take("mode_changed", path=path, uid=uid):
            account.position_mode = fault.number("mode", 3)
            self._engine.books.touch(account)
        if fault := faults.take("margin_changed", path=path, uid=uid):
            self._engine.books.set_margin_mode(account, fault.text("mode", "REGULAR_MARGIN"))
        if fault := faults.take("manual_close", path=path, uid=uid):
            self._engine.dealing.close_by_hand(uid, fault.text("symbol", "BTCUSDT"))
        if fault := faults.take("key_revoked", path=path, uid=uid):
            for key in account.keys:
                key.refusal = fault.number("code", 33004)
            self._engine.books.touch(account)

    def _relever(self, fault: Fault, uid: int) -> None:
        leverage = fault.params.get("leverage", "2")
        try:
            self._engine.dealing.set_leverage(uid, fault.text("symbol", "BTCUSDT"), _decimal(leverage))
        except Refused:
            return


def _decimal(value: object) -> Decimal:
    return Decimal(str(value))
