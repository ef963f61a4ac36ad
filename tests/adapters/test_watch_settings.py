"""Where figures are shown, and secrets that come as files."""

from pathlib import Path

import pytest

from lib.domain.errors import Halt
from lib.settings import SECRET_NAMES, load


def test_without_a_port_or_token_nothing_is_shown() -> None:
    watching = load({}).watching
    assert (dict(watching.ports), watching.token, watching.host) == ({}, "", "127.0.0.1")


def test_each_process_has_a_port_of_its_own() -> None:
    watching = load(
        {"METRICS_PORT_TRADER": "9101", "METRICS_PORT_COLLECTOR": "9102", "METRICS_HOST": "10.0.0.5"}
    ).watching
    assert (watching.ports, watching.host) == ({"trader": 9101, "collector": 9102}, "10.0.0.5")
    with pytest.raises(Halt, match="must differ"):
        load({"METRICS_PORT_TRADER": "9101", "METRICS_PORT_COLLECTOR": "9101"})


@pytest.mark.parametrize("port", ["x", "-1", "65536", "1e3", "９１００"])
def test_what_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(Halt, match="METRICS_PORT_TRADER"):
        load({"METRICS_PORT_TRADER": port})


def test_a_short_token_and_a_placeholder_are_refused() -> None:
    for token in ("short", "your-metrics-token"):
        with pytest.raises(Halt, match="METRICS_TOKEN"):
            load({"METRICS_TOKEN": token})


def test_a_secret_may_come_as_a_file(tmp_path: Path) -> None:
    file = tmp_path / "openai"
    file.write_text("sk-from-a-file\n")
    assert load({"OPENAI_API_KEY_FILE": str(file)}).openai_api_key == "sk-from-a-file"
    assert {"DATABASE_URL", "REDIS_URL", "ENCRYPTION_KEY", "WEB_SECRET", "SMTP_URL"} <= set(SECRET_NAMES)


def test_a_file_that_cannot_be_read_or_is_no_secret_is_refused_without_its_content(tmp_path: Path) -> None:
    binary, long = tmp_path / "binary", tmp_path / "long"
    binary.write_bytes(b"\xff\xfe")
    long.write_text("x" * 70_000)
    for file, words in ((tmp_path / "nothing", "cannot be read"), (binary, "not text"), (long, "too long")):
        with pytest.raises(Halt, match=words) as refused:
            load({"WEB_SECRET_FILE": str(file)})
        assert "xxxx" not in str(refused.value)


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Halt, match="both set"):
        load({"SIMULATOR_TOKEN": "one", "SIMULATOR_TOKEN_FILE": str(tmp_path / "two")})
