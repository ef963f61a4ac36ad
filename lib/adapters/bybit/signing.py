"""
Bybit v5 request signatures: HMAC-SHA256 over timestamp + key + window + payload, lower-case hex.

The payload is exactly what travels: the bytes after `?` of a GET, the body bytes of a POST. Nothing may be re-encoded
after signing. https://bybit-exchange.github.io/docs/v5/guide
"""

import hashlib
import hmac

from lib.domain.api_key import ApiKey
from lib.domain.order import RECV_WINDOW_MS


def signature(secret: str, plain: bytes) -> str:
    """Lower-case hex HMAC-SHA256 of *plain*."""
    return hmac.new(secret.encode(), plain, hashlib.sha256).hexdigest()


def signed_headers(key: ApiKey, timestamp_ms: int, payload: bytes) -> dict[str, str]:
    """The four X-BAPI headers for *payload* at *timestamp_ms*, with the protocol's receive window."""
    plain = f"{timestamp_ms}{key.api_key}{RECV_WINDOW_MS}".encode() + payload
    return {
        "X-BAPI-API-KEY": key.api_key,
        "X-BAPI-TIMESTAMP": str(timestamp_ms),
        "X-BAPI-RECV-WINDOW": str(RECV_WINDOW_MS),
        "X-BAPI-SIGN": signature(key.api_secret, plain),
    }
