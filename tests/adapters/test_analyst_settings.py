"""What an operator says of the analyst: what cannot work is one line that names the setting and never tells the key."""

import pytest

from lib.adapters.openai.profile import Wishes
from lib.bootstrap.analyst import wishes_of
from lib.bootstrap.models import environment_model
from lib.domain.errors import Halt
from lib.settings import load

KEY = "sk-abc-def123-0123456789"


@pytest.mark.parametrize(
    "letter", ["\u00a0", "\u200b", "\ufeff", "\u2028", "\u00ad", "\t", "\n", "\x00", "\u3000", "\ud800"]
)
@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "OPENAI_MODEL", "OPENAI_BASE_URL", "SIMULATOR_TOKEN", "DATABASE_URL"]
)
def test_a_character_that_does_not_show_is_refused_by_setting_and_place(name: str, letter: str) -> None:
    value = {"OPENAI_BASE_URL": "https://api.prov", "DATABASE_URL": "mysql://a:b"}.get(name, "sk-abc")
    with pytest.raises(Halt) as refused:
        load({name: f"{value}{letter}def123"})
    said = str(refused.value)
    assert said.startswith(f"{name} holds a character that does not show")
    assert f"U+{ord(letter):04X}" in said
    assert f"the {len(value) + 1}." in said
    assert "\n" not in said
    assert "def123" not in said


@pytest.mark.parametrize("key", ["sk-аbc-0123456789", "sk-abc def-0123456789", f"Bearer {KEY}", f'"{KEY}"', f"'{KEY}'"])
def test_a_key_with_something_beside_it_is_refused_without_being_told(key: str) -> None:
    with pytest.raises(Halt, match="OPENAI_API_KEY") as refused:
        load({"OPENAI_API_KEY": key})
    assert "0123456789" not in str(refused.value)


def test_white_space_around_a_key_is_no_trouble() -> None:
    assert load({"OPENAI_API_KEY": f" {KEY}\u00a0\n"}).openai_api_key == KEY


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://api.openai.com/v1/chat/completions", "ends in /chat/completions"),
        ("https://api.openai.com/v1/chat/completions/", "ends in /chat/completions"),
        ("https://api.openai.com/v1/responses", "ends in /responses"),
        ("https://api.openai.com/v1/models", "ends in /models"),
        ("https://r.openai.azure.com/openai/v1?api-version=2024-10-21", "carries api-version after a ?"),
        ("https://r.openai.azure.com/openai/deployments/d/chat/completions", "one Azure deployment's"),
        ("https://provider.test/v1?key=sk-secret-0123456789", "carries key after a ?"),
        ("https://provider.test/v1#top", "after a ? or #"),
        ("https://name:sk-secret-0123456789@provider.test/v1", "carries a name or password"),
        ("provider.test/v1", "must be a URL"),
        ("wss://provider.test/v1", "must be a URL"),
        ("https://", "must be a URL"),
        ("https:///v1", "must be a URL"),
    ],
)
def test_an_address_that_cannot_work_is_refused_in_one_line(url: str, said: str) -> None:
    with pytest.raises(Halt, match="OPENAI_BASE_URL") as refused:
        load({"OPENAI_BASE_URL": url})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://api.deepseek.com",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "https://api.groq.com/openai/v1",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        "https://open.bigmodel.cn/api/paas/v4",
        "https://r.openai.azure.com/openai/v1",
        "https://gateway.ai.cloudflare.com/v1/account/gateway/openai",
        "http://127.0.0.1:11434/v1",
        "http://[::1]:8080/v1",
    ],
)
def test_the_addresses_of_real_providers_are_taken_with_or_without_a_last_stroke(url: str) -> None:
    assert load({"OPENAI_BASE_URL": url}).openai_base_url == url
    assert load({"OPENAI_BASE_URL": f"{url}/"}).openai_base_url == url


def test_how_it_is_asked_is_learnt_unless_it_is_set() -> None:
    assert wishes_of(load({})) == Wishes()
    assert (
        wishes_of(load({"ANALYST_FORMAT": "learn", "ANALYST_EFFORT": "learn", "ANALYST_MAX_TOKENS": "learn"}))
        == Wishes()
    )
    chosen = load({"ANALYST_FORMAT": "json_object", "ANALYST_EFFORT": "low", "ANALYST_MAX_TOKENS": "3000"})
    assert wishes_of(chosen) == Wishes("json_object", "low", 3_000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANALYST_FORMAT", "yaml"),
        ("ANALYST_EFFORT", "extreme"),
        ("ANALYST_MAX_TOKENS", "many"),
        ("ANALYST_MAX_TOKENS", "10"),
        ("ANALYST_MAX_TOKENS", "1e4"),
        ("ANALYST_MAX_TOKENS", "9999999"),
        ("ANALYST_MAX_TOKENS", "-1"),
        ("ANALYST_CUTOFF", "2024-02-30"),
        ("ANALYST_CUTOFF", "June 2024"),
        ("OPENAI_MODEL", "a model"),
        ("OPENAI_MODEL", "m" * 101),
    ],
)
def test_nonsense_stops_the_process_by_its_name(name: str, value: str) -> None:
    with pytest.raises(Halt, match=name):
        load({name: value})


def test_the_environments_model_is_stamped_with_what_its_operator_says() -> None:
    assert environment_model(load({"ANALYST_CUTOFF": " 2024-06-30 "})).cutoff == "2024-06-30"
    assert environment_model(load({})).cutoff == ""
