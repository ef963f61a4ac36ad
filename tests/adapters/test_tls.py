"""TLS to real servers: every option that is allowed works, and a certificate that is refused names the setting."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from lib.adapters.redis.connection import TlsVerify, check, connect, connect_async, translated
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.schema import check_schema
from lib.adapters.sql.database.transactions import transact
from lib.adapters.tls import handshake_failure
from lib.domain.errors import Halt, Retry
from lib.reason_text import told
from tests.certificates import Authority, Pair
from tests.servers import PLAINLY, private_mariadb, private_redis

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


@dataclass(frozen=True, slots=True)
class Files:
    """An authority that signs everything here, and one that nobody has heard of."""

    authority: Authority
    stranger: Authority
    client: Pair


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority(folder)
    return Files(authority, Authority(folder, "stranger"), authority.sign("client"))


# --- the database -----------------------------------------------------------------------------------------------------


def mariadb_with(files: Files, server: Pair) -> tuple[str, ...]:
    return (f"--ssl-ca={files.authority.pair.cert}", f"--ssl-cert={server.cert}", f"--ssl-key={server.key}")


def bare(url: str) -> str:
    """*url* without what other tests say of TLS."""
    return url.replace(f"&{PLAINLY}", "")


@pytest.fixture(scope="module")
def mariadb(files: Files) -> Iterator[str]:
    with private_mariadb(*mariadb_with(files, files.authority.sign("localhost"))) as url:
        yield bare(url)


@pytest.fixture(scope="module")
def elsewhere(files: Files) -> Iterator[str]:
    """A server that shows the certificate of another host."""
    with private_mariadb(*mariadb_with(files, files.authority.sign("db.example.test"))) as url:
        yield bare(url)


@pytest.fixture(scope="module")
def expired(files: Files) -> Iterator[str]:
    with private_mariadb(*mariadb_with(files, files.authority.sign("localhost", days=-1))) as url:
        yield bare(url)


@pytest.fixture(scope="module")
def plain() -> Iterator[str]:
    with private_mariadb("--skip-ssl") as url:
        yield bare(url)


def cipher(url: str) -> str:
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return str(connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Ssl_cipher'").one()[1])
    finally:
        engine.dispose()


def refusal(url: str) -> str:
    """What a process says at its start, and the everyday path too."""
    engine = make_engine(url)
    with pytest.raises(Halt) as at_start:
        check_schema(engine)
    with pytest.raises(Retry) as at_work:
        transact(engine, lambda c: c.scalar(sa.text("SELECT 1")))
    engine.dispose()
    said = str(at_start.value)
    assert "\n" not in said
    assert str(at_work.value.why.params["problem"]) in said
    return said


@pytest.mark.parametrize(
    "words",
    [
        "ssl-mode=REQUIRED",
        "ssl-mode=PREFERRED",
        "ssl=true",
        "ssl-mode=VERIFY_CA&ssl-ca={ca}",
        "ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}",
        "sslmode=verify-full&sslrootcert={ca}",
        "ssl-mode=REQUIRED&ssl-ca={ca}",
        "ssl_ca={ca}",
        "ssl_ca={ca}&ssl_cert={cert}&ssl_key={key}",
        "ssl_ca={ca}&ssl_verify_identity=true",
        "ssl_ca={ca}&ssl_check_hostname=false",
        "ssl=%7B%22rejectUnauthorized%22%3Afalse%7D",
        "",
    ],
)
def test_every_word_about_tls_reaches_the_database_encrypted(mariadb: str, files: Files, words: str) -> None:
    assert cipher(f"{mariadb}&{filled(files, words)}")


def filled(files: Files, words: str) -> str:
    return words.format(ca=files.authority.pair.cert, cert=files.client.cert, key=files.client.key)


def test_tls_can_be_left_out(mariadb: str) -> None:
    assert cipher(f"{mariadb}&ssl-mode=DISABLED") == ""


@pytest.mark.parametrize(
    "words", ["ssl-mode=VERIFY_CA", "ssl-mode=VERIFY_IDENTITY", "ssl-ca={stranger}", "sslaccept=strict"]
)
def test_an_unknown_authority_names_the_setting(mariadb: str, files: Files, words: str) -> None:
    said = refusal(f"{mariadb}&{words.format(stranger=files.stranger.pair.cert)}")
    assert "authority" in said
    assert "ssl-ca" in said
    assert "ssl-mode=REQUIRED" in said
    assert "no connection" not in said


def test_another_hosts_certificate_names_the_setting_and_any_host_may_be_allowed(elsewhere: str, files: Files) -> None:
    authority = f"ssl-ca={files.authority.pair.cert}"
    said = refusal(f"{elsewhere}&ssl-mode=VERIFY_IDENTITY&{authority}")
    assert "another host name" in said
    assert "ssl-mode=VERIFY_CA" in said
    assert cipher(f"{elsewhere}&ssl-mode=VERIFY_CA&{authority}")


def test_an_expired_certificate_says_so(expired: str, files: Files) -> None:
    assert "expired" in refusal(f"{expired}&ssl-ca={files.authority.pair.cert}")
    assert cipher(f"{expired}&ssl-mode=REQUIRED")


def test_a_database_without_tls_is_never_used_without_it_when_it_was_asked_for(plain: str, files: Files) -> None:
    for words in ("ssl-mode=REQUIRED", f"ssl-ca={files.authority.pair.cert}"):
        assert "speaks no TLS" in refusal(f"{plain}&{words}")
    assert cipher(plain) == ""


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("ssl-mode=VERIFYIDENTITY", "ssl-mode"),
        ("sslmode=verify", "verify_ca"),
        ("ssl-ca=/nowhere/ca.pem", "certificate file /nowhere/ca.pem"),
        ("ssl-ca={key}", "as PEM"),
        ("ssl-ca={ca}&ssl-cert={cert}&ssl-key={ca}", "cannot be used"),
        ("ssl-ca={ca}&ssl-key={key}", "needs its certificate"),
    ],
)
def test_words_about_tls_that_cannot_work_are_refused(files: Files, words: str, why: str) -> None:
    with pytest.raises(Halt, match=why):
        make_engine(f"mysql://u@localhost/app?{filled(files, words)}")


# --- Redis ------------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def redis_with(files: Files, server: Pair, port: int, *, clients: str = "no") -> tuple[str, ...]:
    paths: tuple[str, ...] = ("--tls-cert-file", str(server.cert), "--tls-key-file", str(server.key))
    paths += ("--tls-ca-cert-file", str(files.authority.pair.cert))
    return ("--bind", "127.0.0.1", "--tls-port", str(port), "--tls-auth-clients", clients, *paths)


@pytest.fixture(scope="module")
def redis_tls(files: Files) -> Iterator[str]:
    port = free_port()
    with private_redis(*redis_with(files, files.authority.sign("localhost"), port)):
        yield f"rediss://localhost:{port}"


@pytest.fixture(scope="module")
def redis_mutual(files: Files) -> Iterator[str]:
    """A Redis that wants a certificate of its clients."""
    port = free_port()
    with private_redis(*redis_with(files, files.authority.sign("localhost"), port, clients="yes")):
        yield f"rediss://localhost:{port}"


@pytest.fixture(scope="module")
def redis_elsewhere(files: Files) -> Iterator[str]:
    port = free_port()
    with private_redis(*redis_with(files, files.authority.sign("redis.example.test"), port)):
        yield f"rediss://localhost:{port}"


def pings(url: str, verify: TlsVerify) -> None:
    """By threads and by coroutines: both clients read the same options."""
    with connect(url, tls_verify=verify) as client:
        check(client)

    async def ask() -> None:
        async with connect_async(url, tls_verify=verify) as other:
            with translated():
                await other.ping()

    asyncio.run(ask())


def redis_refusal(url: str, verify: TlsVerify = "full") -> str:
    """What a process says at its start."""
    with pytest.raises(Retry) as caught, connect(url, tls_verify=verify) as client:
        check(client)
    return told(caught.value, "en")


def redis_refusal_to_coroutines(url: str) -> str:
    async def ask() -> None:
        async with connect_async(url) as client:
            with translated():
                await client.ping()

    with pytest.raises(Retry) as caught:
        asyncio.run(ask())
    return told(caught.value, "en")


def at(url: str, **options: Path | str) -> str:
    return f"{url}?" + "&".join(f"{name}={quote(str(value))}" for name, value in options.items())


def test_every_way_to_verify_redis_works(redis_tls: str, redis_elsewhere: str, files: Files) -> None:
    authority = files.authority.pair.cert
    pings(redis_tls, "none")
    pings(at(redis_tls, ssl_ca_certs=authority), "full")
    pings(at(redis_tls, ssl_ca_certs=authority), "ca")
    pings(at(redis_elsewhere, ssl_ca_certs=authority), "ca")
    pings(at(redis_elsewhere, ssl_ca_certs=authority, ssl_check_hostname="false"), "full")
    pings(at(redis_tls, ssl_ca_certs=authority, ssl_cert_reqs="optional"), "full")
    pings(at(redis_elsewhere, ssl_cert_reqs="none"), "full")
    pings(at(redis_tls, ssl_ca_certs=authority, ssl_cert_reqs="required", ssl_check_hostname="true"), "none")


def test_a_redis_that_wants_our_certificate_gets_it(redis_mutual: str, files: Files) -> None:
    authority = files.authority.pair.cert
    pings(
        at(redis_mutual, ssl_ca_certs=authority, ssl_certfile=files.client.cert, ssl_keyfile=files.client.key), "full"
    )


def test_a_redis_certificate_that_is_refused_names_the_setting(
    redis_tls: str, redis_elsewhere: str, files: Files
) -> None:
    unknown = redis_refusal(redis_tls)
    assert redis_refusal_to_coroutines(redis_tls) == unknown
    assert "authority" in unknown
    other_host = redis_refusal(at(redis_elsewhere, ssl_ca_certs=files.authority.pair.cert))
    assert "another host name" in other_host
    for said in (unknown, other_host):
        assert "REDIS_TLS_VERIFY" in said
        assert "ssl_ca_certs" in said
        assert "cannot be reached" not in said


def test_tls_to_a_plain_redis_and_the_other_way_round_name_the_scheme(redis_tls: str) -> None:
    port = free_port()
    with private_redis("--bind", "127.0.0.1", "--port", str(port)):
        assert "redis://" in redis_refusal(f"rediss://localhost:{port}")
    assert "rediss://" in redis_refusal(redis_tls.replace("rediss://", "redis://"))


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("ssl_cert_reqs=never", "ssl_cert_reqs is one of"),
        ("ssl_ca_certs=/nowhere/ca.pem", "certificate file /nowhere/ca.pem"),
        ("ssl_certfile=/nowhere/own.pem", "cannot be used"),
    ],
)
def test_redis_words_about_tls_that_cannot_work_are_refused(query: str, why: str) -> None:
    with pytest.raises(Halt, match=why):
        connect(f"rediss://localhost:1?{query}")


# --- the words --------------------------------------------------------------------------------------------------------


def test_a_failure_without_a_handshake_is_none() -> None:
    assert handshake_failure(OSError("refused")) == ""


def test_a_handshake_failure_is_found_behind_what_drivers_make_of_it() -> None:
    inner = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    inner.reason = "WRONG_VERSION_NUMBER"
    outer = ConnectionError("Error 1 connecting")
    outer.__cause__ = inner
    assert handshake_failure(outer) == "the server does not answer in TLS"
