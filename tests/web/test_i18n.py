"""Both catalogues say the same things, every key the screens and the use-cases name is there, money reads well."""

import re
from decimal import Decimal
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.i18n import LANGUAGES, catalogue, preferred
from app.ui.logs import OUTCOMES, outcome_colours
from app.ui.orders import clamp_cells, side_words
from app.ui.palette import palette
from app.ui.tiles import falls, thinned
from app.ui.write import cost, count, duration, exact, money, percent, plus, price, writing_for
from lib.domain.account import VENUES, Numbers, RiskLevel
from lib.domain.order import OrderState
from lib.domain.position import Side
from lib.queries import ClampRow
from lib.reason_text import catalogue as reason_catalogue

ROOT = Path(__file__).resolve().parents[2]
KEY = re.compile(r'\bt\(\s*"([a-z_]+\.[a-zA-Z_.]+)"')
REFUSED = re.compile(r'"(refuse\.[a-z_.]+[a-z])"')


def parameters(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def named(pattern: re.Pattern[str], *folders: str) -> set[str]:
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return {key for path in files for key in pattern.findall(path.read_text(encoding="utf-8"))}


def test_both_catalogues_have_the_same_keys_and_parameters() -> None:
    korean, english = (catalogue(language) for language in LANGUAGES)
    assert list(korean) == list(english)
    assert {key: parameters(text) for key, text in korean.items()} == {
        key: parameters(text) for key, text in english.items()
    }
    assert all(text.strip() for text in (*korean.values(), *english.values()))


def test_every_key_in_the_code_is_in_the_catalogues() -> None:
    wanted = named(KEY, "app") | named(REFUSED, "app", "lib")
    wanted |= {f"outcome.{name}" for name in OUTCOMES} | {f"venue.{name}" for name in VENUES}
    wanted |= {f"state.{state.value}" for state in OrderState} | {f"risk.{level.value}" for level in RiskLevel}
    assert len(wanted) > 100
    assert wanted - set(catalogue("ko")) == set()


def test_every_outcome_has_a_colour() -> None:
    for rises_red in (True, False):
        assert len(outcome_colours(palette(rises_red=rises_red))) == len(OUTCOMES)


def test_a_rise_is_red_as_in_korea_or_green_and_never_both() -> None:
    korean, other = palette(rises_red=True), palette(rises_red=False)
    assert (korean.badges, other.badges) == (("red", "blue"), ("green", "red"))
    assert korean.of("up") == other.of("down") != korean.of("down")
    assert outcome_colours(korean)[:2] == korean.badges


@pytest.mark.parametrize(
    ("locale", "language"), [("ko-KR", "ko"), ("ko", "ko"), ("en-GB", "en"), ("fr", "en"), (None, "ko"), ("", "ko")]
)
def test_the_browser_chooses_the_language(locale: str | None, language: str) -> None:
    assert preferred(locale) == language


@given(st.decimals(-(10**12), 10**12, places=8))
def test_money_is_within_half_a_cent_of_what_it_shows(value: Decimal) -> None:
    shown = Decimal(money(value, signed=True).replace(",", ""))
    assert abs(shown - value) <= Decimal("0.005")


@given(st.decimals(-(10**12), 10**12, places=18))
def test_exact_loses_nothing(value: Decimal) -> None:
    assert Decimal(exact(value).replace(",", "")) == value


def test_money_is_written_as_people_read_it() -> None:
    assert money(Decimal("1234567.891")) == "1,234,567.89"
    assert money(Decimal("12.5"), signed=True) == "+12.50"
    assert money(Decimal("-0.001"), signed=True) == "0.00"
    assert money(None) == "–"
    assert percent(Decimal("0.0412")) == "4.12%"
    assert duration(125) == ("age.minutes", 2)


@pytest.mark.parametrize(
    ("numbers", "written"),
    [
        ("point", ["-1,234,567.89", "+1,204.12%", "1,234.5678", "64,120.5", "+1,234.5", "1,000.33", "1,234", "–"]),
        ("comma", ["-1.234.567,89", "+1.204,12%", "1.234,5678", "64.120,5", "+1.234,5", "1.000,33", "1.234", "–"]),
        ("space", ["-1 234 567,89", "+1 204,12%", "1 234,5678", "64 120,5", "+1 234,5", "1 000,33", "1 234", "–"]),
    ],
)
def test_every_number_is_written_as_its_reader_has_it(numbers: Numbers, written: list[str]) -> None:
    with writing_for(numbers):
        assert [
            money(Decimal("-1234567.891")),
            percent(Decimal("12.0412"), signed=True),
            exact(Decimal("1234.56780")),
            price(Decimal("64120.5")),
            plus(Decimal("1234.5")),
            cost(Decimal("1000.33"), ()),
            count(1234),
            money(None),
        ] == [one.replace(" ", "\u202f") for one in written]
    assert money(Decimal(1000)) == "1,000.00", "nobody's way outlasts what was written for them"


@given(st.lists(st.decimals(1, 10**6, places=2), min_size=1, max_size=300))
def test_a_sparkline_keeps_its_ends_and_a_fall_is_never_a_gain(curve: list[Decimal]) -> None:
    assert len(thinned(curve)) <= 60
    assert (thinned(curve)[0], thinned(curve)[-1]) == (curve[0], curve[-1])
    assert all(Decimal(-1) < fall <= 0 for fall in falls(curve))


SAID_WRONG = {
    "ko": (
        r"(?<!강제 )청산(?!가)",  # liquidation; a close is 종료
        r"매수|매도",  # an entry is 롱 진입 or 숏 진입
        r"봉인",
        r"키 (?:넣기|지우기)|다른 손|최고점 대비|현금 잔고|캔들 \{|모두 \{total\}|노출 한도|확신(?!도)|물어보기",
        r"GPT (?:응답|의견|사용|무응답)|GPT의|GPT가 (?:답|말)",  # only a model is GPT
    ),
    "en": (r"[Aa]nother hand", r"[Rr]est after", r"\bproved\b", r"is not right", r"GPT(?:'s| answers| usage)"),
}
"""What stood on pages once, and reads wrong to a trader."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_are_a_traders(language: str) -> None:
    said = [*catalogue(language).values(), *(reasons("ko") if language == "ko" else reasons("en"))]
    found = [(wrong, text) for wrong in SAID_WRONG[language] for text in said if re.search(wrong, text)]
    assert found == []


def reasons(language: str) -> list[str]:
    """Everything a page in *language* says in the engine's place."""
    said = reason_catalogue(language)
    words = (text for known in said.words.values() for text in known.values())
    return [text for text in (*said.sentences.values(), *words) if text]


def test_each_language_is_alone_on_its_page() -> None:
    assert not [text for text in (*catalogue("en").values(), *reasons("en")) if re.search("[가-힣]", text)]
    assert not [text for text in reasons("ko") if not re.search("[가-힣]", text) and not text.startswith("{")]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("64120.5", "64,120.5"),
        ("64120.54321", "64,120.5"),
        ("3120.5", "3,120.50"),
        ("0.12345678", "0.123457"),
        ("0", "0.0"),
    ],
)
def test_a_price_has_one_precision_everywhere(value: str, shown: str) -> None:
    assert price(Decimal(value)) == shown


@pytest.mark.parametrize(
    ("side", "is_exit", "key"),
    [
        ("buy", False, "long_entry"),
        ("sell", False, "short_entry"),
        ("sell", True, "long_exit"),
        ("buy", True, "short_exit"),
    ],
)
def test_an_order_is_named_by_what_it_does_to_the_position(side: Side, is_exit: bool, key: str) -> None:
    assert side_words(side, str, is_exit=is_exit) == f"side.{key}"


def test_a_short_of_a_long_only_account_is_named_in_words() -> None:
    for left in ("hold", "close"):
        cells = clamp_cells(ClampRow("long_only", "sell", left), lambda key: key)
        assert cells == ("clamp.long_only", "clamp.sell", f"clamp.{left}")
        assert all(cell in catalogue(language) for cell in cells for language in LANGUAGES)


CLAMPS = ("leverage: max_leverage", "leverage: liquidation", "qty: max_margin", "qty: platform_exposure", "take_profit")


@pytest.mark.parametrize("name", CLAMPS)
def test_a_cap_is_named_in_words(name: str) -> None:
    for language in LANGUAGES:
        assert f"clamp.{name}" in catalogue(language)
    cells = clamp_cells(ClampRow(name, "0.120", "0.05"), lambda key: key)
    assert cells[1:] == {
        "leverage": ("0.120×", "0.05×"), "qty": ("0.12", "0.05"), "take_profit": ("12.00%", "5.00%"),
    }[name.partition(":")[0]]  # fmt: skip
