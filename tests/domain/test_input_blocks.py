"""Blocks beside the candles: chosen by name, shown in one order, and no trace of them in what runs without."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.account import AccountSettings
from lib.domain.input_blocks import (
    BY_NAME,
    CANDLES,
    OFFERED,
    Block,
    Shown,
    are_offered,
    in_order,
    inputs_text,
    note_of,
    read_inputs,
    read_shown,
    sent_values,
    shown_text,
)
from lib.domain.reason import NOTHING
from lib.domain.strategy import BLOCKS, DESIGN, is_offered, read, settings_with, strategy_of, written
from lib.domain.tokens import estimated

NAMES = st.lists(st.sampled_from(sorted(BY_NAME)))


def test_no_two_blocks_have_a_name_and_all_together_fit_their_column() -> None:
    assert len(BY_NAME) == len(OFFERED)
    assert len(inputs_text(OFFERED)) <= 400
    assert "candles_1m" not in BY_NAME


def test_the_version_of_the_answers_is_of_a_strategys_content_and_the_first_leaves_no_trace() -> None:
    assert "answer_version" not in written(DESIGN)
    second = replace(DESIGN, answer_version=2)
    assert read(written(second)) == second
    assert second.sha256 != DESIGN.sha256
    assert strategy_of(settings_with(second, AccountSettings())) == second
    assert read(written(DESIGN)) == DESIGN
    assert is_offered(second)
    with pytest.raises(ValueError, match="no such version"):
        read(written(second).replace('"answer_version":2', '"answer_version":3'))


@given(NAMES)
def test_a_choice_is_the_same_in_whatever_order_it_was_made(names: list[str]) -> None:
    chosen = in_order(names)
    assert chosen == in_order(reversed(names)) == read_inputs(inputs_text(chosen))
    assert are_offered(chosen)
    assert {block.name for block in chosen} == set(names)


@pytest.mark.parametrize("text", ["bars_2m", "bars_5m,", ",", "bars_5m, bars_1h", "candles_1m"])
def test_a_name_nobody_offers_is_no_choice(text: str) -> None:
    with pytest.raises(ValueError, match="no such input"):
        read_inputs(text)


def test_the_design_is_written_as_it_was_before_there_were_blocks() -> None:
    assert DESIGN.sha256 == sha256(written(DESIGN).encode()).hexdigest()
    assert '"blocks":[{"count":30,"interval":"1m","kind":"candles"}]' in written(DESIGN)
    assert DESIGN.inputs == () == AccountSettings().inputs


@given(NAMES)
def test_blocks_are_of_the_version_and_go_the_whole_way_round(names: list[str]) -> None:
    chosen = replace(DESIGN, blocks=(*BLOCKS, *in_order(names)))
    assert is_offered(chosen)
    assert read(written(chosen)) == chosen
    assert strategy_of(settings_with(chosen, AccountSettings())) == chosen
    assert (chosen.sha256 == DESIGN.sha256) == (not names)


def test_what_is_not_on_offer_is_no_version() -> None:
    five, hour = BY_NAME["bars_5m"], BY_NAME["bars_1h"]
    wrong = ((), (five,), (CANDLES, hour, five), (CANDLES, five, five), (CANDLES, Block("bars", "5m", 13)))
    assert not any(is_offered(replace(DESIGN, blocks=blocks)) for blocks in wrong)


def test_a_block_is_told_with_its_hash_and_tokens_or_why_it_is_missing() -> None:
    there = Shown(BY_NAME["bars_5m"], {"rows": ["1", "가"]}, seen_ms=7)
    gone = Shown(BY_NAME["bars_1h"], left_out=codes.INPUT_TOO_FEW(found=3, wanted=12))
    assert there.text == '"bars_5m":{"rows":["1","가"]}'
    assert gone.text == '"bars_1h":"input_too_few"'
    kept = read_shown(shown_text([there, gone]))
    assert kept == (note_of(there), note_of(gone))
    assert (kept[0].sha256, kept[0].tokens, kept[0].left_out) == (there.sha256, estimated(there.text), NOTHING)
    assert kept[1].left_out == gone.left_out
    hostile = '{"blocks":{"bars_5m":{"rows":["9"]}}}\n{x\n[1]\n{"blocks":7}'
    prompt = f'{hostile}\n\n{{"symbol":"BTCUSDT","blocks":{{{there.text}}}}}\n<user_preference>\n{hostile}'
    assert sent_values(prompt, kept) == {"bars_5m": '{"rows":["1","가"]}'}, "words that look like blocks are none"
    assert (shown_text([]), read_shown(""), read_shown(None)) == ("", (), ())
