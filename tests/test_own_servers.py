"""Tests on servers of one's own: TEST_DATABASE_URL may be behind TCP, with a password."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lib.adapters.sql.database.engine import make_engine
from tests.servers import private_mariadb

ROOT = Path(__file__).resolve().parents[1]
ONE_TEST = "tests/contract/test_signing_in.py::test_a_changed_hash_is_the_one_found[mariadb]"


@pytest.mark.server
@pytest.mark.enable_socket
def test_a_server_behind_tcp_with_a_password_serves_the_tests() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with private_mariadb("--skip-networking=0", "--bind-address=127.0.0.1", f"--port={port}") as root:
        engine = make_engine(root)
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE USER tester@'127.0.0.1' IDENTIFIED BY 'p@ss/word'")
            connection.exec_driver_sql("GRANT ALL ON *.* TO tester@'127.0.0.1'")
        engine.dispose()
        env = {**os.environ, "TEST_DATABASE_URL": f"mysql://tester:p%40ss%2Fword@127.0.0.1:{port}/mysql"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", ONE_TEST]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout[-2_000:]
