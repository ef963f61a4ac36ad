"""
Candles in Redis: the text in the lists, the messages on the channels, and how both are read back.

A stored candle is `{"timestamp":ms,"open":"..","high":"..","low":"..","close":"..","volume":".."}` without spaces;
the scripts read the leading timestamp by pattern, so its place is part of the format. Numbers are decimal strings
without an exponent and round-trip exactly. A message (and the forming key) wraps one stored candle:

    {"closed":true,"candle":{..}}                  a closed candle was appended or replaced
    {"closed":true,"rebuilt":true,"candle":{..}}   the whole list was replaced; the candle is its newest; read it again
    {"closed":false,"seen_at":ms,"candle":{..}}    the forming candle; seen_at is the venue's clock

Whether a candle can be true is `lib.domain.candle`'s to say; no connection is known here.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import msgspec

from lib.domain import reason_codes as codes
from lib.domain.candle import Candle, FormingCandle
from lib.ports.market import CorruptCandles


class _Stored(msgspec.Struct):
    timestamp: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class _Message(msgspec.Struct):
    closed: bool
    candle: _Stored
    seen_at: int = 0
    rebuilt: bool = False


class CandleMessage(msgspec.Struct, frozen=True):
    """One message of a candle channel; *seen_at* is 0 for closed candles."""

    candle: Candle
    closed: bool
    seen_at: int
    rebuilt: bool


_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The decoder's exceptions; the last for brackets nested by the thousand."""

_stored_list = msgspec.json.Decoder(list[_Stored])
_message = msgspec.json.Decoder(_Message)


def list_key(symbol: str, interval: str) -> str:
    """The list of closed candles, newest first; also the name of its channel."""
    return f"kline:{symbol}:{interval}"


def forming_key(symbol: str, interval: str) -> str:
    """The forming candle beside that list."""
    return f"kline:{symbol}:{interval}:forming"


def encode(candle: Candle) -> str:
    """The stored text of *candle*."""
    text = (
        f'{{"timestamp":{candle.open_time},"open":"{candle.open}","high":"{candle.high}","low":"{candle.low}",'
        f'"close":"{candle.close}","volume":"{candle.volume}"}}'
    )
    return _without_exponents(candle) if "E" in text else text


def encode_forming(forming: FormingCandle) -> str:
    """The message and stored text of a forming candle."""
    return f'{{"closed":false,"seen_at":{forming.seen_at},"candle":{encode(forming.candle)}}}'


def decode_list(newest_first: Sequence[bytes]) -> list[Candle]:
    """Candles oldest first; *CorruptCandles* when any of them cannot be read."""
    try:
        rows = _stored_list.decode(b"[" + b",".join(newest_first) + b"]")
    except _UNREADABLE:
        raise CorruptCandles(codes.STORED_CANDLES_BAD()) from None
    rows.reverse()
    return [_candle(row) for row in rows]


def decode_message(raw: bytes) -> CandleMessage:
    """A channel message; *CorruptCandles* when it cannot be read."""
    try:
        message = _message.decode(raw)
    except _UNREADABLE:
        raise CorruptCandles(codes.STORED_CANDLES_BAD()) from None
    return CandleMessage(_candle(message.candle), message.closed, message.seen_at, message.rebuilt)


def decode_forming(raw: bytes) -> FormingCandle:
    """The forming candle behind its key; *CorruptCandles* when it cannot be read."""
    message = decode_message(raw)
    return FormingCandle(message.candle, message.seen_at)


def _candle(row: _Stored) -> Candle:
    return Candle(row.timestamp, row.open, row.high, row.low, row.close, row.volume)


def _without_exponents(candle: Candle) -> str:
    return (
        f'{{"timestamp":{candle.open_time},"open":"{candle.open:f}","high":"{candle.high:f}","low":"{candle.low:f}",'
        f'"close":"{candle.close:f}","volume":"{candle.volume:f}"}}'
    )
