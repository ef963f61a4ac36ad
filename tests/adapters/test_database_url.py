"""DATABASE_URL in every dialect a host hands out, and one plain line for one that cannot work."""

import ssl
from pathlib import Path

import pytest

from lib.adapters.sql.database.engine import describe, make_engine
from lib.adapters.sql.database.url import read_address
from lib.domain.errors import Halt

HOST = "u:pw@db.example.test:3307/app"


@pytest.mark.parametrize(
    "raw",
    [
        f"mysql://{HOST}",
        f"mysql2://{HOST}?reconnect=true&pool=5&encoding=utf8mb4",
        f"mysql://{HOST}?reconnect=true",
        f"mariadb://{HOST}",
        f"MySQL://{HOST}",
        f"mysql+pymysql://{HOST}?charset=utf8",
        f"mysql+mysqldb://{HOST}",
        f"mariadb+pymysql://{HOST}",
        f"jdbc:mysql://{HOST}?useSSL=false&allowPublicKeyRetrieval=true",
        f"jdbc:mariadb://{HOST}",
        f'  "mysql://{HOST}"  ',
    ],
)
def test_every_dialect_is_one_address(raw: str) -> None:
    address = read_address(raw)
    assert address.url.render_as_string(hide_password=False) == f"mysql+pymysql://{HOST}"
    assert address.connect_args == {
        "charset": "utf8mb4",
        "connect_timeout": 10,
        "read_timeout": 10,
        "write_timeout": 10,
    }


def test_port_and_percent_signs() -> None:
    url = read_address("mysql://u%3Ax:p%40ss%2Fw%23rd%25@db.example.test/app").url
    assert (url.username, url.password, url.port) == ("u:x", "p@ss/w#rd%", 3306)
    assert read_address("mysql://u:pw@[::1]:3307/app").url.host == "::1"


@pytest.mark.parametrize(
    ("query", "verify", "host_checked"),
    [
        ("ssl-mode=REQUIRED", ssl.CERT_NONE, False),
        ("sslmode=require", ssl.CERT_NONE, False),
        ("ssl=true", ssl.CERT_NONE, False),
        ("useSSL=true", ssl.CERT_NONE, False),
        ("tls=1", ssl.CERT_NONE, False),
        ("ssl-mode=VERIFY_CA", ssl.CERT_REQUIRED, False),
        ("ssl_mode=VERIFY_IDENTITY", ssl.CERT_REQUIRED, True),
        ("sslmode=verify-full", ssl.CERT_REQUIRED, True),
        ("sslaccept=strict", ssl.CERT_REQUIRED, True),
    ],
)
def test_tls_words_become_a_context(query: str, verify: ssl.VerifyMode, host_checked: bool) -> None:
    context = read_address(f"mysql://{HOST}?{query}").connect_args["ssl"]
    assert (context.verify_mode, context.check_hostname) == (verify, host_checked)


def test_a_named_certificate_is_verified_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Halt, match="certificate"):
        read_address(f"mysql://{HOST}?ssl-ca={tmp_path / 'none.pem'}")
    known = ssl.get_default_verify_paths().cafile
    if known and Path(known).is_file():
        assert read_address(f"mysql://{HOST}?ssl-ca={known}").connect_args["ssl"].verify_mode is ssl.CERT_REQUIRED


def test_tls_can_be_switched_off_and_a_socket_named() -> None:
    assert read_address(f"mysql://{HOST}?ssl-mode=DISABLED").connect_args["ssl_disabled"] is True
    assert read_address(f"mysql://{HOST}?unix_socket=/run/s.sock").connect_args["unix_socket"] == "/run/s.sock"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "not a URL"),
        ("s3cret", "not a URL"),
        ("postgres://u:s3cret@h/app", "PostgreSQL"),
        ("postgresql+psycopg://u:s3cret@h/app", "PostgreSQL"),
        ("mongodb://u:s3cret@h/app", "unknown scheme"),
        ("mysql://u:s3cret@h:3306", "names no database"),
        ("mysql://u:s3cret@h:3306/", "names no database"),
        ("mysql://u:s3cret@h:port/app", "cannot be read"),
        ("mysql://u:s3cret@h/app/more", "cannot be read"),
        ("mysql:///app", "cannot be read"),
        ("sqlite://", "SQLite file"),
        ("sqlite:///:memory:", "SQLite file"),
        ("sqlite:////nowhere/at/all/app.db", "does not exist"),
    ],
)
def test_what_cannot_work_is_one_line_without_the_password(raw: str, why: str) -> None:
    with pytest.raises(Halt, match=why) as caught:
        make_engine(raw)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_message_shows_user_or_password(tmp_path: Path) -> None:
    engine = make_engine("mysql://admin:s3cret@db.example.test/app?ssl=true")
    assert describe(engine) == "database 'app' at db.example.test:3306"
    assert "s3cret" not in repr(engine)
    file = make_engine(f"sqlite:///{tmp_path / 'app.db'}")
    assert describe(file) == f"sqlite file {tmp_path / 'app.db'}"
