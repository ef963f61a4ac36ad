"""Lines are structured, one per event, and no secret leaves in any spelling."""

import asyncio
import base64
import json
import logging
import os
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import log
from lib.domain.order import OrderState
from tests.log_state import logs_put_back

SECRET = "s3cr3t/Val+ue=비밀"


class Output:
    """Everything written to standard output so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._read = ""

    def getvalue(self) -> str:
        self._read += self._capsys.readouterr().out
        return self._read


@pytest.fixture
def out(capsys: pytest.CaptureFixture[str]) -> Iterator[Output]:
    """Standard output, and every logging global put back afterwards."""
    with logs_put_back():
        yield Output(capsys)


def lines(out: Output) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_json_line_carries_time_level_service_event_and_fields(out: Output) -> None:
    log.setup("trader")
    log.get("cycle").info("order.sent", qty=Decimal("0.010"), state=OrderState.ACCEPTED, seq=2, parts=["a", 1])
    [line] = lines(out)
    assert line.pop("ts").endswith("Z")
    assert line == {
        "level": "info", "service": "trader", "logger": "cycle", "event": "order.sent", "qty": "0.010",
        "state": "ACCEPTED", "seq": 2, "parts": ["a", 1],
    }  # fmt: skip


def test_readable_lines_are_short_and_quote_what_has_spaces(out: Output) -> None:
    log.setup("trader", "text")
    log.get("cycle").warning("cycle.skipped", why="only 29 of 30 candles", account_id=7)
    [line] = out.getvalue().splitlines()
    assert line[8:] == ' warning cycle.skipped why="only 29 of 30 candles" account_id=7'


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_line_break_in_a_value_cannot_forge_a_line(out: Output, form: log.Format) -> None:
    log.setup("trader", form)
    log.get("x").info("asked\nforged", why="a\nb\r\n\x1b[31mc\u2028d\ud800")
    assert len(out.getvalue().strip("\n").split("\n")) == 1
    assert "\x1b" not in out.getvalue()


async def test_bound_fields_are_on_every_line_of_the_task_and_only_there(out: Output) -> None:
    log.setup("trader")

    async def account(number: int) -> None:
        with log.bind(account_id=number):
            await asyncio.sleep(0)
            log.get("x").info("inside")

    with log.bind(cycle_id="c1"):
        await asyncio.gather(account(1), account(2))
    log.get("x").info("outside")
    found = [(line["event"], line.get("cycle_id"), line.get("account_id")) for line in lines(out)]
    assert found == [("inside", "c1", 1), ("inside", "c1", 2), ("outside", None, None)]


def test_other_libraries_speak_at_warning_only(out: Output) -> None:
    log.setup("trader", level="DEBUG")
    logging.getLogger("pybit").info("chatter")
    logging.getLogger("pybit").warning("trouble")
    log.get("x").debug("ours")
    assert [line["event"] for line in lines(out)] == ["trouble", "ours"]


def test_below_the_level_nothing_is_written(out: Output) -> None:
    log.setup("trader", level="warning")
    log.get("x").info("quiet")
    assert out.getvalue() == ""


def forms_of(secret: str) -> list[str]:
    raw = secret.encode()
    return [
        secret,
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        quote(raw, safe=""),
        raw.hex(),
        json.dumps(secret),
    ]


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("number", range(6))
def test_a_registered_secret_leaves_in_no_spelling(out: Output, form: log.Format, number: int) -> None:
    log.setup("trader", form)
    log.register_secret(SECRET)
    spelled = forms_of(SECRET)[number]
    logger = log.get("x")
    logger.info(f"event {spelled}", why=f"because {spelled}!", nested={"a": [spelled]})
    logging.getLogger("other").warning("got %s", spelled)
    try:
        raise ValueError(f"broken: {spelled}")
    except ValueError as error:
        logger.error("failed", error)
    assert spelled not in out.getvalue()
    assert SECRET not in out.getvalue()
    assert out.getvalue().count("[redacted]") >= 5


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdefghijklmnop",
        "Incorrect API key provided: sk-abcdEFGH1234567890",
        "Incorrect API key provided: sk-abc*****7890xyz",
        "X-BAPI-SIGN: 6b34768d99c56905b2e6b05dc197a2368252b1a433107c89c79c8eb530de0995",
        "{'X-BAPI-API-KEY': 'abcdefghijklmnop'}",
        "api_secret=abcdefghijklmnop&x=1",
        '{"password": "abcdefghijklmnop"}',
        "mysql://user:abcdefghijklmnop@host/db",
        "redis://:abcdefghij@klmnop@host:6379",
        "v1.0123abcd.abcdefghijklmnopabcdefghijklmnop",
    ],
)
def test_what_looks_like_a_secret_is_cut_out(text: str) -> None:
    cleaned = log.redact(text)
    assert "[redacted]" in cleaned
    assert not any(part in cleaned for part in ("abcdefgh", "6b34768d", "EFGH", "7890", "klmnop"))


def test_a_field_named_like_a_secret_is_blank_and_token_counts_are_not(out: Output) -> None:
    log.setup("web")
    log.get("x").info("seen", api_secret="short", token="abc", prompt_tokens=12, key_last4="wxyz")
    [line] = lines(out)
    assert (line["api_secret"], line["token"]) == ("[redacted]", "[redacted]")
    assert (line["prompt_tokens"], line["key_last4"]) == (12, "wxyz")


def test_a_word_typed_as_a_secret_is_hidden_in_its_own_call_and_in_nobody_elses_line(out: Output) -> None:
    log.setup("web")
    logger = log.get("x")
    with log.hide("trading", "position"):
        logger.info("key.refused", why="trading with position 74726164696e67")
        logging.getLogger("other").warning("%s", base64.b64encode(b"position").decode())
    logger.info("trading.on", why="the position stands")
    inside, theirs, outside = lines(out)
    assert inside["why"] == "[redacted] with [redacted] [redacted]"
    assert theirs["event"] == "[redacted]"
    assert (outside["event"], outside["why"]) == ("trading.on", "the position stands")


async def test_what_one_task_hides_the_others_still_say(out: Output) -> None:
    log.setup("web")
    said = asyncio.Event()

    async def typing() -> None:
        with log.hide("position"):
            await said.wait()
            log.get("x").info("typing", why="position")

    task = asyncio.create_task(typing())
    await asyncio.sleep(0)
    log.get("x").info("trading", why="position")
    said.set()
    await task
    assert [line["why"] for line in lines(out)] == ["position", "[redacted]"]


def test_basic_credentials_go_and_basic_words_stay() -> None:
    assert log.redact("Authorization: Basic dXNlcjpwYXNz") == "Authorization: [redacted]"
    assert log.redact("a basic momentum strategy") == "a basic momentum strategy"


@pytest.mark.parametrize("filler", ["x", "-", "a:", "://", "token", "sk-"])
def test_a_long_text_is_read_in_linear_time(filler: str) -> None:
    # read in linear time these are tenths of a second; in quadratic time an hour, which no clock need tell
    log.redact(filler * (500_000 // len(filler)))


def test_ordinary_text_is_left_alone() -> None:
    text = "bought 0.010 BTCUSDT at 60000.5, stop 58800, https://api.bybit.com/v5/market/time order mmt3st-a-1-1-e0"
    assert log.redact(text) == text


def test_a_traceback_is_part_of_its_line(out: Output) -> None:
    log.setup("trader")
    try:
        raise KeyError("x")
    except KeyError as error:
        log.get("x").alert("loop.failed", error, account_id=7)
    [line] = lines(out)
    assert (line["alert"], line["account_id"], line["error"]) == (True, 7, "KeyError: 'x'")
    assert "test_log.py" in line["traceback"]


def test_an_uncaught_exception_is_a_clean_line(out: Output) -> None:
    log.setup("trader")
    log.register_secret(SECRET)
    error = RuntimeError(f"no {SECRET}")
    sys.excepthook(type(error), error, None)
    [line] = lines(out)
    assert line["event"] == "process.died"
    assert SECRET not in out.getvalue()


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=30) | st.integers() | st.none(), max_size=5))
def test_any_field_makes_exactly_one_readable_line(fields: dict[str, Any]) -> None:
    record = logging.makeLogRecord({"name": "maemae.x", "msg": "event", "maemae_fields": fields})
    made = log.JsonLines("t").format(record)
    assert "\n" not in made
    assert json.loads(made)["event"] == "event"


@pytest.mark.parametrize(("form", "level"), [("xml", "INFO"), ("json", "LOUD")])
def test_an_unknown_format_or_level_is_refused(form: Any, level: str) -> None:
    with pytest.raises(ValueError, match="log"):
        log.setup("x", form, level)


def test_lines_are_kept_in_a_file_too_without_secrets_and_for_its_owner_alone(out: Output, tmp_path: Path) -> None:
    log.register_secret(SECRET)
    before = os.umask(0o077)
    try:
        log.setup("trader", "text", folder=tmp_path / "logs")
        log.get("test").info("key.used", secret=f"it is {SECRET}", note=f"it is {SECRET}")
        logging.getLogger().handlers[-1].close()
    finally:
        os.umask(before)
    file = tmp_path / "logs" / "trader.log"
    assert "key.used" in file.read_text()
    assert SECRET not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert "key.used" in out.getvalue()


def test_every_json_line_names_the_release_when_it_is_known(out: Output) -> None:
    log.setup("trader", version="0.1.0")
    log.get("cycle").info("cycle.done")
    [line] = lines(out)
    assert (line["service"], line["version"]) == ("trader", "0.1.0")


def test_who_listens_hears_every_event_whatever_the_level_with_what_is_bound(out: Output) -> None:
    log.setup("trader", level="ERROR")
    heard: list[tuple[str, dict[str, object]]] = []
    with log.listen(lambda event, fields: heard.append((event, dict(fields)))), log.bind(t_ms=300_000, account=7):
        log.get("cycle").debug("account.answered")
    log.get("cycle").error("nobody.listens")
    assert heard == [("account.answered", {"t_ms": 300_000, "account": 7})]
    assert [line["event"] for line in lines(out)] == ["nobody.listens"]


def test_a_listener_that_fails_costs_no_line_and_reaches_nobody(out: Output) -> None:
    def broken(event: str, fields: object) -> None:
        raise ZeroDivisionError

    log.setup("trader")
    heard: list[str] = []
    with log.listen(broken), log.listen(lambda event, fields: heard.append(event)):
        log.get("cycle").info("order.sent")
    assert heard == ["order.sent"]
    assert [line["event"] for line in lines(out)] == ["order.sent"]
