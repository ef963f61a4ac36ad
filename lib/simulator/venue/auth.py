"""
The checks of a signed request: key, time window, signature, address, permission, in Bybit's order and words.

The signature covers the raw bytes as they arrived. Rule of time: server - recv_window <= timestamp < server + 1000.
Secrets never appear in an answer.
"""

import hmac
from hashlib import sha256

from lib.simulator.engine.accounts import Account, ApiKey
from lib.simulator.engine.engine import Engine
from lib.simulator.engine.orders import Refused
from lib.simulator.venue.call import Request, is_whole

AHEAD_MS = 1_000
DEFAULT_WINDOW_MS = 5_000
REFUSALS = {10003: "API key is invalid.", 33004: "Your api key has expired.", 10010: "Unmatched IP, please check."}


def _bytes(text: str) -> bytes:
    """The bytes as which a header or query arrived; servers hand over undecodable bytes as surrogates."""
    return text.encode("utf-8", "surrogatepass")


class Unsigned(Exception):
    """The request carries no credentials where it needs them."""


def sign(secret: str, text: str) -> str:
    """Lowercase hex HMAC-SHA256."""
    return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()


def caller_of(engine: Engine, request: Request) -> tuple[Account, ApiKey]:
    """Account and key that *request* names; *Unsigned* without headers, *Refused* for an unknown or revoked key."""
    api_key = request.header("X-BAPI-API-KEY")
    if not api_key or not request.header("X-BAPI-SIGN") or not request.header("X-BAPI-TIMESTAMP"):
        raise Unsigned
    found = engine.find_key(api_key)
    if found is None:
        raise Refused(10003, REFUSALS[10003])
    return found


def check_key(key: ApiKey) -> None:
    """*Refused* for a key that was revoked or has expired."""
    if key.refusal:
        raise Refused(key.refusal, REFUSALS.get(key.refusal, "API key is invalid."))


def check_signature(key: ApiKey, request: Request, now: int) -> None:
    """*Refused* 10002 outside the time window, 10004 for a signature that does not cover these bytes."""
    stamp, window = request.header("X-BAPI-TIMESTAMP"), request.header("X-BAPI-RECV-WINDOW")
    recv_window = int(window) if is_whole(window) else DEFAULT_WINDOW_MS
    if not is_whole(stamp) or not now - recv_window <= int(stamp) < now + AHEAD_MS:
        raise Refused(
            10002,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{stamp[:20]}],server_timestamp[{now}],recv_window[{recv_window}]",
        )
    payload = _bytes(request.query) if request.method == "GET" else request.body
    plain = _bytes(f"{stamp}{key.key}{window}") + payload
    expected = hmac.new(key.secret.encode(), plain, sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), _bytes(request.header("X-BAPI-SIGN").lower())):
        raise Refused(10004, "error sign! please check your signature generation algorithm.")


def check_address(key: ApiKey, remote: str) -> None:
    """*Refused* 10010 for an address the key is not bound to."""
    if key.ips and remote not in key.ips:
        raise Refused(10010, REFUSALS[10010])


def check_permission(key: ApiKey, right: str, *, writes: bool) -> None:
    """*Refused* 10005 when the key may not do this."""
    if writes and key.read_only:
        raise Refused(10005, "Permission denied, please check your API key permissions.")
    group, _, name = right.partition(".")
    if right and not key.may(group, name):
        raise Refused(10005, "Permission denied, please check your API key permissions.")


def check_socket(engine: Engine, api_key: str, expires: int, signature: str, now: int) -> int:
    """The uid a private WebSocket's auth stands for; *Refused* 10003, 10004 or 10002 (already expired)."""
    found = engine.find_key(api_key)
    if found is None or found[1].refusal:
        raise Refused(10003, REFUSALS[10003])
    if expires <= now:
        raise Refused(10002, "Params Error: auth expired")
    if not hmac.compare_digest(sign(found[1].secret, f"GET/realtime{expires}").encode(), _bytes(signature)):
        raise Refused(10004, "error sign! please check your signature generation algorithm.")
    return found[0].uid
