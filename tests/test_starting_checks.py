"""What would be unsafe in production is refused at the start, in one line that shows no value; the doctor says all."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lib import bootstrap, log, settings
from lib.adapters.vault import generate_keys
from lib.adapters.web_lock import new_secret
from lib.bootstrap import examining
from lib.clock import SystemClock
from lib.domain.errors import Halt, Retry
from services import doctor
from tests.log_state import logs_put_back

ROOT = Path(__file__).resolve().parents[1]
PRIVATE, PUBLIC = generate_keys()
MYSQL = {"DATABASE_URL": "mysql://me:s3cret@db.example/app", "REDIS_URL": "redis://cache.example/0"}


def refused(env: dict[str, str], why: str) -> None:
    with pytest.raises(Halt, match=why) as halt:
        settings.load(env)
    assert "\n" not in str(halt.value)
    assert not any(value in str(halt.value) for value in env.values() if len(value) > 12)


# --- secrets ----------------------------------------------------------------------------------------------------------


def examples() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "ENCRYPTION_KEY", "ENCRYPTION_PUBLIC_KEY", "WEB_SECRET", "DATABASE_URL", "REDIS_URL"]
)
def test_no_secret_of_the_example_file_works(name: str) -> None:
    with pytest.raises(Halt, match=f"{name} "):
        settings.load({name: examples()[name]})


def test_one_value_in_two_places_is_refused() -> None:
    refused({"ENCRYPTION_KEY": PRIVATE, "WEB_SECRET": PRIVATE}, "ENCRYPTION_KEY and WEB_SECRET hold the same value")
    refused({"ENCRYPTION_KEY": PRIVATE, "ENCRYPTION_PUBLIC_KEY": PRIVATE}, "hold the same value")
    refused({"ENCRYPTION_KEY": PRIVATE, "ENCRYPTION_KEYS_OLD": PRIVATE}, "hold the same value")
    settings.load({"ENCRYPTION_KEY": PRIVATE, "ENCRYPTION_PUBLIC_KEY": PUBLIC, "WEB_SECRET": new_secret()})


@pytest.mark.parametrize("name", ["ENCRYPTION_KEY", "ENCRYPTION_KEYS_OLD", "WEB_SECRET", "WEB_SECRETS_OLD"])
@pytest.mark.parametrize("value", ["correct horse battery staple!", "A" * 43 + "=", "changeme"])
def test_a_key_that_is_not_32_random_bytes_is_refused(name: str, value: str) -> None:
    refused({name: value}, name)


def test_a_token_that_strangers_may_try_must_be_long() -> None:
    weak = {"SIMULATOR_TOKEN": "letmein"}
    settings.load(weak)
    refused({**weak, "SIMULATOR_HOST": "0.0.0.0"}, "can be guessed")  # noqa: S104 - the point of the test
    refused({"SIMULATOR_TOKEN": "a" * 40, "SIMULATOR_HOST": "203.0.113.7"}, "can be guessed")


# --- the web, and what opens exchange keys ----------------------------------------------------------------------------


def test_a_deployed_web_that_holds_a_secret_of_another_process_does_not_start() -> None:
    for name in ("ENCRYPTION_KEY", "ENCRYPTION_KEYS_OLD", "NOTIFIER_KEY"):
        with pytest.raises(Halt, match=f"the web must not hold {name}") as halt:
            bootstrap.refuse_key_that_opens(settings.load({**MYSQL, name: PRIVATE}))
        assert PRIVATE not in str(halt.value)
    for name, value in (("TELEGRAM_BOT_TOKEN", BOT_TOKEN), ("NOTIFY_OPERATORS", f"telegram={OPERATORS}"), *SHARED):
        with pytest.raises(Halt, match=f"the web must not hold {name}") as halt:
            bootstrap.refuse_key_that_opens(settings.load({**MYSQL, name: value}))
        assert value not in str(halt.value)
    bootstrap.refuse_key_that_opens(settings.load({**MYSQL, "ENCRYPTION_PUBLIC_KEY": PUBLIC}))
    bootstrap.refuse_key_that_opens(
        settings.load({"DATABASE_URL": "sqlite:////data/maemae.db", "ENCRYPTION_KEY": PRIVATE})
    )


SHARED = (("OPENAI_API_KEY", "sk-canary-of-the-analyst"), ("HEARTBEAT_URL", "https://hc-ping.example/canary"))
BOT_TOKEN = "123456789:AAcanaryTokenOfTheBotOfThisPlatform"
OPERATORS = "tgram://123456789:AAcanaryTokenOfTheOperators/42"


def test_no_line_of_the_log_holds_what_only_this_deployment_knows(caplog: pytest.LogCaptureFixture) -> None:
    secrets = {
        "NOTIFIER_KEY": PRIVATE,
        "NOTIFY_OPERATORS": f"telegram={OPERATORS}",
        "METRICS_TOKEN": "the-token-of-who-watches",
        "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
        "HEARTBEAT_URL": "https://hc-ping.example/canary-of-the-heartbeat",
    }
    bootstrap.prepare_logs("notifier", settings.load({**MYSQL, **secrets}))
    for value in secrets.values():
        assert value.partition("=")[2] or value not in log.redact(f"POST {value.removeprefix('telegram=')} failed")
        assert "canary" not in log.redact(value)


def test_one_value_in_two_places_is_refused_of_the_notifiers_too() -> None:
    refused({"METRICS_TOKEN": BOT_TOKEN, "TELEGRAM_BOT_TOKEN": BOT_TOKEN}, "hold the same value")
    refused({"NOTIFIER_KEY": PRIVATE, "ENCRYPTION_KEY": PRIVATE}, "hold the same value")


# --- a disk that forgets ----------------------------------------------------------------------------------------------

EMBEDDED = {"DATABASE_URL": "sqlite:////data/maemae.db", "REDIS_URL": "redis://cache.example/0"}


@pytest.mark.parametrize("platform", settings.PLATFORM_NAMES)
def test_a_platform_whose_disk_forgets_takes_no_embedded_store(platform: str) -> None:
    refused({platform: "x", **EMBEDDED}, "disk is ephemeral")
    settings.load({platform: "x", **MYSQL})


def test_what_is_mounted_outlives_a_restart_but_heroku_mounts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_mount", lambda self: self == Path("/data"))
    settings.load({"FLY_APP_NAME": "x", "DATA_DIR": "/data/maemae", **EMBEDDED})
    refused({"FLY_APP_NAME": "x", "DATA_DIR": "/app/var", **EMBEDDED}, "disk is ephemeral")
    refused({"DYNO": "web.1", "DATA_DIR": "/data/maemae", **EMBEDDED}, "disk is ephemeral")
    refused({"DYNO": "web.1", "DATABASE_URL": MYSQL["DATABASE_URL"], "REDIS_URL": "unix:///app/var/r"}, "ephemeral")


def test_a_process_on_such_a_platform_that_needs_no_store_is_told_of_none() -> None:
    settings.load({"DYNO": "release.1", "DATABASE_URL": MYSQL["DATABASE_URL"]})
    settings.load({"DYNO": "collector.1", "REDIS_URL": MYSQL["REDIS_URL"]})


# --- the doctor -------------------------------------------------------------------------------------------------------


class Exchange:
    """An exchange that answers its time, or does not."""

    ahead_ms = 0
    is_away = False

    def __init__(self, url: str, *, timeouts: tuple[float, float]) -> None:
        self.url = url

    def server_time(self) -> int:
        if self.is_away:
            raise Retry("nobody answers")
        return SystemClock().now_ms() + self.ahead_ms


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Entry points set the logs up for good."""
    with logs_put_back():
        yield


@pytest.fixture
def whole(
    sqlite_engine: sa.Engine, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], tuple[int, str]]:
    """The doctor over a deployment of which everything is there; the exit status and what it printed."""
    own = {"ENCRYPTION_KEY": PRIVATE, "ENCRYPTION_PUBLIC_KEY": PUBLIC, "WEB_SECRET": new_secret()}
    env = {"DATABASE_URL": f"sqlite:///{sqlite_engine.url.database}", "REDIS_URL": redis_url, "INSTALLATION": "here"}
    for name, value in {**env, **own, "DATA_DIR": str(tmp_path), "OPENAI_API_KEY": "a-key-of-a-provider"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(examining, "BybitMarketData", Exchange)
    monkeypatch.setattr(Exchange, "ahead_ms", 0)
    monkeypatch.setattr(Exchange, "is_away", False)
    printed: list[str] = []
    monkeypatch.setattr("sys.stdout.write", printed.append)

    def run() -> tuple[int, str]:
        printed.clear()
        status = doctor.main()
        said = "".join(printed)
        assert not any(secret in said for secret in (*own.values(), "a-key-of-a-provider"))
        return status, said

    return run


@pytest.mark.server
def test_where_everything_is_there_the_doctor_ends_well(whole: Callable[[], tuple[int, str]]) -> None:
    status, said = whole()
    assert status == 0, said
    assert "✗" not in said
    for part in ("settings ", "schema ", "Redis ", "the clocks agree", "no trader is at work"):
        assert part in said


@pytest.mark.server
@pytest.mark.parametrize(
    ("name", "value", "says", "status"),
    [
        ("REDIS_URL", "unix:///nowhere/redis.sock", "✗ Redis", 1),
        ("DATABASE_URL", "sqlite:////nowhere/a.db", "✗ database", 1),
        ("ENCRYPTION_PUBLIC_KEY", generate_keys()[1], "✗ ENCRYPTION_PUBLIC_KEY is not the public half", 1),
        ("FEED", "none-such", "✗ settings: FEED", 1),
        ("ENCRYPTION_KEYS_OLD", generate_keys()[0], "! a rotation of keys is under way", 0),
    ],
    ids=["redis", "database", "pair", "settings", "rotation"],
)
def test_what_is_not_there_has_its_line(
    whole: Callable[[], tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    says: str,
    status: int,
) -> None:
    monkeypatch.setenv(name, value)
    assert whole()[0] == status
    assert says in whole()[1]


@pytest.mark.server
def test_an_exchange_that_is_away_and_a_clock_that_is_off_are_told_apart(
    whole: Callable[[], tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Exchange, "ahead_ms", 3_000)
    status, said = whole()
    assert status == 0
    assert re.search(r"! http\S+: this machine's clock is -\d\.\d s off the exchange's", said)
    monkeypatch.setattr(Exchange, "is_away", True)
    status, said = whole()
    assert status == 1
    assert re.search(r"✗ http\S+: nobody answers", said)


@pytest.mark.server
def test_a_database_of_another_schema_says_what_to_run(
    whole: Callable[[], tuple[int, str]], sqlite_engine: sa.Engine
) -> None:
    with sqlite_engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    status, said = whole()
    assert status == 1
    assert "run `make migrate`" in said


def test_where_nothing_is_yet_it_says_so_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in settings.DATABASE_NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "none"))
    assert doctor.main() == 1
    assert "there is no deployment" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()
