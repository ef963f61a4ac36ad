"""One table says which secrets each process is given; whatever starts processes keeps to it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lib.process_table import ENDING, PROCESSES, narrowed
from lib.settings import SECRET_NAMES

ROOT = Path(__file__).resolve().parents[1]
EVERYTHING = {f"{name}{form}": "x" for name in SECRET_NAMES for form in ("", "_FILE")} | {
    "FEED": "bybit",
    "PATH": "/bin",
}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text("utf-8"))["services"]
UNITS = {path.stem.removeprefix("maemae-"): path.read_text("utf-8") for path in ROOT.glob("deploy/systemd/*.service")}
OPENS = {"ENCRYPTION_KEY", "ENCRYPTION_KEYS_OLD", "WEB_SECRET", "WEB_SECRETS_OLD", "NOTIFIER_KEY", "TELEGRAM_BOT_TOKEN"}


def secrets_of(names: dict[str, str]) -> set[str]:
    return {name.removesuffix("_FILE") for name in names} & set(SECRET_NAMES)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_is_given_its_own_secrets_and_every_plain_setting(name: str) -> None:
    given = narrowed(name, EVERYTHING)
    assert secrets_of(given) == set(PROCESSES[name].secrets) <= set(SECRET_NAMES)
    assert given["FEED"] == "bybit"


def test_what_opens_something_has_the_holders_it_needs() -> None:
    holders = {secret: [name for name, one in PROCESSES.items() if secret in one.secrets] for secret in OPENS}
    assert holders == {
        "ENCRYPTION_KEY": ["preflight", "trader", "worker"],
        "ENCRYPTION_KEYS_OLD": ["preflight", "trader", "worker"],
        "WEB_SECRET": ["web", "telegram"],  # both ask people for their second factor
        "WEB_SECRETS_OLD": ["web", "telegram"],
        "NOTIFIER_KEY": ["notifier"],
        "TELEGRAM_BOT_TOKEN": ["telegram"],
    }


@pytest.mark.parametrize("file", ["Procfile", "Procfile.local"])
def test_a_procfile_starts_each_process_by_the_table(file: str) -> None:
    said = (line.split(": ", 1) for line in (ROOT / file).read_text("utf-8").splitlines() if line[0] != "#")
    for name, command in said:
        own = "migrate" if name == "release" else name
        assert command.removeprefix("exec ") == f"python -m services.start {own}"
        assert own in PROCESSES


@pytest.mark.parametrize("name", sorted(PROCESSES.keys() & COMPOSE.keys()))
def test_a_container_is_given_no_secret_beyond_the_table(name: str) -> None:
    told = COMPOSE[name]["environment"]
    files = {key.removesuffix("_FILE").lower() for key in told if key.endswith("_FILE")}
    assert {key.removesuffix("_FILE") for key in told if key.endswith("_FILE")} <= set(PROCESSES[name].secrets)
    assert set(COMPOSE[name].get("secrets", [])) == files
    assert f"python -m {PROCESSES[name].module}" in " ".join(COMPOSE[name]["command"])


def test_the_web_ends_first_and_the_exchange_of_the_others_last() -> None:
    assert set(ENDING) == PROCESSES.keys() - {"migrate", "archive", "preflight", "backtester"}
    order = {name: place for place, name in enumerate(ENDING)}
    assert order["web"] < order["worker"] < order["trader"] < order["notifier"] < order["simulator"]
    assert order["trader"] < order["collector"] < order["simulator"]


def test_the_supervisor_keeps_what_the_table_knows() -> None:
    kept = re.findall(r"^(\w+):", (ROOT / "Procfile.local").read_text("utf-8"), re.MULTILINE)
    assert set(kept) == set(ENDING) - {"worker"}  # one machine has the trader
