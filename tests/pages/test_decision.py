"""The log's filters and one decision in full: addresses that stay, what the analyst saw, texts letter by letter."""

import json
from dataclasses import replace

import pytest

from app.i18n import catalogue
from app.ui.logs import words_of
from app.ui.seen import precision_of, seen_rows
from lib.queries import LogDetail, Words
from tests.pages.conftest import Visit
from tests.pages.test_pages import component, tree
from tests.worlds.pages import HOSTILE, NOW_MS, Shelf

CANDLE = {"timestamp": NOW_MS, "open": "64000.1", "high": "64020", "low": "63990", "close": "64010.25", "volume": "1.5"}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_decision_has_a_permanent_address_of_its_own(visit: Visit, language: str) -> None:
    at = visit("t-owner", "trade_logs", language, id="60")
    assert not at.exception
    words = catalogue(language)
    shown = [title.value for title in at.subheader]
    assert {words["detail.view"], words["detail.orders"], words["detail.asked"]} <= set(shown)
    assert [one.key for one in at.selectbox] == [], "the log is not there"
    data = component(at, "seen")
    assert data["rows"] == [[NOW_MS // 1000, 64000.1, 64020.0, 63990.0, 64010.25, 1.5]]
    assert [line["price"] for line in data["lines"]] == [64120.5, 63820.0, 64710.0]  # type: ignore[attr-defined]


def test_back_from_it_is_the_log(visit: Visit) -> None:
    at = visit("t-owner", "trade_logs", id="60")
    at.button(key="close").click().run()
    assert not at.exception
    assert "id" not in at.query_params
    assert len(at.dataframe) == 1


@pytest.mark.parametrize("asked", ["61", "0", "99999999999999999999", "-1", "x", ""])
def test_an_address_of_no_decision_of_ones_own_shows_none(visit: Visit, asked: str) -> None:
    at = visit("t-owner", "trade_logs", id=asked)
    assert not at.exception
    assert HOSTILE not in tree(at) or len(at.dataframe) == 1


def test_texts_clamps_tokens_and_cost_are_told_as_they_are(visit: Visit) -> None:
    at = visit("t-owner", "trade_logs", "en", id="60")
    codes = [code.value for code in at.code]
    assert len(codes) == 4
    assert "</b>" in codes[3], "a block as it was sent, letter by letter"
    assert HOSTILE in codes[1]
    assert json.loads(codes[0])["leverage"] == 12
    texts = [text.value for text in at.text]
    assert "Leverage (your maximum): asked 12× → allowed 8×" in texts
    captions = " ".join(caption.value for caption in at.caption)
    assert "900 asked + 60 answered" in captions
    assert "0.000171" in captions
    assert "left out: only 3 of 14 candles" in captions


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ({"action": "close", "close_fraction": "0.5"}, ["Close", "78%", "50.00%"]),
        ({"action": "tighten"}, ["Tighten stop", "78%", "0.40%"]),
    ],
)
def test_of_an_act_only_the_numbers_it_says_are_shown(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, view: dict[str, str], said: list[str]
) -> None:
    whole = Shelf.log_detail
    numbers = {"confidence": "0.78", "leverage": 1, "stop_loss": "0.004", "take_profit": "0", "reason": "enough"}

    def acted(self: Shelf, user_id: int, log_id: int) -> LogDetail | None:
        found = whole(self, user_id, log_id)
        return found and replace(found, decision={**numbers, **view})

    monkeypatch.setattr(Shelf, "log_detail", acted)
    at = visit("t-owner", "trade_logs", "en", id="60")
    assert not at.exception
    assert [metric.value for metric in at.metric][:3] == said


def test_of_an_archived_decision_the_view_stays_and_the_texts_say_where_they_are(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Shelf.log_detail

    def archived(self: Shelf, user_id: int, log_id: int) -> LogDetail | None:
        found = whole(self, user_id, log_id)
        return found and replace(found, prompt="", raw_answer="", archived=True)

    monkeypatch.setattr(Shelf, "log_detail", archived)
    at = visit("t-owner", "trade_logs", "en", id="60")
    assert not at.exception
    assert "The prompt and the raw answer are in the archive. An operator can bring them back." in [
        text.value for text in at.text
    ]
    assert [json.loads(code.value)["leverage"] for code in at.code] == [12], "the view stays"
    captions = [caption.value for caption in at.caption]
    assert "900 asked + 60 answered" in " ".join(captions)
    assert "The candles the analyst was shown are in the archive." in captions
    assert not [column for column in at.columns if not column.children], "no hole where the chart was"


def test_the_log_is_filtered_by_trades_and_words_and_the_address_says_so(visit: Visit) -> None:
    at = visit("t-owner", "trade_logs", "en", shown="trades")
    outcomes = {cell[0] for cell in at.dataframe[0].value["outcome"]}
    assert outcomes == {catalogue("en")[f"outcome.{name}"] for name in ("bought", "sold", "closed")}
    at.text_input(key="words").set_value("momentum turned").run()
    assert at.query_params["words"] == "momentum turned"
    assert all("momentum turned" in why for why in at.dataframe[0].value["why"])
    at.text_input(key="words").set_value("nobody said this").run()
    assert [info.value for info in at.info] == [catalogue("en")["log.none"]]


@pytest.mark.parametrize(
    ("begins", "ends", "rows"),
    [("2026-09-21", "2026-09-21", True), ("2026-09-20", "2026-09-20", False), ("x", "9", True)],
)
def test_the_log_is_filtered_by_dates(visit: Visit, begins: str, ends: str, rows: bool) -> None:
    at = visit("t-owner", "trade_logs", "en", span="dates", **{"from": begins, "to": ends})
    assert not at.exception
    assert bool(len(at.dataframe)) == rows


@pytest.mark.parametrize(("typed", "language"), [("DEATH cross", "en"), ("데드크로스", "ko")])
def test_what_the_rules_said_in_the_other_language_is_looked_for_too(typed: str, language: str) -> None:
    found = words_of(f"  {typed} ", language)
    assert found is not None
    assert found.text == typed
    [parts] = found.sentences
    assert len(parts) == 3
    assert parts[0] == ("EMA 8/21 데드크로스가 " if language == "en" else "EMA 8/21 death cross ")
    assert words_of("{rsi}", language) == Words("{rsi}")
    assert words_of("   ", language) is None


@pytest.mark.parametrize("stored", ["", "[]", "{", "null", "[1]", '[{"timestamp": 1}]', "[" * 5_000, '{"a": 1}'])
def test_what_is_no_list_of_candles_is_no_picture(stored: str) -> None:
    assert seen_rows(stored) == []


def test_candles_are_drawn_once_each_in_order_with_the_digits_they_have() -> None:
    rows = seen_rows(json.dumps([CANDLE, CANDLE | {"timestamp": NOW_MS - 60_000}, CANDLE]))
    assert [row[0] for row in rows] == [NOW_MS // 1000 - 60, NOW_MS // 1000]
    assert precision_of(rows) == 2
    assert precision_of([]) == 1
