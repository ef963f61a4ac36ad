"""What is under deploy/ fits the code: settings and modules are there, secrets where they belong, scripts run twice."""

import importlib.util
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from lib.adapters.vault import public_key
from lib.process_table import PROCESSES
from lib.settings import SECRET_NAMES, load

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
OURS = ("migrate", "simulator", "collector", "trader", "worker", "notifier", "telegram", "web", "archive")
UNITS = {path.stem.removeprefix("maemae-"): path.read_text("utf-8") for path in DEPLOY.glob("systemd/*.service")}
ONCE = ("migrate", "archive", "preflight")
"""Units that do something and end."""
SECRETS = {
    "database_url": "mysql://maemae:secret-word@mysql:3306/maemae", "openai_api_key": "sk-1234567890",
    "simulator_token": "a-token-of-the-simulator", "metrics_token": "a-token-of-the-watchers",
    "redis_url": "redis://:another-word@redis:6379/0", "notify_operators": "", "telegram_bot_token": "",
    "heartbeat_url": "", "smtp_url": "", "encryption_keys_old": "", "web_secrets_old": "",
}  # fmt: skip
EXAMPLES = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
SHAPED = {
    "PAPER_API_URL", "METRICS_HOST", "LOG_FORMAT", "SIMULATOR_HOST", "WEB_HOSTS", "PUBLIC_URL", "TRUSTED_PROXIES",
    "SIMULATOR_PORT", "WEB_HOST", "PORT", "DATA_DIR", "LOG_DIR", "REDIS_TLS_VERIFY",
    *(name for name in EXAMPLES if name.startswith("METRICS_PORT_")),
}  # fmt: skip
"""What is as containers, networks and volumes are laid out, and not an operator's to say."""
OF_TRADING = {"WORKERS", "WORKER_ADDRESS", "WORKER_CAPACITY"}


@cache
def keys() -> dict[str, str]:
    made = subprocess.run(
        [sys.executable, "-m", "services.keys"], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    return dict(line.split("=", 1) for line in made.stdout.split())


def environment(service: str, **more: str) -> dict[str, str]:
    """What compose tells *service* when an operator says *more*, with its defaults for what nobody said."""
    said = {"INSTALLATION": "ab12", "SITE": "trade.example.com"} | more

    def filled(found: re.Match[str]) -> str:
        name, _, default = found[1].partition(":")
        return said.get(name, default.removeprefix("-"))

    raw = COMPOSE["services"][service]["environment"]
    return {name: re.sub(r"\$\{([^}]*)\}", filled, str(value)) for name, value in raw.items()}


@pytest.mark.parametrize("service", OURS)
def test_settings_accept_what_compose_tells_a_process(service: str, tmp_path: Path) -> None:
    told, made = environment(service), SECRETS | {name.lower(): value for name, value in keys().items()}
    for name in COMPOSE["services"][service].get("secrets", []):
        (tmp_path / name).write_text(made[name] + "\n")
    told = {name: value.replace("/run/secrets", str(tmp_path)) for name, value in told.items()}
    known = (ROOT / ".env.example").read_text("utf-8")
    plain = [name for name in told if name != "HEALTH_URL" and not name.endswith("_FILE")]
    assert [name for name in plain if not re.search(rf"^{name}=", known, re.MULTILINE)] == []
    assert {name.removesuffix("_FILE") for name in told if name.endswith("_FILE")} <= set(SECRET_NAMES)
    loaded = load(told)
    assert (loaded.installation, loaded.feed, loaded.venues) == ("ab12", "bybit", ("paper",))
    wanted = {
        "trader": "openai_api_key",
        "worker": "openai_api_key",
        "web": "web_secret",
        "migrate": "database_url",
        "simulator": "simulator_token",
        "collector": "redis_url",
    }
    if service in wanted:
        assert getattr(loaded, wanted[service])


@pytest.mark.parametrize("service", OURS)
def test_compose_hands_on_what_an_operator_says_of_every_setting(service: str) -> None:
    plain = set(EXAMPLES) - set(SECRET_NAMES) - SHAPED
    wanted = plain - OF_TRADING if service not in ("trader", "worker") else plain - {"WORKER_ADDRESS"}
    words = {name: f"said-{name}" for name in plain - {"INSTALLATION"}}
    told = environment(service, **words)
    assert {name for name in wanted if told.get(name) != words.get(name, "ab12")} == set()


@pytest.mark.parametrize("service", OURS)
def test_compose_hands_each_process_every_secret_of_its_row_that_the_example_has(service: str) -> None:
    told = {name.removesuffix("_FILE") for name in environment(service) if name.endswith("_FILE")}
    row = set(PROCESSES[service].secrets) & set(EXAMPLES)
    assert told == row


def test_what_nobody_says_is_as_without_the_setting() -> None:
    plain = {name: text for name, text in environment("trader").items() if not name.endswith("_FILE")}
    said = {name: text for name, text in plain.items() if text}
    assert load(plain) == load(said)


def test_the_key_that_opens_is_for_who_trades_alone_and_the_web_has_none_that_opens() -> None:
    holders = {name: set(one.get("secrets", [])) for name, one in COMPOSE["services"].items()}
    assert [name for name, held in holders.items() if "encryption_key" in held] == ["trader", "worker"]
    assert set().union(*holders.values()) == set(COMPOSE["secrets"])
    assert "encryption_public_key" in holders["web"]


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_every_container_is_held_small(service: str) -> None:
    one: dict[str, Any] = COMPOSE["services"][service]
    assert one.get("deploy", {}).get("resources", {}).get("limits") or service == "migrate"
    assert "healthcheck" in one or service in OURS
    assert set(one["networks"]) <= set(COMPOSE["networks"])
    assert set(one.get("depends_on", {})) <= set(COMPOSE["services"])
    assert ("ports" in one) == (service == "caddy"), "nothing but the proxy is reached from outside"
    if service != "mysql":
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in one["security_opt"]
    if service in ("mysql", "redis"):
        assert one["networks"] == ["inside"]
    volumes = {volume.partition(":")[0] for volume in one.get("volumes", []) if not volume.startswith(".")}
    assert volumes <= set(COMPOSE["volumes"])


def test_the_archive_goes_every_day_soon_again_where_it_failed_and_keeps_its_files(tmp_path: Path) -> None:
    *shell, script = COMPOSE["services"]["archive"]["command"]
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho pass "$@" >> log; [ "$(wc -l < log)" -ne 3 ]\n')
    (tmp_path / "sleep").write_text('#!/bin/sh\necho sleep "$@" >> log; [ "$(wc -l < log)" -lt 6 ] || kill $PPID\n')
    for one in tmp_path.iterdir():
        one.chmod(0o755)
    env = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([*shell, script], cwd=tmp_path, env=env, timeout=60, check=False)
    ran, day, soon = "pass -m services.archive", "sleep 86400", "sleep 600"
    assert (tmp_path / "log").read_text().splitlines() == [ran, day, ran, soon, ran, day]
    assert COMPOSE["services"]["archive"]["volumes"] == ["archive:/var/lib/maemae"]


def test_the_inside_has_no_way_out() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("service", OURS)
def test_containers_and_units_start_modules_that_are_there(service: str) -> None:
    said = " ".join(COMPOSE["services"][service]["command"])
    [module] = re.findall(r"\bpython -m ([\w.]+)", said)
    assert said == f"python -m {module}" or service == "archive"
    assert importlib.util.find_spec(module)
    assert f"ExecStart=/opt/maemae/venv/bin/python -m {module}\n" in UNITS[service]


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_hardened_and_does_not_repeat_settings_that_cannot_work(name: str) -> None:
    unit = UNITS[name]
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectProc=invisible", "CapabilityBoundingSet=\n"):
        assert line in unit
    assert ("RestartPreventExitStatus=78" in unit) == (name not in ONCE)
    assert ("StartLimitIntervalSec=0" in unit) == (name not in ONCE), "what was away for long is tried for ever"
    assert "LimitCORE=0\n" in unit, "a core holds every secret of its process"


def test_no_two_processes_share_a_user_but_for_the_migration() -> None:
    users = {name: re.findall(r"^User=(\S+)$", unit, re.MULTILINE)[0] for name, unit in UNITS.items()}
    assert users.pop("migrate") == users["trader"]
    assert len(set(users.values())) == len(users)
    made = re.search(r"for user in (.*); do", (DEPLOY / "install.sh").read_text("utf-8"))
    assert made is not None
    assert set(made[1].split()) == set(users.values())


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_told_no_secret_beyond_the_table(name: str, installed: Path) -> None:
    files = re.findall(r"^EnvironmentFile=/etc/maemae/(\S+)$", UNITS[name], re.MULTILINE)
    told = "\n".join((installed / "etc/maemae" / file).read_text() for file in files)
    given = set(re.findall(r"^([A-Z_]+)=", told, re.MULTILINE)) & set(SECRET_NAMES)
    assert given <= set(PROCESSES[name].secrets)
    assert re.search(rf"-m {PROCESSES[name].module}[ \n]", UNITS[name])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What install.sh lays out where nothing was before."""
    place = tmp_path_factory.mktemp("installed")
    run("install.sh", DESTDIR=str(place), KEYS_PYTHON=sys.executable)
    return place


def test_stores_are_given_random_passwords_that_both_sides_know(installed: Path) -> None:
    folder = installed / "etc/maemae"
    [database] = re.findall(r"^DATABASE_URL=mysql://maemae:(\w{24,})@", (folder / "database.env").read_text(), re.M)
    assert f"IDENTIFIED BY '{database}'" in (folder / "database.sql").read_text()
    [redis] = re.findall(r"^REDIS_URL=redis://:(\w{24,})@", (folder / "redis.env").read_text(), re.M)
    assert f"requirepass {redis}\n" in (folder / "redis.conf").read_text()
    assert database != redis


def test_an_older_installation_keeps_its_stores_and_gets_a_notifier(tmp_path: Path) -> None:
    folder = tmp_path / "etc/maemae"
    folder.mkdir(parents=True)
    (folder / "common.env").write_text(
        "DATABASE_URL=mysql://me:w0rd@db/maemae\nREDIS_URL=redis://cache/0\nFEED=bybit\nDATA_DIR=/var/lib/maemae\n"
    )
    (folder / "trader.env").write_text("ENCRYPTION_KEY=x\n")
    (folder / "web.env").write_text("ENCRYPTION_PUBLIC_KEY=y\nSIMULATOR_TOKEN=z\n")
    for _ in range(2):
        run("install.sh", DESTDIR=str(tmp_path), KEYS_PYTHON=sys.executable)
    assert (folder / "common.env").read_text() == "FEED=bybit\n"
    assert "DATABASE_URL=mysql://me:w0rd@db/maemae\n" in (folder / "database.env").read_text()
    assert "REDIS_URL=redis://cache/0\n" in (folder / "redis.env").read_text()
    assert not (folder / "database.sql").exists()
    assert (folder / "web.env").read_text().count("NOTIFIER_PUBLIC_KEY=") == 1
    opens = re.findall(r"^NOTIFIER_KEY=(.+)$", (folder / "notifier.env").read_text(), re.M)
    seals = re.findall(r"^NOTIFIER_PUBLIC_KEY=(.+)$", (folder / "web.env").read_text(), re.M)
    assert [public_key(one) for one in opens] == seals


def test_no_health_check_shows_a_password_to_whoever_lists_processes() -> None:
    for name, one in COMPOSE["services"].items():
        said = " ".join(one.get("healthcheck", {}).get("test", []))
        assert not re.search(r"(?:-p|--password|-a)[ =\"]*\$", said), name
    assert "requirepass" not in " ".join(COMPOSE["services"]["redis"]["command"])


def test_packages_are_never_built_where_they_are_installed() -> None:
    for file in ("Dockerfile", "install.sh"):
        installs = re.findall(r"pip install .*", (DEPLOY / file).read_text("utf-8"))
        assert installs
        assert all("--only-binary=:all: --require-hashes" in one for one in installs)


def test_the_image_copies_what_is_there_runs_as_nobody_and_says_how_it_is() -> None:
    said = (DEPLOY / "Dockerfile").read_text("utf-8")
    allowed = re.findall(r"^!(\S+)$", (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8"), re.MULTILINE)
    copied = [name for line in re.findall(r"^COPY (?!--)(.*) \S+$", said, re.MULTILINE) for name in line.split()]
    assert sorted(copied) == sorted(allowed)
    assert all((ROOT / name).exists() for name in copied)
    assert re.search(r"^USER 10001:10001$", said, re.MULTILINE)
    assert "HEALTHCHECK" in said
    assert said.count("FROM ") == 2


def run(script: str, *arguments: str, **more: str) -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **more}
    done = subprocess.run([str(DEPLOY / script), *arguments], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr


def test_installing_twice_keeps_settings_and_secrets_for_root_alone(tmp_path: Path) -> None:
    more = {"DESTDIR": str(tmp_path), "KEYS_PYTHON": sys.executable}
    run("install.sh", **more)
    told = {path.name: path.read_text() for path in (tmp_path / "etc/maemae").iterdir()}
    (tmp_path / "etc/maemae/common.env").write_text("FEED=synthetic\n")
    run("install.sh", **more)
    again = {path.name: path.read_text() for path in (tmp_path / "etc/maemae").iterdir()}
    assert again == told | {"common.env": "FEED=synthetic\n"}
    assert {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "etc/maemae").iterdir()} == {"0o600"}
    assert {path.name for path in (tmp_path / "etc/systemd/system").iterdir()} == {
        *(f"maemae-{one}.service" for one in UNITS),
        "maemae-archive.timer",
        "maemae-preflight.timer",
    }
    assert (tmp_path / "opt/maemae/app/lib/settings.py").exists()
    assert not list((tmp_path / "opt/maemae/app").rglob("secrets/[a-z]*"))
    named = set(re.findall(r"/etc/maemae/(\w+\.env)", "".join(UNITS.values())))
    assert named == set(told) - {"database.sql", "redis.conf"}
    assert "ENCRYPTION_KEY=" in told["trader.env"]
    assert "ENCRYPTION_KEY=" in told["worker.env"]
    assert "ENCRYPTION_KEY=" not in told["web.env"] + told["common.env"]
    token = re.findall(r"^SIMULATOR_TOKEN=(.+)$", told["web.env"], re.MULTILINE)
    assert token == re.findall(r"^SIMULATOR_TOKEN=(.+)$", told["simulator.env"], re.MULTILINE) != []


def test_secrets_are_made_once_and_keep_others_out(tmp_path: Path) -> None:
    run("secrets.sh", str(tmp_path / "s"), PYTHON=sys.executable)
    made = {path.name: path.read_text() for path in (tmp_path / "s").iterdir()}
    assert set(made) == set(COMPOSE["secrets"]) - {"openai_api_key"}
    run("secrets.sh", str(tmp_path / "s"), PYTHON=sys.executable)
    assert {path.name: path.read_text() for path in (tmp_path / "s").iterdir()} == made
    assert oct((tmp_path / "s").stat().st_mode & 0o777) == "0o700"
    assert made["mysql_password"].strip() in made["database_url"]


def test_proxies_show_nothing_of_the_inside() -> None:
    assert "@inside path /metrics /readyz" in (DEPLOY / "Caddyfile").read_text("utf-8")
    nginx = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert re.findall(r"location = (\S+)\s+\{ return 404; \}", nginx) == ["/metrics", "/readyz"]
    assert "X-Forwarded-For   $remote_addr;" in nginx, "what a visitor wrote there must not count"


def test_what_prometheus_asks_is_where_the_processes_show_it() -> None:
    asked = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    targets = {target for job in asked for config in job.get("static_configs", ()) for target in config["targets"]}
    ports = {
        (one, environment(one).get(f"METRICS_PORT_{one.upper()}"))
        for one in ("trader", "collector", "simulator", "notifier", "telegram")
    }
    assert targets == {f"{name}:{port}" for name, port in ports} | {"web:8501"}
    [workers] = [config for job in asked for config in job.get("dns_sd_configs", ())]
    assert workers["names"] == ["worker"]
    assert str(workers["port"]) == environment("worker").get("METRICS_PORT_WORKER")


@pytest.mark.parametrize("file", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda file: file.name)
def test_a_workflow_pins_what_it_uses_and_may_write_nothing(file: Path) -> None:
    said = file.read_text("utf-8")
    assert re.findall(r"uses: \S+@(?![0-9a-f]{40} )\S+", said) == []
    assert yaml.safe_load(said)["permissions"] == {"contents": "read"}
    assert "secrets." not in said


def test_every_change_runs_what_ci_runs() -> None:
    steps = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]["ci"]["steps"]
    assert steps[-1] == {"run": ".ci/run"}
