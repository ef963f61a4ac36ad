"""
A MariaDB and a Redis of our own that can be killed and started again on the same data.

They listen on socket files in a temporary folder and write through to it, so that a kill loses nothing that was
acknowledged. A database of a scenario is a copy of one that was migrated once: the same tables, the same first rows.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import redis
import sqlalchemy as sa

from lib.adapters.redis.embedded import find_binary
from lib.adapters.sql.database.engine import make_engine
from tests.databases import with_schema

START_S = 30.0
_one_at_a_time = threading.Lock()
"""Migrations keep their context in a global."""
_known: "list[Template]" = []
"""What migrating made, once it has: the same on every server of this process."""


class Missing(RuntimeError):
    """A server's program is not installed."""


def program(*names: str) -> str:
    """The first of *names* that is installed; Debian keeps servers outside most people's PATH."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise Missing(f"none of {', '.join(names)} is installed")


@dataclass
class Server:
    """A server process on a socket file; *answers* asks it something and raises while it cannot."""

    command: list[str]
    socket: Path
    answers: Callable[[], object]
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    def start(self) -> None:
        """Start it and return once it answers."""
        self.socket.unlink(missing_ok=True)
        null = subprocess.DEVNULL
        self.process = subprocess.Popen(self.command, stdout=null, stderr=null, start_new_session=True)
        give_up = time.monotonic() + START_S
        while self.process.poll() is None and time.monotonic() < give_up:
            if self.socket.exists() and self._is_up():
                return
            time.sleep(0.02)
        raise RuntimeError(f"{self.command[0]} did not start (exit status {self.process.poll()})")

    def _is_up(self) -> bool:
        try:
            self.answers()
        except (sa.exc.OperationalError, redis.ConnectionError):
            return False
        return True

    def end(self, number: int = signal.SIGKILL) -> None:
        """Send *number* and wait until it is gone."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(START_S)
            self.process = None


def mariadb(folder: Path) -> Server:
    """A MariaDB with its data in *folder*, not started yet."""
    server = program("mariadbd", "mysqld")
    user = ["--user=root"] if os.geteuid() == 0 else []
    data, socket = folder / "data", folder / "db.sock"
    install = [program("mariadb-install-db", "mysql_install_db"), "--no-defaults", *user, f"--datadir={data}"]
    install += ["--skip-test-db", "--skip-name-resolve", "--auth-root-authentication-method=normal"]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command = [server, "--no-defaults", *user, f"--datadir={data}", f"--tmpdir={folder}", f"--socket={socket}"]
    command += [f"--pid-file={folder / 'pid'}", f"--log-error={folder / 'mariadb.log'}", "--skip-networking"]
    command += ["--skip-name-resolve", "--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci"]
    command += ["--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M"]
    url = address(socket, "mysql")

    def ask() -> None:
        engine = make_engine(url)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        finally:
            engine.dispose()

    return Server(command, socket, ask)


def address(socket: Path, database: str, user: str = "root") -> str:
    """DATABASE_URL of *database* at the server on *socket*."""
    return f"mysql://{user}@localhost/{database}?unix_socket={socket}&ssl-mode=disabled"


def redis_server(folder: Path) -> Server:
    """A Redis that forgets everything when it ends, not started yet."""
    socket = folder / "redis.sock"
    command = [str(find_binary()), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    command += ["--appendonly", "no", "--daemonize", "no"]

    def ping() -> None:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            client.ping()

    return Server(command, socket, ping)


@dataclass(frozen=True, slots=True)
class Template:
    """A migrated database as statements: tables, and the rows migrations put into them."""

    tables: dict[str, str]
    rows: dict[str, list[dict[str, object]]]


def migrated(socket: Path) -> Template:
    """What migrating a database of its own makes, found out once."""
    with _one_at_a_time:
        if not _known:
            _known.append(_migrate(socket))
        return _known[0]


def _migrate(socket: Path) -> Template:
    run_sql(socket, "CREATE DATABASE template")
    engine = make_engine(address(socket, "template"))
    try:
        with_schema(engine)
        with engine.connect() as connection:
            names = list(connection.scalars(sa.text("SHOW TABLES")))
            shown = {name: connection.exec_driver_sql(f"SHOW CREATE TABLE `{name}`").one()[1] for name in names}
        return Template(shown, snapshot(engine))
    finally:
        engine.dispose()


def copied(socket: Path, template: Template, name: str) -> str:
    """A fresh database called *name*; its DATABASE_URL."""
    run_sql(socket, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    url = address(socket, name)
    engine = make_engine(url)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
            for statement in template.tables.values():
                connection.exec_driver_sql(statement.replace("%", "%%"))
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")
        restore(engine, template.rows)
    finally:
        engine.dispose()
    return url


def snapshot(engine: sa.Engine) -> dict[str, list[dict[str, object]]]:
    """Every row of every table: a backup."""
    with engine.connect() as connection:
        names = list(connection.scalars(sa.text("SHOW TABLES")))
        return {name: _rows(connection, name) for name in names}


def _rows(connection: sa.Connection, table: str) -> list[dict[str, object]]:
    return [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM `{table}`").mappings()]  # noqa: S608


def restore(engine: sa.Engine, backup: dict[str, list[dict[str, object]]]) -> None:
    """Put the backup in the place of whatever the tables hold."""
    with engine.begin() as connection:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        for table, rows in backup.items():
            connection.exec_driver_sql(f"DELETE FROM `{table}`")  # noqa: S608
            for row in rows:
                into = ", ".join(f"`{name}`" for name in row)
                marks = ", ".join(["%s"] * len(row))
                connection.exec_driver_sql(f"INSERT INTO `{table}` ({into}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")


def run_sql(socket: Path, statement: str) -> None:
    """One statement outside any database of ours."""
    engine = make_engine(address(socket, "mysql"))
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
