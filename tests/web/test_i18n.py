"""Both catalogues say the same things, every key the screens and the use-cases name is there, money reads well."""

import re
from decimal import Decimal
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.i18n import LANGUAGES, catalogue, preferred
from app.ui.logs import COLOURS, OUTCOMES
from app.ui.tiles import falls, thinned
from app.ui.write import duration, exact, money, percent
from lib.domain.account import VENUES, RiskLevel
from lib.domain.order import OrderState

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
    assert len(COLOURS) == len(OUTCOMES)


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


@given(st.lists(st.decimals(1, 10**6, places=2), min_size=1, max_size=300))
def test_a_sparkline_keeps_its_ends_and_a_fall_is_never_a_gain(curve: list[Decimal]) -> None:
    assert len(thinned(curve)) <= 60
    assert (thinned(curve)[0], thinned(curve)[-1]) == (curve[0], curve[-1])
    assert all(Decimal(-1) < fall <= 0 for fall in falls(curve))
