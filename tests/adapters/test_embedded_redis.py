"""A redis-server of our own: one per data directory, durable, private; and URLs that cannot work."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from lib.adapters.redis import connection, embedded
from lib.adapters.redis.candle_store import RedisCandleStore
from lib.bootstrap.local import embedded_redis
from lib.domain.candle import MINUTE_MS
from lib.domain.errors import Halt, Retry
from lib.market.collector import Collector, CollectorPlan
from lib.process_table import FOR_STRANGERS
from lib.settings import SECRET_NAMES
from tests.certificates import Authority
from tests.fakes.market import START, ScriptedMarket, SetClock, run_of

JOIN = """
import sys
from lib.adapters.redis import embedded
from lib.adapters.redis.connection import connect
print("ready", flush=True)
sys.stdin.readline()
server = embedded.ensure(sys.argv[1])
client = connect(server.url)
print(client.info("server")["process_id"], server.started_here, client.incr("arrivals"), flush=True)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[embedded.EmbeddedRedis]:
    server = embedded.ensure(tmp_path)
    yield server
    server.stop()


def pid_of(server: embedded.EmbeddedRedis) -> int:
    client = connection.connect(server.url)
    with client:
        return int(client.info("server")["process_id"])


@pytest.mark.server
def test_six_processes_at_once_share_exactly_one_server(tmp_path: Path) -> None:
    arrivals = [
        subprocess.Popen(
            [sys.executable, "-c", JOIN, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    for process in arrivals:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in arrivals:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60)[0].split() for process in arrivals]
    pids = {int(answer[0]) for answer in answers}
    try:
        assert len(pids) == 1
        assert sorted(answer[1] for answer in answers) == ["False"] * 5 + ["True"]
        assert sorted(int(answer[2]) for answer in answers) == [1, 2, 3, 4, 5, 6]
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


@pytest.mark.server
def test_candles_survive_a_killed_server(tmp_path: Path) -> None:
    first = embedded.ensure(tmp_path)
    store = RedisCandleStore(connection.connect(first.url))
    store.append("BTCUSDT", "1m", run_of(10))
    connection.connect(first.url).bgrewriteaof()  # syncs what everysec has not yet synced
    _until_synced(first.url)
    os.kill(pid_of(first), signal.SIGKILL)
    assert first.process is not None
    first.process.wait(5)
    second = embedded.ensure(tmp_path)
    try:
        assert second.started_here
        assert RedisCandleStore(connection.connect(second.url)).newest("BTCUSDT", "1m", 99) == run_of(10)
        assert store.newest("BTCUSDT", "1m", 99) == run_of(10), "a client of the killed server finds the new one"
    finally:
        second.stop()


def _until_synced(url: str) -> None:
    client = connection.connect(url)
    deadline = time.monotonic() + 10
    while client.info("persistence")["aof_rewrite_in_progress"] or client.info("persistence").get(
        "aof_pending_rewrite"
    ):
        assert time.monotonic() < deadline


@pytest.mark.server
def test_the_second_to_ask_joins_and_does_not_stop_it(server: embedded.EmbeddedRedis, tmp_path: Path) -> None:
    other = embedded.ensure(tmp_path)
    assert server.started_here
    assert not other.started_here
    assert other.url == server.url
    other.stop()
    connection.check(connection.connect(server.url))


@pytest.mark.server
def test_stop_ends_the_server_and_is_idempotent(tmp_path: Path) -> None:
    server = embedded.ensure(tmp_path)
    server.stop()
    server.stop()
    with pytest.raises(Retry):
        connection.check(connection.connect(server.url))


@pytest.mark.server
def test_the_server_is_private_durable_and_never_evicts(server: embedded.EmbeddedRedis, tmp_path: Path) -> None:
    client = connection.connect(server.url)
    wanted = {"port": "0", "appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
    assert {name: client.config_get(name)[name] for name in wanted} == wanted
    path = Path(server.url.removeprefix("unix://"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert path.parent.name.startswith(("redis-", "valkey-"))
    assert path.parent.parent == tmp_path


@pytest.mark.server
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_server_is_told_nothing_of_what_its_starter_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SECRET_NAMES, *(f"{name}_FILE" for name in SECRET_NAMES), "AWS_SECRET_ACCESS_KEY", "DATA_DIR"):
        monkeypatch.setenv(name, "canary-of-a-secret")
    monkeypatch.setenv("PYTHONPATH", str(Path(embedded.__file__).parents[3]))
    program, seen = tmp_path / "redis-server", tmp_path / "environ"
    # read before the real one begins, which writes its title over what it was told
    program.write_text(f'#!/bin/sh\ncat /proc/$$/environ >> {seen}\nexec {embedded.find_binary()} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    server = embedded_redis(tmp_path)  # as `make run` starts it, through a program that ties it
    server.stop()
    told = seen.read_bytes()
    names = {pair.partition(b"=")[0].decode() for pair in told.split(b"\0") if pair}
    assert b"canary" not in told
    assert {"PATH"} <= names <= set(FOR_STRANGERS)


@pytest.mark.server
def test_a_long_data_directory_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 80) / ("e" * 60)
    server = embedded.ensure(deep)
    try:
        assert len(server.url.removeprefix("unix://")) < embedded.MAX_SOCKET_PATH
        connection.check(connection.connect(server.url))
        assert embedded.ensure(deep).url == server.url
    finally:
        server.stop()


def test_a_binary_that_is_no_server_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(Halt, match="set REDIS_URL"):
        embedded.ensure(tmp_path, binary=tmp_path / "nothing")


@pytest.mark.server
def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    home = tmp_path / embedded._version_name(embedded.find_binary())
    home.mkdir(parents=True)
    (home / "appendonly.aof").write_bytes(b"*1\r\n$7\r\nrubbish\r\n")
    (home / "appendonlydir").mkdir()
    (home / "appendonlydir" / "appendonly.aof.manifest").write_bytes(b"rubbish\n")
    with pytest.raises(Halt, match="does not start"):
        embedded.ensure(tmp_path)


# --- the collector on it ----------------------------------------------------------------------------------------------


@pytest.mark.server
def test_a_collector_survives_a_killed_and_a_flushed_server(tmp_path: Path) -> None:
    clock, truth = SetClock(START + 100 * MINUTE_MS), run_of(120)
    market = ScriptedMarket(clock, truth)
    plan = CollectorPlan("synthetic", ("BTCUSDT",), ("1m",), capacity=60)
    first = embedded.ensure(tmp_path)
    store = RedisCandleStore(connection.connect(first.url), capacity=60)
    collector = Collector(plan, store, market, None, clock)

    def settle() -> None:
        collector.check_feeds()
        while collector.load_next():
            pass
        collector.check_feeds()

    settle()
    assert store.newest("BTCUSDT", "1m", 99) == truth[40:100]

    assert first.process is not None
    first.process.kill()
    first.process.wait(5)
    clock.now += 7 * MINUTE_MS
    with pytest.raises(Retry, match="redis_unreachable"):
        settle()

    second = embedded.ensure(tmp_path)
    try:
        clock.now += 15_000
        settle()
        assert store.newest("BTCUSDT", "1m", 99) == truth[47:107]
        assert store.status()["data_server_problem"] == ""

        connection.connect(second.url).flushall()
        clock.now += 15_000
        settle()
        assert store.newest("BTCUSDT", "1m", 99) == truth[47:107]
        assert store.status()["feed"] == "synthetic"
    finally:
        second.stop()


# --- URLs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://:hunter2@host",
        "redis://",
        "redis://:hunter2@/0",
        "redis://:hunter2@host:port",
        "redis://:hunter2@host:99999",
        "redis://user:hunter2#x@host:6379/0",
        "redis://:hunter2@host/zero",
        "redis://:hunter2@host?reconnect=true",
        "redis://:hunter2@host?ssl_cert_reqs=none",
        "redis://:hunter2@host?db=many",
        "unix://relative.sock",
        "redis://:hunter2@[::1",
    ],
)
def test_a_url_that_cannot_work_is_one_clear_line_without_the_password(url: str) -> None:
    for make in (connection.connect, connection.connect_async):
        with pytest.raises(Halt) as halt:
            make(url)
        line = str(halt.value)
        assert "REDIS_URL" in line
        assert "\n" not in line
        assert "hunter2" not in line


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("redis://localhost:6379", {"host": "localhost", "port": 6379}),
        ("redis://user:p%40ss@cache.example:1234/2", {"password": "p@ss", "username": "user", "db": 2}),
        ("unix:///run/redis.sock?db=3", {"path": "/run/redis.sock", "db": 3}),
        ("rediss://:x@cache.example:6380", {"ssl_cert_reqs": "required", "ssl_check_hostname": True}),
    ],
)
def test_usual_urls_are_understood(url: str, wanted: dict[str, object]) -> None:
    options = connection.connect(url).connection_pool.connection_kwargs
    assert {name: options[name] for name in wanted} == wanted


@pytest.mark.parametrize(("verify", "reqs", "host"), [("none", "none", False), ("ca", "required", False)])
def test_tls_checks_as_much_as_asked(verify: connection.TlsVerify, reqs: str, host: bool, tmp_path: Path) -> None:
    ca = str(Authority(tmp_path).pair.cert)
    options = connection.connect("rediss://h", tls_verify=verify, ca_file=ca).connection_pool.connection_kwargs
    assert (options["ssl_cert_reqs"], options["ssl_check_hostname"]) == (reqs, host)
    assert options["ssl_ca_certs"] == ca


def test_an_unknown_tls_setting_is_refused() -> None:
    with pytest.raises(Halt, match="none, ca or full"):
        connection.connect("rediss://h", tls_verify="maybe")  # type: ignore[arg-type]


@pytest.mark.server
@pytest.mark.enable_socket
def test_a_refusing_server_is_known_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(Retry, match="redis_unreachable"):
        connection.check(connection.connect(f"redis://:hunter2@127.0.0.1:{port}"))
    assert time.monotonic() - began < 1


@pytest.mark.server
@pytest.mark.enable_socket
def test_a_silent_server_is_given_up_within_seconds() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(Retry, match="redis_unreachable"):
            RedisCandleStore(connection.connect(f"redis://127.0.0.1:{silent.getsockname()[1]}")).count("BTCUSDT", "1m")
        assert time.monotonic() - began < 4.5


@pytest.mark.server
def test_a_wrong_password_is_halt_not_retry(server: embedded.EmbeddedRedis) -> None:
    client = connection.connect(server.url)
    client.config_set("requirepass", "right")
    with pytest.raises(Halt, match="password") as halt:
        connection.check(connection.connect(server.url))
    assert "right" not in str(halt.value)
    with pytest.raises(Halt, match="password"):
        connection.check(connection.connect(server.url.replace("unix://", "unix://:wrong@")))


@pytest.mark.server
def test_a_read_only_server_is_retry(server: embedded.EmbeddedRedis) -> None:
    client = connection.connect(server.url)
    client.replicaof("127.0.0.1", "1")
    with pytest.raises(Retry):
        RedisCandleStore(client).append("BTCUSDT", "1m", run_of(1))


def test_the_library_error_types_are_what_we_translate() -> None:
    assert issubclass(redis.AuthenticationError, redis.ConnectionError), "so it is caught before its parent"
