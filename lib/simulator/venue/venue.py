"""
The Bybit v5 skin of the engine: a function from request bytes to response bytes, without sockets.

For every answer the engine is advanced to the clock's now, then the request is checked and carried out. Business
refusals are HTTP 200 with a retCode; the address limit is HTTP 403. Faults of *VENUE_KINDS* happen here and nowhere
else. Endpoints outside the table answer 10017; hedge positions, portfolio margin, and all but linear are not offered.
"""

from dataclasses import replace
from functools import partial

from lib.clock import Clock
from lib.simulator.engine.accounts import Account, ApiKey
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.faults import Faults
from lib.simulator.engine.orders import Refused
from lib.simulator.venue import auth
from lib.simulator.venue.call import Call as Call
from lib.simulator.venue.call import Request as Request
from lib.simulator.venue.call import Response as Response
from lib.simulator.venue.call import Veil, envelope, params_of
from lib.simulator.venue.call import VenueConfig as VenueConfig
from lib.simulator.venue.fault_effects import Broken, FaultEffects
from lib.simulator.venue.klines import Klines, Piece
from lib.simulator.venue.limits import AccountLimits, AddressLimits, Quota
from lib.simulator.venue.market_routes import MarketRoutes
from lib.simulator.venue.onboarding import open_account
from lib.simulator.venue.pushes import Frame, PrivatePushes, PublicFrames
from lib.simulator.venue.table import DEMO_ROUTES, SIGNED, Route, public_routes

JSON = {"Content-Type": "application/json; charset=utf-8"}
TOO_FREQUENT = b"access too frequent"


class Venue:
    """Bybit, as far as this project needs it; one task at a time."""

    def __init__(self, engine: Engine, clock: Clock, config: VenueConfig) -> None:
        self.engine, self.config = engine, config
        self._clock = clock
        self._veil = Veil()
        self._fault_effects = FaultEffects(engine, self._veil, config.clock_ahead_ms)
        self._accounts = AccountLimits()
        self._addresses = AddressLimits(config.ip_limit, config.ip_window_ms, config.ip_ban_ms)
        klines = Klines(engine.market)
        self._private, self._public = PrivatePushes(engine), PublicFrames(engine, klines)
        self._market = MarketRoutes(klines)
        self._open = public_routes(self._market)
        kinds = ("kline", "mark-price-kline", "index-price-kline", "premium-index-price-kline")
        self._costs = {f"/v5/market/{kind}": self._market.kline_pieces for kind in kinds}
        self._costs["/v5/market/tickers"] = self._market.day_pieces

    @property
    def faults(self) -> Faults:
        """The armed faults."""
        return self.engine.faults

    def now_ms(self) -> int:
        """The venue's own clock, skew included."""
        return self._clock.now_ms() + self._fault_effects.skew_ms

    # --- streams ------------------------------------------------------------------------------------------------------

    def drain_private(self) -> list[tuple[int, str, Frame]]:
        """(uid, topic, whole frame) of every private change since the last call, in order."""
        return self._private.drain()

    def kline_message(
        self, symbol: str, interval: str, now_ms: int, *, confirm_open_time: int | None = None
    ) -> Frame | None:
        """The open candle's frame at *now_ms*, or the closing frame of that candle; None without trading."""
        return self._public.kline(symbol, interval, now_ms, confirm_open_time)

    def ticker_message(self, symbol: str, now_ms: int) -> Frame | None:
        """The full ticker at *now_ms* as a snapshot frame; None while the symbol has no price."""
        return self._public.ticker(symbol, now_ms)

    def authenticate(self, api_key: str, expires: int, signature: str) -> int:
        """The uid of a private WebSocket's auth; *Refused* otherwise."""
        return auth.check_socket(self.engine, api_key, expires, signature, self.now_ms())

    # --- what a request costs -----------------------------------------------------------------------------------------

    def pieces(self, request: Request) -> list[Piece]:
        """The pieces of the market's past that *request* needs and that are not read yet; read before, it is quick."""
        cost = self._costs.get(request.path)
        if cost is None or request.method != "GET":
            return []
        try:
            return list(cost(self._call(request, None)))
        except Refused:
            return []

    def build(self, piece: Piece) -> None:
        """Read *piece*, so that the next request need not."""
        self._market.build(piece, self.engine.last_advanced_ms)

    # --- requests -----------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Advance the engine to now, then answer."""
        self.engine.advance(self._clock.now_ms())
        if not self._addresses.admits(request.remote, self._clock.now_ms()):
            return Response(403, {"Content-Type": "text/plain"}, TOO_FREQUENT)
        if (request.method, request.path) == ("POST", "/sim/accounts"):
            return open_account(self.engine, request)
        try:
            return self._answer(request)
        except Broken as broken:
            return broken.response(self.now_ms())
        except auth.Unsigned:
            return self._reply(10003, "API key is invalid.", {}, status=401)
        except Refused as refused:
            return self._reply(refused.code, refused.text, {})

    def _answer(self, request: Request) -> Response:
        self._fault_effects.before_all(request.path, self._clock.now_ms())
        endpoint = (request.method, request.path)
        if endpoint in self._open:
            self._fault_effects.before(request.path, None)
            result = self._open[endpoint](self._call(request, None))
            self._fault_effects.after(request.path, None)
            return self._reply(0, "OK", result)
        route = SIGNED.get(endpoint)
        if route is None:
            raise Refused(10017, "Route not found.")
        return self._signed(request, route)

    def _signed(self, request: Request, route: Route) -> Response:
        caller = auth.caller_of(self.engine, request)
        account, key = caller
        self._fault_effects.by_hand(request.path, account)
        auth.check_key(key)
        auth.check_signature(key, request, self.now_ms())
        auth.check_address(key, request.remote)
        if account.is_demo and request.path not in DEMO_ROUTES:
            raise Refused(10032, "Demo trading are not supported.")
        auth.check_permission(key, route.right, writes=route.writes)
        quota = self._quota(account.uid, request.path, route.per_second)
        if quota.exceeded:
            return self._reply(10006, "Too many visits!", {}, quota)
        self._fault_effects.before(request.path, account.uid)
        try:
            call = self._call(request, caller)
            spend = partial(self._spend, account.uid, request.path, route.per_second)
            result = route.handler(replace(call, spend=spend))
        except Refused as refused:
            return self._reply(refused.code, refused.text, refused.result, quota)
        self._fault_effects.after(request.path, account.uid)
        return self._reply(0, "OK", result, quota)

    def _quota(self, uid: int, path: str, per_second: int) -> Quota:
        now = self._clock.now_ms()
        if not self.config.rate_limits:
            return Quota(per_second, per_second, now)
        return self._accounts.take(uid, path, per_second, now)

    def _spend(self, uid: int, path: str, per_second: int) -> bool:
        return not self._quota(uid, path, per_second).exceeded

    def _call(self, request: Request, caller: tuple[Account, ApiKey] | None) -> Call:
        return Call(self.engine, self.config, self._veil, self._clock.now_ms(), params_of(request), caller)

    def _reply(
        self, code: int, text: str, result: object, quota: Quota | None = None, *, status: int = 200
    ) -> Response:
        now = self.now_ms()
        headers = JSON | {"Timenow": str(now)} | (quota.headers() if quota else {})
        return Response(status, headers, envelope(code, text, result, now))
