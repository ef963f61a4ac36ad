"""Every reason has its sentence in every language, says all it knows, and is the reader's own language."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from string import Formatter

import pytest
from hypothesis import given

from lib.domain import reason_codes as codes
from lib.domain.errors import Halt, Retry
from lib.domain.reason import CODES, NOTHING, WORDS, Kind, Reason, text
from lib.reason_text import LANGUAGES, MOST_CODES, catalogue, codes_saying, outline, said, told, word
from tests.reasons import ALL, reasons, samples

UNSAID = {"type", "path", "problem", "link"}
"""Parameters a sentence may leave out: names of the program's own, kept for the log."""
NOT_BY_THEMSELVES = {"text", "settled_by", "bybit_says", "daily_operators", "and_also"}
"""Sentences made of their parameters alone."""
TERMS = {
    "IP",
    "MDD",
    "USDT",
    "API",
    "REST",
    "JSON",
    "HTTP",
    "UTA",
    "ADL",
    "Bybit",
    "NaN",
    "KST",
    "TLS",
    "ENCRYPTION",
    "KEY",
}
TERMS |= {"make", "migrate", "TRADING", "ENABLED", "BTCUSDT", "EC", "PostOnlyWillTakeLiquidity"}
IDENTIFIER = re.compile(r"\b[a-z]+_[a-z_]+|/v5/|\w+Error\b|another hand|\bproved\b")
"""What a program calls a thing, or what we used to: no page says it."""


def places(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name is not None]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_one_sentence_and_no_sentence_is_without_a_code(language: str) -> None:
    assert set(catalogue(language).sentences) == set(CODES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_names_every_parameter_of_its_code_and_no_other(language: str) -> None:
    for code in CODES:
        named, known = set(places(catalogue(language).sentences[code])), set(CODES[code].params)
        assert named <= known, code
        assert known - named <= UNSAID, code


def test_every_code_is_said_in_every_language_and_in_korean_without_english_words() -> None:
    for code in ALL:
        for made in samples(code):
            korean, english = said(made, "ko"), said(made, "en")
            assert set(re.findall("[A-Za-z]+", korean)) <= TERMS, (code, korean)
            assert english, code
            assert not IDENTIFIER.search(english), (code, english)
            assert re.search("[가-힣]", korean) or code in NOT_BY_THEMSELVES, (code, korean)
            assert "{" not in korean + english, code


def test_an_english_sentence_has_no_korean_of_its_own() -> None:
    assert [code for code in ALL if re.search("[가-힣]", catalogue("en").sentences[code])] == []


@given(reasons())
def test_any_parameters_can_be_said(made: Reason) -> None:
    for language in LANGUAGES:
        assert isinstance(said(made, language), str)


def test_both_languages_know_the_same_words_of_every_kind() -> None:
    assert {language: set(catalogue(language).words) for language in LANGUAGES} == dict.fromkeys(LANGUAGES, WORDS)
    for kind in WORDS:
        assert set(catalogue("ko").words[kind]) == set(catalogue("en").words[kind])


def test_no_reason_says_nothing() -> None:
    assert [said(NOTHING, language) for language in LANGUAGES] == ["", ""]


@pytest.mark.parametrize(
    ("made", "ko", "en"),
    [
        (
            codes.CONFIDENCE_LOW(confidence=Decimal("0.60"), least=Decimal("0.65")),
            "확신도가 기준보다 낮습니다 (60% < 65%).",
            "confidence 60% is under your 65%",
        ),
        (
            codes.ENTRIES_LOCKED(locks="daily_loss, platform: exposure"),
            "새 진입이 잠겨 있습니다: 하루 손실, 총 포지션 한도",
            "entries are locked: daily loss, total position limit",
        ),
        (codes.ACKNOWLEDGED(), "거래소가 접수했습니다.", "taken by the exchange"),
        (
            codes.VENUE_SILENT(path="/v5/order/create", type="ReadTimeout"),
            "거래소가 응답하지 않았습니다.",
            "the exchange did not reply",
        ),
        (
            codes.CLOSED_NOT_TURNED(why=codes.DAILY_LOSS(lost=Decimal("0.051"), limit=Decimal("0.05"))),
            "포지션만 종료하고 반대로 진입하지 않았습니다: 오늘 손실이 5.1%로 한도 5%에 닿았습니다.",
            "closed without turning: today's loss of 5.1% reached your limit of 5%",
        ),
        (
            codes.PLATFORM_EXPOSURE(exposure=Decimal("5000000.5"), limit=5_000_000),
            "총 포지션이 5,000,000.50 USDT로 한도 5,000,000 USDT에 닿았습니다.",
            "positions of 5,000,000.50 USDT reached the platform's limit of 5,000,000",
        ),
    ],
    ids=lambda each: each.code if isinstance(each, Reason) else "",
)
def test_a_reader_is_told_what_happened_in_their_words(made: Reason, ko: str, en: str) -> None:
    assert (said(made, "ko"), said(made, "en")) == (ko, en)


def test_a_moment_is_korean_time_for_korean_and_utc_for_english() -> None:
    at = datetime(2026, 5, 1, 20, 30, tzinfo=UTC)
    made = codes.MAINTENANCE_UNTIL(until=round(at.timestamp() * 1000))
    assert f"{at + timedelta(hours=9):%Y-%m-%d %H:%M}" in said(made, "ko")
    assert "2026-05-01 20:30 UTC" in said(made, "en")


@pytest.mark.parametrize("words", ["EC_PostOnlyWillTakeLiquidity", "{why} %s {0}", "상승 추세가 이어져 매수합니다."])
@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_elses_text_stays_letter_by_letter(words: str, language: str) -> None:
    assert said(text(words), language) == words
    assert said(codes.ANALYST_ABSTAINED(why=text(words)), language).endswith(words)


def test_a_word_nobody_listed_is_itself() -> None:
    assert word(Kind.LOCKS, "daily_loss", "ko") == "하루 손실"
    assert word(Kind.LOCKS, "made_up", "ko") == "made_up"


def test_a_language_nobody_wrote_reads_the_first() -> None:
    assert said(codes.CLAIMED(), "xx") == said(codes.CLAIMED(), "ko")


def test_an_operator_is_told_what_a_sentence_leaves_out() -> None:
    away = Retry(codes.DATABASE_AWAY(type="OperationalError 2003"))
    assert told(away, "en") == "the database is busy or away (OperationalError 2003)"
    assert told(Retry(codes.KEY_EXPIRED()), "en") == "the API key has expired"
    assert told(Halt("DATABASE_URL is missing"), "en") == "DATABASE_URL is missing"
    assert told(ValueError("no such account"), "ko") == "no such account"


def test_counted_reasons_leave_their_figures_out() -> None:
    assert outline("candles_missing", "en") == "only … of … candles"


@pytest.mark.parametrize(("words", "language"), [("확신도", "ko"), ("CONFIDENCE", "en")])
def test_codes_are_found_by_the_words_their_sentences_have(words: str, language: str) -> None:
    assert "confidence_low" in codes_saying(words, language)
    assert codes_saying("no sentence has these words", language) == ()
    assert codes_saying("{confidence}", language) == (), "a parameter's name is nobody's word"
    assert len(codes_saying("", language)) == MOST_CODES


@pytest.mark.parametrize(
    ("share", "told"),
    [
        ("0.05071", "5.07%"), ("0.001", "0.1%"), ("-0.00024856", "-0.025%"), ("0.00055", "0.055%"),
        ("-0.000003", "-0.0003%"), ("0", "0%"), ("-0.0", "0%"), ("-0.0000000001", "0%"),
    ],
)  # fmt: skip
def test_a_share_says_what_there_is_of_it(share: str, told: str) -> None:
    said_ = said(codes.EVIDENCE_AHEAD(low=Decimal(share), days=30), "en")
    assert f"at least {told} a decision" in said_
