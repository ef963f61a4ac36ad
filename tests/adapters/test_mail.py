"""Letters: what SMTP_URL may say, and what is handed over."""

import smtplib
from typing import Any

import pytest

from lib.adapters.mail import SmtpMailer
from lib.domain.errors import Halt, Retry
from lib.mail_settings import read_public_url, read_smtp
from lib.ports.mail import Letter

URL, FROM, PUBLIC = "smtps://me%40x:p%3Aw@mail.test:465", "maemae@trade.test", "https://trade.test"


def test_where_letters_go_is_read_once() -> None:
    assert read_smtp("", "", "") is None
    read = read_smtp(URL, FROM, PUBLIC)
    assert read is not None
    assert (read.host, read.port, read.user, read.password, read.tls) == ("mail.test", 465, "me@x", "p:w", "first")
    assert "p:w" not in repr(read)
    begun, near = read_smtp("smtp://mail.test", FROM, PUBLIC), read_smtp("smtp://127.0.0.1:2525", FROM, PUBLIC)
    assert begun is not None
    assert near is not None
    assert (begun.port, begun.tls, near.port, near.tls) == (587, "starttls", 2525, "none")


@pytest.mark.parametrize(
    ("url", "sender", "public", "named"),
    [
        ("mail.test", FROM, PUBLIC, "SMTP_URL"),
        ("https://mail.test", FROM, PUBLIC, "SMTP_URL"),
        ("smtp://mail.test:x", FROM, PUBLIC, "SMTP_URL"),
        (URL, "", PUBLIC, "MAIL_FROM"),
        (URL, "a@b\nBcc: x@y", PUBLIC, "MAIL_FROM"),
        (URL, FROM, "", "PUBLIC_URL"),
    ],
)
def test_half_a_setting_is_refused_by_its_name(url: str, sender: str, public: str, named: str) -> None:
    with pytest.raises(Halt, match=named):
        read_smtp(url, sender, public)


@pytest.mark.parametrize("url", ["http://trade.test", "https://trade.test/x", "https://me@trade.test", "trade.test"])
def test_links_begin_with_a_safe_address(url: str) -> None:
    assert read_public_url("https://trade.test/") == PUBLIC
    assert read_public_url("http://127.0.0.1:8501") == "http://127.0.0.1:8501"
    with pytest.raises(Halt, match="PUBLIC_URL"):
        read_public_url(url)


class Server:
    """`smtplib.SMTP` that keeps what it is told."""

    said: list[tuple[str, Any]] = []  # noqa: RUF012 - one test at a time

    def __init__(self, host: str, port: int, **_: object) -> None:
        Server.said = [("at", (host, port))]

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None: ...

    def starttls(self, **_: object) -> None:
        self.said.append(("starttls", None))

    def login(self, user: str, password: str) -> None:
        self.said.append(("login", (user, password)))

    def send_message(self, message: Any) -> None:
        self.said.append(("sent", message))


def test_a_letter_is_handed_over_after_tls_and_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtplib, "SMTP", Server)
    smtp = read_smtp("smtp://me:secret-word@mail.test", FROM, PUBLIC)
    assert smtp is not None
    SmtpMailer(smtp).send(Letter("kim@example.com", "새 비밀번호", "여기: https://trade.test/reset#x\n"))
    assert [name for name, _ in Server.said] == ["at", "starttls", "login", "sent"]
    message = Server.said[-1][1]
    assert (message["To"], message["From"], message["Subject"]) == ("kim@example.com", FROM, "새 비밀번호")
    assert "reset#x" in message.get_content()


def test_a_server_that_is_away_is_a_retry_that_tells_nothing_of_the_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise smtplib.SMTPServerDisconnected("kim@example.com")

    monkeypatch.setattr(smtplib, "SMTP_SSL", away)
    smtp = read_smtp(URL, FROM, PUBLIC)
    assert smtp is not None
    with pytest.raises(Retry) as told:
        SmtpMailer(smtp).send(Letter("kim@example.com", "s", "b"))
    assert "kim@" not in str(told.value)
