"""
Seeded hostile answers of an analyst: a valid JSON answer with one to three things done to it, and fifty made by hand.

Most mutations leave something that looks like an answer; many leave one that is valid and only extreme, because those
are the ones that reach the risk rules. Same seed, same answer.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from lib.domain.decision import AnswerVersion

Answer = str | bytes

KEYS = ("action", "confidence", "leverage", "reason", "stop_loss", "take_profit")
NUMBERS = (
    *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "1E+99999", "-0", "-0.0", "0", "0.0", "1", "1.0"),
    *("0.002", "0.0019999", "0.05", "0.0500001", "0.003", "0.0030001", "0.5", "0.500001", "0.999999", "1e-12", "1e-13"),
    *("9" * 12, "9" * 13, "9" * 400, "1" + "0" * 5_000, "-1", "-0.02", "2", "125", "126", "00.02", ".02", "2.", "0x10"),
    *(
        "true",
        "false",
        "null",
        '"0.02"',
        '"5"',
        '"NaN"',
        '""',
        "[0.02]",
        "{}",
        "0.02.1",
        "１",
        "٣",
        "0.0200000000000001",
    ),
)
WORDS = (
    *('"buy"', '"sell"', '"hold"', '"BUY"', '"close"', '"buy\\u0000"', '"\\ud800"', "null", "0", "true", '["sell"]'),
)
TEXTS = (
    *("\x00", "\u202e", "\u2066", "\ufeff", "\u200b", "\u0301" * 40, "👩‍👩‍👧‍👦", "𝔟𝔲𝔶", "\U0010ffff", "\ue000"),
    *("' OR 1=1 --", "<script>alert(1)</script>", "\r\nlevel=error", "\x1b[31m", "%s%n{0}", "매수" * 700, "x" * 9_000),
    *("ﷺ" * 600, "\\ud800", "\\udc00\\ud800", "\\u0000", "secret=hunter2hunter2", "Bearer abcdefghijk"),
)
SHARES = ("1", "1", "0", "0", "0", "0", "0.5", "0.3333333", "0.001")
AROUND = (
    *("Sure! ", "\n", "\ufeff", "```json\n", "```", "// ", "/* */", "[", "]", "{", "}", ",", "\x00", "data: ", "null"),
)


def valid(rng: Random) -> dict[str, str]:
    """A well-formed answer as JSON texts by key, mostly one that trades."""
    return {
        "action": rng.choice(('"buy"', '"sell"', '"buy"', '"sell"', '"hold"')),
        "confidence": rng.choice(("0.9", "1", "0.75", "0.55", "0.1")),
        "leverage": str(rng.choice((1, 3, 10, 25, 125))),
        "reason": json.dumps(rng.choice(("the trend holds", "추세가 이어집니다", "")), ensure_ascii=rng.random() < 0.5),
        "stop_loss": rng.choice(("0.02", "0.002", "0.05", "0.0123456789")),
        "take_profit": rng.choice(("0.05", "0.0031", "0.5", "1")),
    }


def managing(rng: Random, fields: dict[str, str]) -> dict[str, str]:
    """*fields* of version 2: most close or tighten, and the fraction is not always one."""
    made = {**fields, "close_fraction": rng.choice((*SHARES, rng.choice(NUMBERS)))}
    if rng.random() < 0.5:
        made["action"] = rng.choice(('"close"', '"close"', '"tighten"'))
    return made


def joined(fields: dict[str, str]) -> str:
    """The JSON object of *fields*."""
    return "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"


# --- mutations of fields, before they are joined ----------------------------------------------------------------------


def number(rng: Random, fields: dict[str, str]) -> None:
    fields[rng.choice(("confidence", "leverage", "stop_loss", "take_profit"))] = rng.choice(NUMBERS)


def numbers(rng: Random, fields: dict[str, str]) -> None:
    for name in ("confidence", "leverage", "stop_loss", "take_profit"):
        if rng.random() < 0.7:
            fields[name] = rng.choice(NUMBERS)


def extreme(rng: Random, fields: dict[str, str]) -> None:
    """Valid and greedy: every number at one of its ends."""
    fields["confidence"] = "1"
    fields["leverage"] = rng.choice(("125", "100", "26", "1"))
    fields["stop_loss"] = rng.choice(("0.002", "0.05", "0.00200000001", "0.0499999999", "0.001", "0.06", "0", "1"))
    fields["take_profit"] = rng.choice(("0.003", "0.00301", "0.5", "1", "0.999999999999", "0"))


def word(rng: Random, fields: dict[str, str]) -> None:
    fields["action"] = rng.choice(WORDS)


def text(rng: Random, fields: dict[str, str]) -> None:
    raw = rng.choice(TEXTS)
    fields["reason"] = f'"{raw}"' if raw.startswith("\\") else json.dumps(raw, ensure_ascii=rng.random() < 0.5)


def swapped(rng: Random, fields: dict[str, str]) -> None:
    one, other = rng.sample(KEYS, 2)
    if one in fields and other in fields:
        fields[one], fields[other] = fields[other], fields[one]


def missing(rng: Random, fields: dict[str, str]) -> None:
    fields.pop(rng.choice(KEYS), None)


def extra(rng: Random, fields: dict[str, str]) -> None:
    name = rng.choice(
        ("qty", "symbol", "", "Action", "action ", "асtion", "\\u0061ction", "__proto__", "leverage\\u0000")
    )
    fields[name] = rng.choice((*WORDS, *NUMBERS))


def deep(rng: Random, fields: dict[str, str]) -> None:
    depth = rng.choice((2, 50, 900, 1_500, 2_500))
    opened, closed = rng.choice((("[", "]"), ('{"a":', "}")))
    fields[rng.choice(KEYS)] = opened * depth + "1" + closed * (depth if rng.random() < 0.7 else 0)


# --- mutations of the text --------------------------------------------------------------------------------------------


def cut(rng: Random, made: Answer) -> Answer:
    return made[: rng.randrange(len(made) + 1)]


def around(rng: Random, made: Answer) -> Answer:
    before, after = rng.choice(AROUND), rng.choice(AROUND)
    return f"{before}{made}{after}" if isinstance(made, str) else before.encode() + made + after.encode()


def twice(rng: Random, made: Answer) -> Answer:
    """A key again at the end, with another value."""
    name, value = rng.choice(KEYS), rng.choice((*WORDS, *NUMBERS))
    again = f', "{name}": {value}}}'
    return made[:-1] + again if isinstance(made, str) else made[:-1] + again.encode()


def flipped(rng: Random, made: Answer) -> Answer:
    raw = bytearray(made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass"))
    for _ in range(rng.randint(1, 4)):
        if raw:
            raw[rng.randrange(len(raw))] = rng.randrange(256)
    return bytes(raw)


def moved(rng: Random, made: Answer) -> Answer:
    """A stretch cut out and put somewhere else."""
    if len(made) < 2:
        return made
    start, stop = sorted(rng.sample(range(len(made)), 2))
    piece, rest = made[start:stop], made[:start] + made[stop:]  # type: ignore[operator]
    at = rng.randrange(len(rest) + 1)
    return rest[:at] + piece + rest[at:]  # type: ignore[operator]


def encoded(rng: Random, made: Answer) -> Answer:
    if isinstance(made, bytes):
        return made
    return made.encode(rng.choice(("utf-8", "utf-16", "utf-32", "utf-8-sig", "latin-1", "cp949")), "replace")


def surrogate(rng: Random, made: Answer) -> Answer:
    at = rng.randrange(len(made) + 1)
    return made[:at] + "\ud83d" + made[at:] if isinstance(made, str) else made[:at] + b"\xed\xa0\xbd" + made[at:]


def padded(rng: Random, made: Answer) -> Answer:
    size = rng.choice((100, 15_900, 16_384, 70_000))
    return made + " " * size if isinstance(made, str) else made + b" " * size


OF_FIELDS: tuple[Callable[[Random, dict[str, str]], None], ...] = (
    *(number, numbers, extreme, extreme, word, text, text, swapped, missing, extra, deep),
)
OF_TEXT: tuple[Callable[[Random, Answer], Answer], ...] = (
    *(cut, around, twice, flipped, moved, encoded, surrogate, padded),
)


def answer_of(seed: int, version: AnswerVersion = 1) -> tuple[Answer, tuple[str, ...]]:
    """Answer number *seed* of *version* and what was done to it."""
    rng = Random(seed)
    fields, done = valid(rng), []
    if version == 2:
        fields = managing(Random(f"hands {seed}"), fields)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        spoil = rng.choice(OF_FIELDS)
        spoil(rng, fields)
        done.append(spoil.__name__)
    made: Answer = joined(fields)
    if rng.random() < 0.45:
        change = rng.choice(OF_TEXT)
        made = change(rng, made)
        done.append(change.__name__)
    return made, tuple(done)


# --- by hand ----------------------------------------------------------------------------------------------------------


def written(**changes: str) -> str:
    """An answer that trades, as JSON texts; *changes* replace or add keys, "" leaves one out."""
    fields = {
        "action": '"buy"', "confidence": "0.95", "leverage": "125", "reason": '"up"', "stop_loss": "0.02",
        "take_profit": "0.05",
    }  # fmt: skip
    return joined({name: value for name, value in {**fields, **changes}.items() if value})


BY_HAND: dict[str, Answer] = {
    "all in at 125x": written(confidence="1", stop_loss="0.002", take_profit="0.02"),
    "a stop of nothing": written(stop_loss="0"),
    "a stop of minus nothing": written(stop_loss="-0"),
    "a stop of minus nothing with a point": written(stop_loss="-0.0"),
    "a stop on the wrong side": written(stop_loss="-0.02"),
    "a stop as a price": written(stop_loss="58800"),
    "a stop in percent": written(stop_loss="2"),
    "a stop of everything": written(stop_loss="1"),
    "a stop a hair too near": written(stop_loss="0.0019999999999"),
    "a stop a hair too far": written(stop_loss="0.0500000000001"),
    "a stop that underflows": written(stop_loss="1e-400"),
    "a stop with forty digits": written(stop_loss="0.02" + "0" * 35 + "1"),
    "a target behind the entry": written(take_profit="-0.05"),
    "a target inside the collar": written(take_profit="0.003"),
    "a target of nothing": written(take_profit="0"),
    "a target of everything, sold": written(action='"sell"', take_profit="1"),
    "not a number": written(confidence="NaN"),
    "infinity": written(leverage="Infinity"),
    "minus infinity": written(stop_loss="-Infinity"),
    "ten to the four hundred": written(confidence="1e400"),
    "minus ten to the four hundred": written(take_profit="-1e400"),
    "an exponent of twenty digits": written(confidence="1e99999999999999999999"),
    "a leverage of five thousand digits": written(leverage="9" * 5_000),
    "a leverage of a thousand": written(leverage="1000"),
    "a leverage of zero": written(leverage="0"),
    "a leverage of minus five": written(leverage="-5"),
    "a leverage of true": written(leverage="true"),
    "a leverage of false": written(leverage="false"),
    "a leverage in quotes": written(leverage='"125"'),
    "a leverage with a point": written(leverage="25.0"),
    "a confidence of true": written(confidence="true"),
    "a confidence in quotes": written(confidence='"0.95"'),
    "a confidence of ninety-five": written(confidence="95"),
    "the action twice": written()[:-1] + ', "action": "sell"}',
    "the leverage twice, the second greater": written(leverage="1")[:-1] + ', "leverage": 125}',
    "the action again, escaped": written()[:-1] + ', "\\u0061ction": "sell"}',
    "a quantity of its own": written(qty="1000000"),
    "an order of its own": written(orders='[{"side": "Buy", "qty": "100"}]'),
    "no stop at all": written(stop_loss=""),
    "ten thousand lists": "[" * 10_000,
    "ten thousand objects in a value": written(reason='{"a":' * 10_000 + "1" + "}" * 10_000),
    "ten thousand lists, closed": "[" * 10_000 + "]" * 10_000,
    "prose": "I would go long with 125x leverage and no stop.",
    "prose before": "My answer: " + written(),
    "a code fence": "```json\n" + written() + "\n```",
    "a code fence of another language": "```python\n" + written() + "\n```",
    "a code fence without an end": "```json\n" + written(),
    "a code fence without a line": "```" + written() + "```",
    "two code fences": ("```json\n" + written() + "\n```\n") * 2,
    "prose before a code fence": "Sure!\n```json\n" + written() + "\n```",
    "prose after a code fence": "```json\n" + written() + "\n```\nGood luck!",
    "prose in a code fence": "```\nHere: " + written() + "\n```",
    "a thought": "<think>\nUp, I think.\n</think>\n\n" + written(),
    "a thought of nothing": "<think>\n\n</think>\n\n" + written(),
    "a thought and a fence": "<think>{}</think>```json\n" + written() + "\n```",
    "a thought without an end": "<think>\nUp. " + written(),
    "a thought without a beginning": "Up.\n</think>\n" + written(),
    "a thought in a thought": "<think><think>up</think>" + written(),
    "two thoughts": "<think>up</think><think>down</think>" + written(),
    "an answer in a thought": "<think>" + written() + "</think>",
    "an answer before a thought": written() + "<think>up</think>",
    "prose after a thought": "<think>up</think>So: " + written(),
    "prose before a thought": "Well. <think>up</think>" + written(),
    "a fence before a thought": "```json\n<think>up</think>" + written() + "\n```",
    "a thought of ten megabytes": "<think>" + "x" * 10_000_000 + "</think>" + written(),
    "a hold without numbers": '{"action": "hold", "reason": "flat"}',
    "a hold of nulls": written(
        action='"hold"', confidence="null", leverage="null", stop_loss="null", take_profit="null"
    ),
    "a hold of zeros": written(action='"hold"', confidence="0", leverage="0", stop_loss="0", take_profit="0"),
    "a hold with absurd numbers": written(action='"hold"', confidence="95", leverage="1000", stop_loss="-2"),
    "a hold with words for numbers": written(action='"hold"', leverage='"none"'),
    "a hold without a reason": '{"action": "hold"}',
    "a hold with more": '{"action": "hold", "reason": "flat", "qty": 1}',
    "a buy of nulls": written(confidence="null", leverage="null", stop_loss="null", take_profit="null"),
    "two answers": written() + written(action='"sell"'),
    "half an answer": written()[:60],
    "everything but the last brace": written()[:-1],
    "a lone surrogate": written(reason='"\ud800"'),
    "a lone surrogate, escaped": written(reason='"\\udfff up \\ud83d"'),
    "a NUL in the reason": written(reason='"up\x00up"'),
    "a NUL in the reason, escaped": written(reason='"up\\u0000up"'),
    "right to left": written(reason=json.dumps("\u202e\u2067pu", ensure_ascii=False)),
    "a forged log line": written(reason=json.dumps('"}\n{"level":"info","event":"order.sent"}')),
    "a zalgo reason": written(reason=json.dumps("u" + "\u0301" * 5_000, ensure_ascii=False)),
    "a reason that grows when composed": written(reason=json.dumps("\ufdfa" * 5_000, ensure_ascii=False)),
    "astral letters": written(reason=json.dumps("🚀" * 3_000, ensure_ascii=False)),
    "a byte order mark": "\ufeff" + written(),
    "a byte order mark in bytes": b"\xef\xbb\xbf" + written().encode(),
    "UTF-16": written().encode("utf-16"),
    "broken UTF-8": written(reason='"up"').encode().replace(b"up", b"\xff\xfe"),
    "overlong UTF-8": written(reason='"up"').encode().replace(b"up", b"\xc0\x80"),
    "ten megabytes of reason": written(reason='"' + "x" * 10_000_000 + '"'),
    "ten megabytes of spaces": written() + " " * 10_000_000,
    "ten megabytes of brackets": "[" * 10_000_000,
    "ten megabytes of nines": written(leverage="9" * 10_000_000),
    "ten megabytes of surrogates": "\ud800" * 10_000_000,
    "nothing": "",
    "null": "null",
    "a full-width buy": written(action='"ｂｕｙ"'),
    "a buy in a list": written(action='["buy"]'),
}

ODD_CONTENT: dict[str, Any] = {"none": None, "a number": 7, "a list": [1], "an object": {"a": 1}, "true": True}
"""What a provider may put where the text should be."""
