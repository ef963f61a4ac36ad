"""
The sentences of the bundled rules' findings, in the language of the prompt.

The same findings in both languages, one sentence each: pages that know the sentences (app/i18n/rules.toml has them
too) show them in the reader's language, whichever it was stored in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["ko", "en"]

SENTENCES: Mapping[str, Mapping[Language, str]] = {
    "few": {
        "ko": "캔들이 부족하여 판단을 보류합니다.",
        "en": "Too few candles to judge: waiting.",
    },
    "neutral": {
        "ko": "EMA 8/21 교차나 돌파가 없고 RSI가 {rsi}(중립)이어서 관망합니다.",
        "en": "No EMA 8/21 crossing or breakout and RSI at {rsi} (neutral): waiting.",
    },
    "overbought": {
        "ko": "EMA 8/21 교차나 돌파가 없고 RSI가 {rsi}(과매수)여서 관망합니다.",
        "en": "No EMA 8/21 crossing or breakout and RSI at {rsi} (overbought): waiting.",
    },
    "oversold": {
        "ko": "EMA 8/21 교차나 돌파가 없고 RSI가 {rsi}(과매도)여서 관망합니다.",
        "en": "No EMA 8/21 crossing or breakout and RSI at {rsi} (oversold): waiting.",
    },
    "quiet": {
        "ko": "ATR이 가격의 {atr}%로 변동성이 낮아 수수료를 넘기 어려우므로 관망합니다.",
        "en": "ATR is {atr}% of the price, too calm to earn the fees: waiting.",
    },
    "above": {
        "ko": "최근 20분 고점을 ATR의 {size}배만큼 상향 돌파하여 롱에 진입합니다.",
        "en": "Broke {size} ATR above the high of the last 20 minutes: long.",
    },
    "below": {
        "ko": "최근 20분 저점을 ATR의 {size}배만큼 하향 이탈하여 숏에 진입합니다.",
        "en": "Broke {size} ATR below the low of the last 20 minutes: short.",
    },
    "golden": {
        "ko": "EMA 8/21 골든크로스가 {age}분 전에 나왔고 RSI {rsi}에서 상승이 확인되어 롱에 진입합니다.",
        "en": "EMA 8/21 golden cross {age} min ago, confirmed by RSI {rsi}: long.",
    },
    "dead": {
        "ko": "EMA 8/21 데드크로스가 {age}분 전에 나왔고 RSI {rsi}에서 하락이 확인되어 숏에 진입합니다.",
        "en": "EMA 8/21 death cross {age} min ago, confirmed by RSI {rsi}: short.",
    },
    "rebound": {
        "ko": "RSI {rsi} 과매도 구간에서 반등 양봉이 나와 롱에 진입합니다.",
        "en": "RSI {rsi} is oversold and the newest candle turns up: long.",
    },
    "setback": {
        "ko": "RSI {rsi} 과매수 구간에서 반락 음봉이 나와 숏에 진입합니다.",
        "en": "RSI {rsi} is overbought and the newest candle turns down: short.",
    },
    "against": {
        "ko": "EMA 8/21이 {age}분 전에 포지션과 반대로 교차하여 포지션을 종료합니다.",
        "en": "EMA 8/21 crossed against the position {age} min ago: closing.",
    },
    "faded": {
        "ko": "ATR이 가격의 {atr}%로 움직임이 사라져 포지션을 종료합니다.",
        "en": "ATR is {atr}% of the price, the move is over: closing.",
    },
    "half": {
        "ko": "RSI {rsi}로 수익 방향의 과열 구간이어서 절반을 종료합니다.",
        "en": "RSI {rsi} is stretched in the position's favour: closing half.",
    },
    "nearer": {
        "ko": "RSI {rsi}로 과열 구간이어서 손절을 조입니다.",
        "en": "RSI {rsi} is stretched: bringing the stop nearer.",
    },
    "long_only": {
        "ko": "숏 신호가 있으나 롱만 거래하라는 요청에 따라 관망합니다.",
        "en": "A short signal, but only longs are wanted: waiting.",
    },
    "short_only": {
        "ko": "롱 신호가 있으나 숏만 거래하라는 요청에 따라 관망합니다.",
        "en": "A long signal, but only shorts are wanted: waiting.",
    },
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding: its code in `SENTENCES` and the numbers in it."""

    code: str
    numbers: Mapping[str, str] = field(default_factory=dict)

    def said(self, language: Language) -> str:
        """The finding in *language*."""
        return SENTENCES[self.code][language].format_map(self.numbers)
