"""What the bundled rules say: the word that fits the RSI, in the language they are asked in."""

import json
import tomllib
from decimal import Decimal
from typing import Any

import pytest

from app.ui.rule_words import RULES, in_language
from lib.domain.analyst_name import RULES_MODEL
from lib.simulator.analyst.completions import Analyst
from lib.simulator.analyst.rule_words import SENTENCES, Language
from lib.simulator.analyst.rules import Question, analyse, zone
from lib.trading.cycle.prompt import system_text
from tests.simulator.test_analyst import candles_through, content_of, walk

LANGUAGES: tuple[Language, Language] = ("ko", "en")
ENGLISH = "You are a trader. Answer with JSON."


@pytest.mark.parametrize(
    ("rsi", "word"),
    [
        *(("0", "oversold"), ("24", "oversold"), ("29.4", "oversold"), ("29.5", "neutral"), ("30", "neutral")),
        *(("50", "neutral"), ("70", "neutral"), ("70.4", "neutral"), ("70.6", "overbought"), ("89", "overbought")),
        ("100", "overbought"),
    ],
)
def test_an_rsi_is_called_by_the_number_that_is_shown(rsi: str, word: str) -> None:
    assert zone(Decimal(rsi)) == word


def reasons(language: Language) -> list[tuple[int, str]]:
    """The RSI and the reason of many holds without a signal."""
    found = []
    for seed in range(600):
        reason = analyse(Question(walk(seed), "medium", 10, "", language)).reason
        if "RSI가 " in reason or "RSI at " in reason:
            found.append((int(reason.split("RSI가 " if language == "ko" else "RSI at ")[1].split("(")[0]), reason))
    return found


@pytest.mark.parametrize(
    ("language", "low", "middle", "high"),
    [("ko", "과매도", "중립", "과매수"), ("en", "oversold", "neutral", "overbought")],
)
def test_a_hold_never_calls_a_stretched_rsi_neutral(language: Language, low: str, middle: str, high: str) -> None:
    found = reasons(language)
    assert {rsi > 70 for rsi, _ in found} == {rsi < 30 for rsi, _ in found} == {True, False}
    for rsi, reason in found:
        assert (high in reason, low in reason, middle in reason) == (rsi > 70, rsi < 30, 30 <= rsi <= 70)


def said(system: str | None) -> str:
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system is not None else []
    flat = [Decimal(60_000) + (n % 2) * 30 for n in range(29)]
    messages.append({"role": "user", "content": content_of(candles_through([*flat, Decimal(60_150)]))})
    reply = Analyst().reply({}, json.dumps({"model": "gpt-6-luna", "messages": messages}).encode())
    whole = json.loads(reply.body)
    assert whole["model"] == RULES_MODEL  # whatever they are asked as
    return str(json.loads(whole["choices"][0]["message"]["content"])["reason"])


def test_the_rules_answer_in_the_language_they_are_asked_in() -> None:
    assert "상향 돌파" in said(system_text("BTCUSDT", ""))
    assert "상향 돌파" in said(None)
    assert said(ENGLISH).startswith("Broke ")


def test_every_finding_has_both_languages() -> None:
    for sentence in SENTENCES.values():
        assert set(sentence) == {"ko", "en"}


def test_pages_know_the_same_sentences_and_show_each_in_the_readers_language() -> None:
    listed = tomllib.loads(RULES.read_text(encoding="utf-8"))
    assert listed == {sentence["en"]: sentence["ko"] for sentence in SENTENCES.values()}
    for sentence in SENTENCES.values():
        numbers = dict.fromkeys(("rsi", "atr", "size", "age"), "7.5")
        korean, english = (sentence[language].format_map(numbers) for language in LANGUAGES)
        assert (in_language(english, "ko"), in_language(korean, "ko")) == (korean, korean)
        assert (in_language(korean, "en"), in_language(english, "en")) == (english, english)
