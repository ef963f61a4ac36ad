"""The local analyst: what its rules say, and OpenAI's wire format around them."""

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.candle import MINUTE_MS, Candle
from lib.simulator.analyst.completions import Analyst, Reply
from lib.simulator.analyst.rules import Opinion, Question, analyse

T0 = 1_700_000_040_000
SCHEMA = {
    "type": "object",
    "properties": {
        "action": {"type": "string", "enum": ["buy", "sell", "hold"]},
        "confidence": {"type": "number"},
        "leverage": {"type": "integer"},
        "reason": {"type": "string"},
        "stop_loss": {"type": "number"},
        "take_profit": {"type": "number"},
    },
    "required": ["action", "confidence", "leverage", "reason", "stop_loss", "take_profit"],
    "additionalProperties": False,
}


def candles_through(closes: list[Decimal], wick: Decimal = Decimal("5")) -> tuple[Candle, ...]:
    """Candles whose open is the previous close, with equal wicks."""
    rows, before = [], closes[0]
    for n, close in enumerate(closes):
        high, low = max(before, close) + wick, min(before, close) - wick
        rows.append(Candle(T0 + n * MINUTE_MS, before, high, low, close, Decimal("1.5")))
        before = close
    return tuple(rows)


def walk(seed: int, count: int = 30, sigma: float = 35.0) -> tuple[Candle, ...]:
    """A seeded random walk around 60,000."""
    rng, price, closes = random.Random(seed), Decimal(60_000), []
    for _ in range(count):
        price += Decimal(round(rng.gauss(0, sigma) * 10)) / 10
        closes.append(price)
    return candles_through(closes, Decimal("12.5"))


def line(step: str, count: int = 30) -> list[Decimal]:
    return [Decimal(60_000) + Decimal(step) * n for n in range(count)]


def test_a_breakout_is_followed_in_its_direction() -> None:
    flat = [Decimal(60_000) + (n % 2) * 30 for n in range(29)]
    up = analyse(Question(candles_through([*flat, Decimal(60_150)]), "medium", 10))
    down = analyse(Question(candles_through([*flat, Decimal(59_850)]), "medium", 10))
    assert (up.action, down.action) == ("buy", "sell")
    assert "돌파" in up.reason
    assert "이탈" in down.reason


def test_a_fresh_crossing_of_the_averages_is_named_in_the_reason() -> None:
    closes = [*line("-12", 22), *(Decimal(59_748) + Decimal(38) * n for n in range(1, 9))]
    opinions = [analyse(Question(candles_through(closes[: n + 1], Decimal(60)), "medium", 10)) for n in range(24, 30)]
    assert any(o.action == "buy" and "골든크로스" in o.reason for o in opinions)


def test_a_quiet_market_is_held_and_says_why() -> None:
    opinion = analyse(Question(candles_through(line("0.1"), Decimal("0.5")), "high", 25))
    assert opinion.action == "hold"
    assert "ATR" in opinion.reason


def test_too_few_candles_are_a_hold() -> None:
    assert analyse(Question(walk(1, 21))).action == "hold"


def test_some_but_not_most_questions_are_actionable() -> None:
    opinions = [analyse(Question(walk(seed), "medium", 10)) for seed in range(600)]
    actions = [o.action for o in opinions]
    assert 0.08 <= 1 - actions.count("hold") / len(actions) <= 0.30
    assert min(actions.count("buy"), actions.count("sell")) > 15
    assert len({o.confidence for o in opinions if o.action != "hold"}) > 10


def test_a_wish_excludes_a_direction() -> None:
    flat = [Decimal(60_000) + (n % 2) * 30 for n in range(29)]
    falling = candles_through([*flat, Decimal(59_850)])
    assert analyse(Question(falling, "medium", 10, "저는 롱만 거래합니다")).action == "hold"
    assert analyse(Question(falling, "medium", 10, "short only please")).action == "sell"


@given(
    st.integers(0, 10_000), st.sampled_from(["low", "medium", "high", "?"]), st.integers(1, 100), st.text(max_size=20)
)
def test_an_opinion_is_always_within_its_bounds_and_repeats(seed: int, risk: str, leverage: int, wish: str) -> None:
    question = Question(walk(seed, 30, sigma=float(seed % 900)), risk, leverage, wish)
    opinion: Opinion = analyse(question)
    assert opinion == analyse(question)
    assert 1 <= opinion.leverage <= leverage
    assert 0 < opinion.confidence < 1
    assert Decimal("0.002") <= opinion.stop_loss <= Decimal("0.05")
    assert opinion.stop_loss < opinion.take_profit < 1
    assert opinion.reason.endswith(".")


# --- the wire --------------------------------------------------------------------------------------------------------


def content_of(candles: tuple[Candle, ...], **fields: Any) -> str:
    rows = [
        {k: str(getattr(c, k)) for k in ("open", "high", "low", "close", "volume")} | {"timestamp": c.open_time}
        for c in candles
    ]
    payload = {"symbol": "BTCUSDT", "interval": "1m", "candles": rows, "user_risk_level": "medium", "max_leverage": 10}
    return json.dumps(payload | fields)


def request_of(content: Any, schema: dict[str, Any] | None = SCHEMA, **fields: Any) -> bytes:
    system = {"role": "system", "content": "당신은 고도로 숙련된 암호화폐 트레이더입니다."}
    document: dict[str, Any] = {
        "model": "gpt-6-luna",
        "messages": [system, {"role": "user", "content": content}],
        "reasoning_effort": "low",
    }
    if schema is not None:
        strict = {"name": "Decision", "strict": True, "schema": schema}
        document["response_format"] = {"type": "json_schema", "json_schema": strict}
    return json.dumps(document | fields).encode()


def ask(body: bytes, fault: str | None = None) -> tuple[Reply, Any]:
    reply = Analyst().reply({}, body, fault)
    return reply, json.loads(reply.body)


def test_the_answer_is_the_opinion_on_the_candles_in_the_message() -> None:
    candles = walk(7)
    _, document = ask(request_of(content_of(candles)))
    answer = json.loads(document["choices"][0]["message"]["content"], parse_float=Decimal)
    opinion = analyse(Question(candles, "medium", 10))
    assert list(answer) == SCHEMA["required"]
    assert answer == {name: getattr(opinion, name) for name in answer}
    usage = document["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 500


def test_the_same_bytes_get_the_same_bytes_and_other_bytes_another_id() -> None:
    first, again, other = (ask(request_of(content_of(walk(s))))[0] for s in (7, 7, 8))
    assert first.body == again.body
    assert json.loads(first.body)["id"] != json.loads(other.body)["id"]


def test_exactly_the_required_properties_are_answered() -> None:
    schema = SCHEMA | {"required": ["reason", "action", "leverage"]}
    _, document = ask(request_of(content_of(walk(7)), schema))
    assert list(json.loads(document["choices"][0]["message"]["content"])) == ["reason", "action", "leverage"]


def test_an_unknown_schema_is_refused_in_openai_shape() -> None:
    schema = {"type": "object", "properties": {"poem": {"type": "string"}}, "required": ["poem"]}
    reply, document = ask(request_of(content_of(walk(7)), schema))
    assert reply.status == 400
    assert document["error"]["param"] == "response_format"
    assert document["error"]["type"] == "invalid_request_error"


def test_the_prompt_beside_the_object_is_the_persons_wish() -> None:
    flat = [Decimal(60_000) + (n % 2) * 30 for n in range(29)]
    content = content_of(candles_through([*flat, Decimal(59_850)]))
    texts = [
        content,
        f"{content}\n<user_preference>\n롱만 거래\n</user_preference>",
        f"숏은 신중히. 롱만 거래는 금지\n{content}<user_prompt>x</user_prompt>",
    ]
    documents = [ask(request_of(text))[1] for text in texts]
    actions = [json.loads(d["choices"][0]["message"]["content"])["action"] for d in documents]
    assert actions == ["sell", "hold", "sell"]  # once something is delimited, only that is a wish


def test_content_in_parts_is_read_like_content_in_one_string() -> None:
    text = content_of(walk(9))
    parts = [{"type": "text", "text": text}]
    one, other = (json.loads(ask(request_of(c))[0].body)["choices"] for c in (text, parts))
    assert one == other


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b"{", 400, "parse"),
        (b'{"model": 5}', 400, "parse"),
        (request_of("{}", model="gpt-2"), 404, "gpt-2"),
        (request_of("hello"), 400, "candles"),
        (request_of('{"candles": [{"timestamp": 1}]}'), 400, "candles"),
        (request_of(content_of(walk(1)), stream=True), 400, "streaming"),
        (request_of(content_of(walk(1)).replace('"open": "', '"open": "-', 1)), 400, "positive"),
    ],
)
def test_a_request_that_cannot_be_answered_says_why(body: bytes, status: int, word: str) -> None:
    reply, document = ask(body)
    assert reply.status == status
    assert word in document["error"]["message"]


def test_a_configured_key_is_required() -> None:
    analyst = Analyst(api_key="sk-local")
    body = request_of(content_of(walk(1)))
    assert analyst.reply({"Authorization": "Bearer wrong"}, body).status == 401
    assert analyst.models({}).status == 401
    assert analyst.reply({"Authorization": "Bearer sk-local"}, body).status == 200


def test_the_models_are_listed() -> None:
    document = json.loads(Analyst(("a", "b")).models({}).body)
    assert [row["id"] for row in document["data"]] == ["a", "b"]


def test_each_fault_spoils_the_answer_its_way() -> None:
    body = request_of(content_of(walk(7)))
    choices = {f: ask(body, f)[1]["choices"][0] for f in ("refusal", "truncated", "prose", "null")}
    assert choices["refusal"]["message"]["refusal"]
    assert choices["refusal"]["message"]["content"] is None
    assert choices["truncated"]["finish_reason"] == "length"
    assert "매수" in choices["prose"]["message"]["content"]
    assert choices["null"]["message"] == {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    assert [ask(body, str(n))[0].status for n in (429, 500)] == [429, 500]
    assert Analyst().reply({}, body, "html").content_type == "text/html"
    invalid = ask(body, "invalid_json")[1]["choices"][0]["message"]["content"]
    with pytest.raises(ValueError):
        json.loads(invalid)


# --- answers of the second version ------------------------------------------------------------------------------------


def managed(closes: list[Decimal], bucket: str = "", wick: str = "30") -> Opinion:
    return analyse(Question(candles_through(closes, Decimal(wick)), "medium", 10, bucket=bucket), manages=True)


RISE = [Decimal(60_000) + 12 * n - (n % 3) * 8 for n in range(30)]
STEEP = [Decimal(60_000) + 12 * n for n in range(30)]
TURNED = [*(Decimal(60_000) + 4 * n for n in range(24)), *(Decimal(60_092) - 14 * n for n in range(1, 7))]


def test_a_stretched_move_brings_the_stop_of_who_is_with_it_nearer() -> None:
    said = managed(RISE, "long, even")
    assert (said.action, said.confidence) == ("tighten", Decimal("0.78"))
    assert 0 < said.stop_loss < analyse(Question(candles_through(RISE, Decimal(30)))).stop_loss
    assert managed(RISE).action == "tighten"
    assert managed(RISE, "short, losing").action == "hold"
    assert managed(RISE, "flat").action == "hold"


def test_half_of_a_winning_position_is_closed_where_the_move_is_very_stretched() -> None:
    said = managed(STEEP, "long, winning")
    assert (said.action, said.close_fraction) == ("close", Decimal("0.5"))


def test_a_crossing_against_the_position_closes_it() -> None:
    said = managed(TURNED, "long, losing")
    assert (said.action, said.close_fraction) == ("close", Decimal(1))
    assert managed(TURNED, "short, winning").action != "close"


def test_where_nothing_moves_any_more_a_position_nobody_described_is_closed() -> None:
    still = [Decimal(60_000)] * 30
    assert (managed(still, wick="1").action, managed(still, "flat", wick="1").action) == ("close", "hold")


def test_the_first_version_is_never_answered_by_the_second() -> None:
    for seed in range(60):
        assert analyse(Question(walk(seed), bucket="long, winning")).action in ("buy", "sell", "hold")


def test_the_bucket_is_read_where_the_prompt_shows_it() -> None:
    required = ["action", "confidence", "leverage", "reason", "stop_loss", "take_profit", "close_fraction"]
    schema = SCHEMA | {"required": required}
    content = content_of(candles_through(TURNED, Decimal(30)), blocks={"position": "long, losing"})
    _, document = ask(request_of(content, schema))
    answer = json.loads(document["choices"][0]["message"]["content"])
    assert (answer["action"], answer["close_fraction"]) == ("close", 1)
