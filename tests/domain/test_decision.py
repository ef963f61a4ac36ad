"""The analyst's answer: valid ones round-trip, everything else abstains, nothing raises, nothing is guessed."""

import json
import unicodedata
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.decision import (
    KEYS,
    MAX_ANSWER_BYTES,
    MAX_LEVERAGE,
    MAX_REASON_CHARS,
    Abstained,
    Decision,
    clean_text,
    parse_decision,
)
from lib.domain.reason import Reason
from tests.effort import examples
from tests.factories import answer_json, decision
from tests.reasons import english

fractions = st.decimals(min_value=0, max_value=1, places=6)
visible = st.text(st.characters(exclude_categories=["C"]), max_size=200).map(
    lambda text: unicodedata.normalize("NFC", text).strip()
)
valid_decisions = st.builds(
    Decision,
    action=st.sampled_from(["buy", "sell", "hold"]),
    confidence=fractions,
    leverage=st.integers(1, MAX_LEVERAGE),
    reason=visible,
    stop_loss=fractions,
    take_profit=fractions,
)
VALID = answer_json()


def written(view: Decision, *, ascii_only: bool = False) -> str:
    """*view* as JSON with its numbers exactly as they are."""
    return (
        f'{{"action": "{view.action}", "confidence": {view.confidence:f}, "leverage": {view.leverage}, '
        f'"reason": {json.dumps(view.reason, ensure_ascii=ascii_only)}, '
        f'"stop_loss": {view.stop_loss:f}, "take_profit": {view.take_profit:f}}}'
    )


def with_value(key: str, literal: str) -> str:
    """The valid answer with *key*'s value replaced by the JSON (or not) text *literal*."""
    pairs = {name: json.dumps(value) for name, value in json.loads(VALID).items()} | {key: literal}
    return "{" + ", ".join(f'"{name}": {value}' for name, value in pairs.items()) + "}"


@given(valid_decisions, st.booleans(), st.booleans())
def test_a_valid_answer_is_read_exactly_as_it_was_written(view: Decision, ascii_only: bool, as_bytes: bool) -> None:
    text = written(view, ascii_only=ascii_only)
    assert parse_decision(text.encode() if as_bytes else text) == view


def test_numbers_are_read_from_their_text_and_never_through_float() -> None:
    read = parse_decision(with_value("confidence", "0.1000000000000000055511151231257827"))
    assert isinstance(read, Decision)
    assert read.confidence == Decimal("0.1000000000000000055511151231257827")


@given(st.permutations(sorted(KEYS)), st.sampled_from([(",", ":"), (" ,\n", "\t: ")]))
def test_the_order_of_keys_and_white_space_mean_nothing(keys: list[str], separators: tuple[str, str]) -> None:
    value = json.loads(VALID)
    assert parse_decision(json.dumps({key: value[key] for key in keys}, separators=separators)) == decision()


@pytest.mark.parametrize("zero", ["0", "0.0", "0e0", "1", "1.0", "1e0", "-0"])
def test_the_ends_of_a_fraction_are_inside(zero: str) -> None:
    assert isinstance(parse_decision(with_value("confidence", zero)), Decision)


@pytest.mark.parametrize("leverage", [1, MAX_LEVERAGE])
def test_the_ends_of_leverage_are_inside(leverage: int) -> None:
    assert parse_decision(answer_json(leverage=leverage)) == decision(leverage=leverage)


TEN_MEGABYTES = 10_000_000

HOSTILE: dict[str, str | bytes | None] = {
    "nothing at all": None,
    "no text": "",
    "no bytes": b"",
    "white space": " \n\t ",
    "a NUL": "\x00",
    "prose": "I would buy here with 5x leverage, stop 2 %, target 5 %.",
    "prose before": f"Sure! {VALID}",
    "prose after": f"{VALID} Good luck!",
    "two answers": f"{VALID}{VALID}",
    "two answers in lines": f"{VALID}\n{VALID}",
    "an answer in a list": f"[{VALID}]",
    "an answer in an answer": f'{{"answer": {VALID}}}',
    "an answer in a string": json.dumps(VALID),
    "null": "null",
    "true": "true",
    "a number": "42",
    "a string": '"buy"',
    "an empty object": "{}",
    "an empty list": "[]",
    "a bare NaN": "NaN",
    "an open brace": "{",
    "a closing brace": "}",
    "a missing last brace": VALID[:-1],
    "one brace too many": VALID + "}",
    "a trailing comma": VALID[:-1] + ",}",
    "a comma after": VALID + ",",
    "single quotes": VALID.replace('"', "'"),
    "full-width quotes": VALID.replace('"', "＂"),
    "typographic quotes": VALID.replace('"', "“"),
    "a full-width colon": VALID.replace(": ", "："),
    "no quotes": VALID.replace('"', ""),
    "a comment": VALID.replace("{", "{ // view\n", 1),
    "a byte order mark": "\ufeff" + VALID,
    "a byte order mark in bytes": b"\xef\xbb\xbf" + VALID.encode(),
    "UTF-16": VALID.encode("utf-16"),
    "UTF-32": VALID.encode("utf-32"),
    "Latin-1": answer_json(reason="café").encode("latin-1"),
    "broken UTF-8": VALID.encode().replace(b"trend", b"\xff\xfe"),
    "overlong UTF-8": VALID.encode().replace(b"trend", b"\xc0\xaf"),
    "a lone surrogate": VALID.replace("trend", "\ud800"),
    "a lone surrogate in an action": with_value("action", r'"buy\ud800"'),
    "a lone surrogate in a key": VALID.replace("action", r"action\udfff"),
    "a raw newline in a string": VALID.replace("the trend", "the\ntrend"),
    "a raw control character": VALID.replace("the trend", "the\x07trend"),
    "a bad escape": VALID.replace("the trend", r"the \x trend"),
    "half an escape": VALID.replace("the trend", r"the \u12 trend"),
    "deep lists": "[" * 8_000,
    "deep lists, closed": "[" * 8_000 + "]" * 8_000,
    "deep objects": '{"a":' * 3_000,
    "deep lists in a value": with_value("confidence", "[" * 5_000 + "]" * 5_000),
    "a deep reason": with_value("reason", '{"a":' * 2_500 + "1" + "}" * 2_500),
    "10 MB of spaces": VALID + " " * TEN_MEGABYTES,
    "10 MB of reason": answer_json(reason="x" * TEN_MEGABYTES),
    "10 MB of lists": "[" * TEN_MEGABYTES,
    "10 MB of digits": with_value("leverage", "9" * TEN_MEGABYTES),
    "10 MB of bytes": b"\xff" * TEN_MEGABYTES,
    "a key twice, equal": VALID[:-1] + ', "action": "buy"}',
    "a key twice, different": VALID[:-1] + ', "action": "sell"}',
    "a key twice, first": '{"leverage": 1, ' + VALID[1:],
    "a key twice, escaped": VALID[:-1] + r', "\u0061ction": "sell"}',
    "a key twice inside": with_value("reason", '{"a": 1, "a": 2}'),
    "a seventh key": answer_json(quantity=3),
    "an empty key": answer_json(**{"": 1}),
    "a proto key": answer_json(__proto__={"action": "sell"}),
    "a key in capitals": VALID.replace("action", "ACTION"),
    "a key with a space": VALID.replace('"action"', '"action "'),
    "a Cyrillic key": VALID.replace("action", "асtion"),
}

NOT_FRACTIONS = [
    *("true", "false", "null", "NaN", "Infinity", "-Infinity", "nan", "1e400", "-1e400", "1e-400", "-", "1e", "- 1"),
    *(
        "1e99999999999999999999",
        "0." + "1" * 60,
        "9" * 30,
        ".8",
        "8.",
        "+0.8",
        "0x1",
        "08",
        "1_0",
        "０.８",
        "0,8",
        "80%",
    ),
    *('""', "{}", "[]", "[0.8]"),
]
WRONG_VALUES = {
    "action": [
        *(
            '"BUY"',
            '"buy "',
            '"long"',
            '"close"',
            '""',
            r'"b\u0000uy"',
            '"ｂｕｙ"',
            "null",
            "1",
            "true",
            '["buy"]',
            "{}",
        )
    ],
    "confidence": [*NOT_FRACTIONS, '"0.8"', "-0.01", "1.01", "80"],
    "leverage": [
        *(
            '"5"',
            "5.0",
            "5e0",
            "true",
            "false",
            "null",
            "0",
            "-1",
            "126",
            "1000000",
            "1" + "0" * 11,
            "9" * 13,
            "9" * 5_000,
        ),
        *("1e400", "NaN", "Infinity", "[5]", "{}", '""', "0x5", "05", "５"),
    ],
    "reason": ["null", "1", "true", '["up"]', '{"text": "up"}', "NaN", "up"],
    "stop_loss": [*NOT_FRACTIONS, '"0.02"', "-0.02", "1.5", "58800", '"2%"'],
    "take_profit": [*NOT_FRACTIONS, '"0.05"', "-0.05", "1.0001", "63000", '"5%"'],
}
HOSTILE |= {f"{key} = {text[:24]}": with_value(key, text) for key, texts in WRONG_VALUES.items() for text in texts}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_abstains_with_a_reason(name: str) -> None:
    read = parse_decision(HOSTILE[name])
    assert isinstance(read, Abstained)
    assert 0 < len(english(read.why)) <= 200


@pytest.mark.parametrize("key", sorted(KEYS))
def test_an_answer_lacking_any_key_abstains_and_names_it(key: str) -> None:
    value = json.loads(VALID)
    del value[key]
    assert parse_decision(json.dumps(value)) == Abstained(codes.ANSWER_LACKS(fields=key))


@given(st.text(max_size=20).filter(lambda key: key not in KEYS))
def test_any_further_key_abstains_and_is_not_repeated_in_the_log(key: str) -> None:
    assert parse_decision(json.dumps(json.loads(VALID) | {key: 1})) == Abstained(codes.ANSWER_EXTRA_KEYS())


@pytest.mark.parametrize("key", sorted(KEYS))
def test_repeating_any_key_abstains(key: str) -> None:
    again = json.dumps({key: json.loads(VALID)[key]})[1:]
    assert parse_decision(f"{VALID[:-1]}, {again}") == Abstained(codes.ANSWER_REPEATS_KEY())


@given(valid_decisions, st.data())
def test_every_truncation_abstains(view: Decision, data: st.DataObject) -> None:
    text = written(view)
    assert isinstance(parse_decision(text[: data.draw(st.integers(0, len(text) - 1))]), Abstained)


@given(valid_decisions, st.text(min_size=1).filter(lambda text: text.strip(" \t\r\n") != ""), st.booleans())
def test_anything_around_an_answer_abstains(view: Decision, extra: str, before: bool) -> None:
    text = written(view)
    assert isinstance(parse_decision(extra + text if before else text + extra), Abstained)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["buy", "sell", "hold"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def is_fraction(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def is_leverage(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_LEVERAGE


MEANT: dict[str, Callable[[object], bool]] = {
    "action": lambda value: value in ("buy", "sell", "hold"),
    "confidence": is_fraction,
    "leverage": is_leverage,
    "reason": lambda value: isinstance(value, str),
    "stop_loss": is_fraction,
    "take_profit": is_fraction,
}


@examples(500)
@given(st.sampled_from(sorted(KEYS)), json_values)
@example("confidence", True)
@example("leverage", True)
def test_a_value_of_another_type_or_range_never_becomes_a_decision(key: str, value: object) -> None:
    read = parse_decision(json.dumps(json.loads(VALID) | {key: value}))
    if not MEANT[key](value):
        assert isinstance(read, Abstained)


@examples(500)
@given(st.text() | st.binary() | json_values.map(json.dumps))
def test_noise_never_raises_and_never_decides(noise: str | bytes) -> None:
    assert isinstance(parse_decision(noise), Abstained)


@examples(1_000)
@given(valid_decisions, st.data())
def test_a_corrupted_answer_never_raises_and_never_yields_a_value_out_of_range(
    view: Decision, data: st.DataObject
) -> None:
    raw = bytearray(written(view).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    read = parse_decision(bytes(raw))
    if isinstance(read, Decision):
        assert read.action in ("buy", "sell", "hold")
        assert all(0 <= number <= 1 for number in (read.confidence, read.stop_loss, read.take_profit))
        assert 1 <= read.leverage <= MAX_LEVERAGE


# --- the two wrappings, and a hold -----------------------------------------------------------------------------------

LABELS = ["```json", "```", "```JSON", "``` json "]


@given(valid_decisions, st.sampled_from(LABELS), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\n", " \n\n"]))
def test_one_code_fence_around_one_answer_is_taken_off(view: Decision, label: str, line: str, white: str) -> None:
    assert parse_decision(f"{white}{label}{line}{written(view)}{line}```{white}") == view


@given(valid_decisions, st.text(max_size=300).filter(lambda text: "<think>" not in text and "</think>" not in text))
def test_one_closed_thought_before_an_answer_is_taken_off(view: Decision, thought: str) -> None:
    assert parse_decision(f"<think>{thought}</think>\n\n{written(view)}") == view
    assert parse_decision(f"\n<think>{thought}</think>```json\n{written(view)}\n```") == view


@given(valid_decisions, st.text(min_size=1, max_size=40).filter(lambda text: text.strip(" \t\r\n") != ""))
def test_anything_beside_a_wrapping_abstains(view: Decision, extra: str) -> None:
    fenced, thought = f"```json\n{written(view)}\n```", f"<think>up</think>\n{written(view)}"
    for text in (extra + fenced, fenced + extra, thought + extra, f"<think>up</think>{extra}{written(view)}"):
        read = parse_decision(text)
        assert isinstance(read, Abstained) or (extra.strip(" \t\r\n") == "```" and read == view)
    assert isinstance(parse_decision(f"{extra}{thought}"), Abstained)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"<think>up {VALID}", codes.ANSWER_THOUGHT_UNENDED()),
        (f"<think><think>up</think>{VALID}", codes.ANSWER_THOUGHT_UNENDED()),
        (f"```python\n{VALID}\n```", codes.ANSWER_FENCE_BAD()),
        (f"```json\n{VALID}", codes.ANSWER_FENCE_BAD()),
        (f"```json {VALID}```", codes.ANSWER_FENCE_BAD()),
    ],
)
def test_a_wrapping_that_is_not_whole_is_named(text: str, why: Reason) -> None:
    assert parse_decision(text) == Abstained(why)


def test_a_long_thought_is_no_reason_to_abstain_but_the_answer_itself_stays_short() -> None:
    assert parse_decision(f"<think>{'x' * 100_000}</think>{VALID}") == decision()
    assert isinstance(parse_decision(f"<think>up</think>{padded_to(MAX_ANSWER_BYTES + 1)}"), Abstained)
    assert isinstance(parse_decision(f"<think>{'x' * 150_000}</think>{VALID}"), Abstained)


@pytest.mark.parametrize("number", ["null", "0", "0.0", "-1", "95", "1000", "126"])
def test_a_hold_needs_no_numbers_whatever_they_are(number: str) -> None:
    numbers = ", ".join(f'"{name}": {number}' for name in ("confidence", "leverage", "stop_loss", "take_profit"))
    read = parse_decision(f'{{"action": "hold", "reason": "flat", {numbers}}}')
    assert isinstance(read, Decision)
    assert (read.action, read.reason) == ("hold", "flat")
    assert 1 <= read.leverage <= MAX_LEVERAGE
    assert all(0 <= value <= 1 for value in (read.confidence, read.stop_loss, read.take_profit))


@given(st.sets(st.sampled_from(["confidence", "leverage", "stop_loss", "take_profit"])))
def test_a_hold_may_lack_any_of_its_numbers(lacking: set[str]) -> None:
    kept = {key: value for key, value in json.loads(answer_json(action="hold")).items() if key not in lacking}
    read = parse_decision(json.dumps(kept))
    assert isinstance(read, Decision)
    assert read.action == "hold"


@pytest.mark.parametrize("key", ["action", "reason"])
def test_a_hold_still_has_an_action_and_a_reason(key: str) -> None:
    value = json.loads(answer_json(action="hold"))
    del value[key]
    assert parse_decision(json.dumps(value)) == Abstained(codes.ANSWER_LACKS(fields=key))


@pytest.mark.parametrize("value", ['"0"', '"none"', "true", "[]", "{}", "NaN"])
@pytest.mark.parametrize("name", ["confidence", "leverage", "stop_loss", "take_profit"])
def test_what_is_no_number_at_all_abstains_in_a_hold_too(name: str, value: str) -> None:
    held = answer_json(action="hold").replace(f'"{name}": {json.loads(VALID)[name]}', f'"{name}": {value}')
    assert isinstance(parse_decision(held), Abstained)


def test_a_hold_keeps_the_numbers_that_mean_something() -> None:
    assert parse_decision(answer_json(action="hold")) == decision("hold")


@pytest.mark.parametrize("action", ["buy", "sell"])
@pytest.mark.parametrize("name", ["confidence", "leverage", "stop_loss", "take_profit"])
def test_what_trades_needs_every_number(action: str, name: str) -> None:
    assert isinstance(parse_decision(answer_json(action=action, **{name: None})), Abstained)


def padded_to(size: int) -> str:
    return answer_json(reason="x") + " " * (size - len(answer_json(reason="x")))


def test_the_size_cap_is_counted_in_bytes_and_exact() -> None:
    assert isinstance(parse_decision(padded_to(MAX_ANSWER_BYTES)), Decision)
    assert parse_decision(padded_to(MAX_ANSWER_BYTES + 1)) == Abstained(codes.ANSWER_BYTES(bytes=16385, limit=16384))
    assert isinstance(parse_decision(answer_json(reason="매" * (MAX_ANSWER_BYTES // 3))), Abstained)


def test_an_escaped_lone_surrogate_in_the_reason_is_only_blanked_text() -> None:
    assert parse_decision(with_value("reason", r'"up \ud800 up"')) == decision(reason="up   up")


def test_a_long_reason_is_cut_and_the_decision_stands() -> None:
    read = parse_decision(answer_json(reason="오" * 5_000))
    assert read == decision(reason="오" * MAX_REASON_CHARS)


@given(st.text(st.characters() | st.sampled_from("\u202e\u0000\u200d\ud800\ufeff가\u1100\u1161")), st.integers(0, 50))
def test_clean_text_is_short_composed_and_free_of_control_characters(text: str, limit: int) -> None:
    cleaned = clean_text(text, limit)
    assert len(cleaned) <= limit
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not any(unicodedata.category(c).startswith("C") for c in cleaned)
    assert clean_text(cleaned, limit).strip() == cleaned.strip()
    cleaned.encode()


def test_there_are_enough_hostile_answers_to_mean_something() -> None:
    assert len(HOSTILE) >= 40
