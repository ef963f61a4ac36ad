"""
What arrives at a messenger's server, byte for byte, in both languages: real servers on the loopback over TLS, under the
names the addresses have.

The way out stays as it is deployed, certificates looked at with an authority of the tests' own; only the last step, the
connection to an address found for a name, leads here.
"""

import json
import re
import socket
from decimal import Decimal
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3.util.connection

from lib.adapters.apprise import outward
from lib.adapters.apprise.courier import AppriseCourier
from lib.adapters.mail import SmtpMailer
from lib.domain import reason_codes as codes
from lib.domain.account import NUMBERS
from lib.domain.errors import Retry
from lib.domain.events import EventKind
from lib.mail_settings import read_smtp
from lib.ports.mail import Letter
from lib.ports.notifier import Batch, Message
from lib.telling.letters import composed
from tests.browser.postbox import postbox
from tests.certificates import Authority
from tests.factories import T
from tests.fakes.receiver import Receiver, Request

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

KO = ("매매 · 손절 체결", "BTCUSDT 롱 포지션을 58,000.5에 종료했습니다. 손익 -12.50 USDT")
EN = ("Maemae · Stopped out", "closed the BTCUSDT long at 58,000.5: -12.50 USDT")
CANARY = "canary0token0of0the0webhook"
ADDRESSES = {
    "discord": ("discord.com", f"https://discord.com/api/webhooks/123456789012345678/{CANARY}"),
    "slack": ("hooks.slack.com", "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"),
    "ntfy": ("ntfy.example.com", f"ntfys://ntfy.example.com/{CANARY}"),
    "webhook": ("hook.example.com", f"jsons://hook.example.com/{CANARY}"),
    "gotify": ("gotify.example.com", "gotifys://gotify.example.com/AbCdEf123456789"),
    "telegram": ("api.telegram.org", "tgram://123456789:AAcanaryTokenOfTheBotOfThisPlatform/4242"),
}


def expected(service: str, title: str, body: str) -> tuple[str, dict[str, Any]]:
    """The path and the JSON that *service* is documented to take."""
    known: dict[str, tuple[str, dict[str, Any]]] = {
        "discord": (
            f"/api/webhooks/123456789012345678/{CANARY}",
            {"tts": False, "wait": True, "content": f"{title}\r\n{body}"},
        ),
        "slack": (
            "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
            {
                "mrkdwn": False,
                "attachments": [{"title": title, "text": body, "color": "#3AA3E3", "footer": "Maemae", "ts": 0}],
            },
        ),
        "ntfy": ("/", {"topic": CANARY, "title": title, "message": body}),
        "webhook": (
            f"/{CANARY}",
            {"version": "1.0", "title": title, "message": body, "attachments": [], "type": "info"},
        ),
        "gotify": ("/message", {"priority": 5, "title": title, "message": body}),
        "telegram": (
            "/bot123456789:AAcanaryTokenOfTheBotOfThisPlatform/sendMessage",
            {
                "disable_notification": False,
                "disable_web_page_preview": True,
                "parse_mode": "HTML",
                "text": f"<b>{title}</b>\r\n{body}",
                "chat_id": 4242,
            },
        ),
    }
    return known[service]


def batch(language: str, *kinds: EventKind) -> Batch:
    why = codes.LEFT(symbol="BTCUSDT", way="long", price=Decimal("58000.5"), result=Decimal("-12.5"))
    messages = tuple(Message(number, kind, why, T) for number, kind in enumerate(kinds))
    return Batch(
        channel_id=1, user_id=7, service="webhook", name="mine", sealed="sealed", language=language, time_zone="",
        numbers=NUMBERS, failures=0, lease_ms=0, messages=messages,
    )  # fmt: skip


class Internet:
    """Names of the world that are at home here: each a server of its own with a certificate for its name."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.ports: dict[str, int] = {}

    def connected(self, address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.ports[address[0]]), 5)


@pytest.fixture
def internet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Internet:
    made = Internet(tmp_path)
    # what a courier changes for its whole process is put back as it was
    monkeypatch.setattr(requests.Session, "send", requests.Session.send)
    monkeypatch.setattr(urllib3.util.connection, "create_connection", urllib3.util.connection.create_connection)
    monkeypatch.setattr(outward, "_library", made.connected)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.authority.pair.cert))
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority.pair.cert))
    return made


def delivered(internet: Internet, service: str, title: str, body: str) -> Request:
    host, url = ADDRESSES[service]
    with Receiver(internet.authority.sign(host)) as server:
        internet.ports[host] = server.port
        AppriseCourier(private_hosts=True).send(url, title, body)
        [came] = server.came
    return came


@pytest.mark.parametrize(("language", "said"), [("ko", KO), ("en", EN)])
@pytest.mark.parametrize("service", sorted(ADDRESSES))
def test_a_stop_that_was_hit_arrives_as_it_is_written(
    internet: Internet, service: str, language: str, said: tuple[str, str]
) -> None:
    title, body = composed(batch(language, EventKind.STOP))
    assert (title, body) == said
    came = delivered(internet, service, title, body)
    path, wanted = expected(service, title, body)
    raw = re.sub(rb'"ts": [0-9.]+', b'"ts": 0', came.body)
    assert (came.path, raw) == (path, json.dumps(wanted).encode())
    assert came.headers["host"] == ADDRESSES[service][0]
    assert came.headers["user-agent"] == "Maemae"
    everything = came.body.decode() + "".join(came.headers.values())
    assert "http" not in everything.replace("urllib3", ""), "no link, and no picture of somebody else's"
    if service != "ntfy":  # the topic is ntfy's own field
        assert CANARY not in everything, "the token is in the address alone"


def test_a_night_s_messages_arrive_as_lines_of_one(internet: Internet) -> None:
    title, body = composed(batch("ko", EventKind.STOP, EventKind.EXIT))
    said = json.loads(delivered(internet, "webhook", title, body).body)
    assert said["title"] == "매매 · 2"
    assert [line.split(" ", 1)[1].partition(":")[0] for line in said["message"].splitlines()] == [
        "손절 체결",
        "포지션 종료",
    ]


def test_a_server_of_another_name_gets_nothing(internet: Internet) -> None:
    with Receiver(internet.authority.sign("elsewhere.example.com")) as server:
        internet.ports["hook.example.com"] = server.port
        with pytest.raises(Retry):
            AppriseCourier(private_hosts=True).send("jsons://hook.example.com/x", *KO)
        assert server.came == []


def test_a_name_that_leads_here_is_not_called_by_a_deployment_that_calls_the_internet(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: here)
    with Receiver(internet.authority.sign("hook.example.com")) as server:
        internet.ports["127.0.0.1"] = server.port
        with pytest.raises(Retry):
            AppriseCourier().send("jsons://hook.example.com/x", *KO)
        assert server.came == []


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize(
    ("subject", "words"), [("새 비밀번호", "여기를 눌러 주세요: "), ("A new password", "Follow: ")]
)
def test_a_letter_arrives_over_tls_and_its_secret_is_said_to_the_server_alone(
    internet: Internet, scheme: str, subject: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda to, *a, **k: connected(("127.0.0.1", to[1]), *a, **k))
    text = f"{words}https://trade.test/reset#one-time\n"
    with postbox(internet.authority.sign("mail.example.com"), tls_first=scheme == "smtps") as server:
        url = f"{scheme}://me:{CANARY}@mail.example.com:{server.server_address[1]}"
        smtp = read_smtp(url, "maemae@trade.test", "https://trade.test")
        assert smtp is not None
        SmtpMailer(smtp).send(Letter("kim@example.com", subject, text))
        [raw], secured = server.raw, set(server.secured)
    assert {b"AUTH", b"MAIL", b"DATA"} <= secured
    assert CANARY.encode() not in raw
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    assert str(make_header(decode_header(lines["Subject"]))) == subject
    assert (lines["From"], lines["To"]) == ("maemae@trade.test", "kim@example.com")
    [letter] = server.letters["kim@example.com"]
    assert letter.get_content().replace("\r\n", "\n") == text
    assert body
