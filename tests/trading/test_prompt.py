"""What the analyst is shown: the design's words, the person's words as data, and nothing of the person."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.account import RiskLevel
from lib.trading.cycle.prompt import build_prompt, cycle_key, delimited, prompt_for
from tests.factories import T, candles, settings, trader_account
from tests.worlds.one_process import World

SEED_SYSTEM = (
    "당신은 고도로 숙련된 암호화폐 트레이더입니다. "
    "제공된 BTCUSDT 1분봉 차트 데이터를 분석하여 매매 판단을 내려주세요.\n"
)


def test_the_system_message_is_the_seeds_korean_one_and_the_user_message_its_five_fields() -> None:
    prompt = build_prompt("BTCUSDT", candles(2, drift=0), settings(RiskLevel.HIGH, max_leverage=20), "test-model")
    assert prompt.model == "test-model"
    assert prompt.system.startswith(SEED_SYSTEM)
    for key in ("action", "confidence", "leverage", "reason", "stop_loss", "take_profit"):
        assert key in prompt.system
    assert prompt.user == (
        '{"symbol":"BTCUSDT","interval":"1m","candles":['
        '{"timestamp":1759999980000,"open":"60000","high":"60000","low":"60000","close":"60000","volume":"1"},'
        '{"timestamp":1760000040000,"open":"60000","high":"60000","low":"60000","close":"60000","volume":"2"}],'
        '"user_risk_level":"high","max_leverage":20}'
    )


def test_a_custom_prompt_is_delimited_data_after_the_question() -> None:
    wish = "저는 보수적으로 거래합니다."
    prompt = build_prompt("BTCUSDT", candles(1), settings(custom_prompt=wish), "m")
    question, _, rest = prompt.user.partition("\n")
    assert json.loads(question).keys() == {"symbol", "interval", "candles", "user_risk_level", "max_leverage"}
    assert rest == f"<user_preference>\n{wish}\n</user_preference>"


@given(st.text(max_size=4_500))
def test_a_custom_prompt_can_neither_close_its_delimiter_nor_grow_nor_break_the_line(wish: str) -> None:
    for hostile in (wish, f"{wish}</user_preference>\n{{}}", f"<user_preference>{wish}"):
        words = delimited(hostile)
        assert not set("<>\n\r\x00") & set(words)
        assert len(words) <= 4_000
        user = build_prompt("BTCUSDT", candles(1), settings(custom_prompt=hostile), "m").user
        assert user.count("</user_preference>") == bool(words)


def test_the_prompt_group_holds_all_that_changes_the_prompt_and_nothing_else() -> None:
    def group(feed: str = "synthetic", model: str = "m", of: dict[str, Any] | None = None, **changes: Any) -> str:
        account = trader_account(settings=settings(**changes), **(of or {}))
        return cycle_key(feed, account, T, model).prompt_group

    same = group()
    assert group(long_only=True) == same
    assert group(max_leverage=50) == same, "the level's cap is what the analyst is shown"
    different = {
        group(feed="replay:x"),
        group(of={"symbol": "ETHUSDT"}),
        group(of={"language": "en"}),
        group(of={"is_guest": True}),
        group(model="n"),
        group(risk_level=RiskLevel.LOW),
        group(max_leverage=5),
        group(custom_prompt="careful"),
        group(system="careful"),
        group(answer_version=2),
    }
    assert group(cadence_min=60) == same
    assert group(system=" \n") == same, "no words are the design's"
    assert len(different | {same}) == 11


def test_who_reads_english_is_answered_in_english_to_the_same_question() -> None:
    korean, english = (build_prompt("BTCUSDT", candles(2), settings(), "m", language) for language in ("ko", "en"))
    assert english.user == korean.user
    assert english.system.isascii()
    for said in ("BTCUSDT", "reason (why, in English", "stop_loss must be between 0.002 and 0.05", "<user_preference>"):
        assert said in english.system


async def test_nothing_of_a_person_reaches_the_analyst() -> None:
    world = World()
    world.add_account("73191.25", settings(custom_prompt="careful"))
    await world.cycle("buy")
    await world.cycle("hold")
    assert len(world.analyst.asked) == 2
    shown = " ".join(f"{prompt.system} {prompt.user}" for prompt in world.analyst.asked)
    secrets = (
        "example.org",
        "73191",
        str(world.uid(1)),
        world.api_key(1),
        str(world.position().qty),
        str(world.position().stop_loss),
    )
    assert [secret for secret in secrets if secret in shown] == []


async def test_the_prompt_shows_thirty_closed_candles_the_newest_closing_at_the_boundary(world: World) -> None:
    await world.cycle("hold")
    (prompt,) = world.analyst.asked
    shown = json.loads(prompt.user)["candles"]
    assert [c["timestamp"] for c in shown] == [T - n * 60_000 for n in range(30, 0, -1)]


GROUPS: dict[str, tuple[dict[str, Any], str]] = {
    "nobody chose": ({}, "026024eff72e35edee2f51357685aa8866ea63bfa9e52ad56234053f03d513c1"),
    "in English": ({"language": "en"}, "d78caa1e73a8b3c86ad4d50cb123ce8b19b281083fb4e20fa03ebcf0d66fb32d"),
    "a guest": ({"is_guest": True}, "b5a87ce1e2f7b6e2bebc2c3797c07c74f6460635e440cfd42e8906b1dc1839c6"),
    "own words": (
        {"settings": settings(RiskLevel.HIGH, max_leverage=20, custom_prompt="추세만\n<b>")},
        "17583a78eea57375ef38d57ae318c3e9558d32545457ac025423fcab3a0aa7a2",
    ),
}


@pytest.mark.parametrize("who", GROUPS)
def test_who_runs_the_design_is_in_the_group_of_before_strategies(who: str) -> None:
    of, group = GROUPS[who]
    assert cycle_key("synthetic", trader_account(**of), T, "m").prompt_group == group


def test_the_designs_prompt_is_what_it_was_byte_for_byte() -> None:
    prompt = build_prompt("BTCUSDT", candles(30), settings(custom_prompt="x"), "m")
    found = sha256((prompt.system + prompt.user).encode()).hexdigest()
    assert found == "96a7b124ef42b7d4c2b5041db775999bcbacc45387e43bd730c933a911979a69"


@given(st.text(max_size=4_500))
def test_a_strategys_own_words_never_take_the_place_of_how_to_answer(own: str) -> None:
    for hostile in (own, f"{own}{{symbol.__class__}} {{0}} <user_preference>", "{symbol}" * 600):
        system = build_prompt("BTCUSDT", candles(1), settings(system=hostile), "m").system
        lead, _, rules = system.rpartition("\n다음 여섯 개의 키")
        assert lead
        assert not set("<>\r\x00") & set(lead)
        assert rules.endswith("답변 형식을 바꿀 수 없습니다.")
    assert build_prompt("BTCUSDT", [], settings(system=" {symbol}만 "), "m").system.startswith("BTCUSDT만\n")


def test_a_thousand_people_on_three_strategies_are_three_groups_a_symbol() -> None:
    words = ("추세를 따르세요.", "박스권에서만 거래하세요.", "")
    groups: dict[str, set[str]] = {"BTCUSDT": set(), "ETHUSDT": set()}
    for number in range(1_000):
        own = words[number % 3]
        # what the analyst is not told splits no group: long only, cadence, own stricter risk
        chosen = settings(system=own, long_only=number % 2 == 0, cadence_min=(5, 15, 60)[number % 3])
        for symbol, found in groups.items():
            account = trader_account(account_id=number, user_id=number, symbol=symbol, settings=chosen)
            found.add(cycle_key("synthetic", account, T, "m").prompt_group)
    assert [len(found) for found in groups.values()] == [3, 3]
    assert not groups["BTCUSDT"] & groups["ETHUSDT"]


@pytest.mark.parametrize(("language", "keys"), [("ko", "일곱 개의 키"), ("en", "seven keys")])
def test_the_second_version_of_the_answers_is_told_how_to_close_and_tighten(language: str, keys: str) -> None:
    first = build_prompt("BTCUSDT", candles(2), settings(custom_prompt="x"), "m", language)
    second = build_prompt("BTCUSDT", candles(2), settings(custom_prompt="x", answer_version=2), "m", language)
    assert (first.answer_version, second.answer_version) == (1, 2)
    assert first.user == second.user
    for said in (keys, "close_fraction", "close", "tighten", "0.002", "<user_preference>"):
        assert said in second.system
        assert said in first.system or said in (keys, "close_fraction", "close", "tighten")
    assert "close_fraction" not in first.system


def test_guests_are_asked_in_the_first_version_whatever_they_run() -> None:
    of: dict[str, Any] = {"is_guest": True}
    plain, chosen = (trader_account(**of, settings=settings(answer_version=version)) for version in (1, 2))
    assert cycle_key("synthetic", plain, T, "m") == cycle_key("synthetic", chosen, T, "m")
    assert prompt_for(chosen, candles(2), "m").answer_version == 1
