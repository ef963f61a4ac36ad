"""The operator's list of models on the command line: strict words, unknown prices said, keys never shown."""

import argparse
import io
from decimal import Decimal

import pytest

from lib.adapters.vault import ModelKeyOpener, ModelKeySealer, generate_keys
from lib.bootstrap import ModelControl
from lib.clock import SteppedClock
from lib.domain.errors import Pause
from lib.domain.model_profile import KeptModel, ModelProfile, seal_of
from lib.ports.models import ModelRegister
from services.control_models import ACTS, act_of, add_arguments

PRIVATE, PUBLIC = generate_keys()
KEY = "sk-secret-of-the-operator"
URL = "https://api.openai.com/v1"
NEW = ("model", "fast", "--url", URL, "--model")


class Register(ModelRegister):
    def __init__(self) -> None:
        self.rows: dict[str, KeptModel] = {}

    def listed(self) -> list[KeptModel]:
        return [self.rows[name] for name in sorted(self.rows)]

    def keep(self, kept: KeptModel, now_ms: int) -> None:
        self.rows[kept.profile.name] = kept

    def delete(self, name: str) -> bool:
        return self.rows.pop(name, None) is not None


@pytest.fixture
def desk() -> ModelControl:
    environment = ModelProfile("default", "gpt-x", "https://api.example.com/v1", "gpt-x")
    return ModelControl(Register(), ModelKeySealer(PUBLIC), environment, SteppedClock(0))


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser.add_subparsers(dest="act", required=True))
    return parser.parse_args(words)


def do(desk: ModelControl, *words: str) -> str:
    asked = parsed(*words)
    return "\n".join(ACTS[asked.act](desk, asked))


def typed(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{key}\n"))


def test_the_environments_model_is_the_first_and_an_unknown_price_is_said_to_be(desk: ModelControl) -> None:
    lines = do(desk, "models").splitlines()
    assert lines[0].split() == ["default", "gpt-x"]
    assert "price unknown" in lines[2]


def test_a_known_models_price_is_filled_in_and_one_nobody_knows_is_not_nothing(desk: ModelControl) -> None:
    assert "0.25 + 2, 0.025 cached USD per million tokens" in do(desk, *NEW, "gpt-5-mini")
    assert "price unknown" in do(desk, *NEW, "house-blend")
    assert "free" in do(desk, *NEW, "house-blend", "--free")
    assert "3 + 4 USD" in do(desk, *NEW, "house-blend", "--input", "3", "--output", "4", "--day", "5")
    assert "5 USD a day" in do(desk, "models")


def test_what_is_left_out_stays_and_withdrawing_takes_nothing_away(desk: ModelControl) -> None:
    do(desk, *NEW, "gpt-5-mini", "--shown", "Fast one", "--day", "3")
    assert "Fast one  (not offered)" in do(desk, "model", "fast", "--withdraw")
    assert "3 USD a day" in do(desk, "model", "fast", "--offer")
    assert "no cap" in do(desk, "model", "fast", "--no-day")
    assert "off the list" in do(desk, "model", "fast", "--delete")
    with pytest.raises(ValueError, match="no model fast"):
        do(desk, "model", "fast", "--delete")


def test_a_key_is_sealed_for_the_trader_bound_to_its_address_and_never_told(
    desk: ModelControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, KEY)
    told = do(desk, *NEW, "gpt-5-mini", "--key")
    [kept] = desk.register.listed()
    assert "••••ator" in told
    assert KEY not in f"{told}{kept}{act_of(parsed(*NEW, 'm', '--key'))}"
    opener = ModelKeyOpener([PRIVATE])
    assert opener.open(kept.sealed, seal_of(kept)) == KEY
    moved = KeptModel(ModelProfile("fast", "x", "https://evil.example/v1", "m"), 0, kept.sealed, kept.key_version)
    with pytest.raises(Pause):
        opener.open(kept.sealed, seal_of(moved))
    with pytest.raises(ValueError, match="bound to the address"):
        do(desk, "model", "fast", "--url", "https://api.example.com/v1")
    assert "no key" in do(desk, "model", "fast", "--url", "https://api.example.com/v1", "--no-key")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("model", "Fast", "--url", URL, "--model", "m"), "a name is"),
        (("model", "fast"), "--url"),
        (("model", "fast", "--url", "http://api.example.com/v1", "--model", "m"), "https"),
        ((*NEW, "m", "--input", "1"), "--input with --output"),
        ((*NEW, "m", "--free", "--known"), "or --free"),
        ((*NEW, "m", "--day", "5"), "cannot be counted"),
        ((*NEW, "m", "--day", "NaN", "--free"), "--day"),
        ((*NEW, "m", "--key"), "no key"),
    ],
)
def test_what_cannot_work_is_refused_and_nothing_is_kept(
    desk: ModelControl, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], why: str
) -> None:
    typed(monkeypatch, "short")
    with pytest.raises(ValueError, match=why):
        do(desk, *words)
    assert desk.register.listed() == []


def test_without_a_key_of_the_traders_nothing_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = ModelControl(Register(), None, ModelProfile("default", "x", URL, "x"), SteppedClock(0))
    typed(monkeypatch, KEY)
    with pytest.raises(ValueError, match="ENCRYPTION_PUBLIC_KEY"):
        do(desk, *NEW, "m", "--key")
    assert act_of(parsed("models")) is None
    assert Decimal(1) == parsed(*NEW, "m", "--day", "1").day
