"""
The bot and a person's chat, over a server of the Bot API, a real database and the simulator's account: bound once by a
code, nothing to strangers, each message once, closing by the second factor, and no secret in the log.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pyotp
import pytest
import sqlalchemy as sa

from lib.accounts.chat_talk import EVERY_STRANGER, LATE, MESSAGES, Answer, Talk, TalkPorts
from lib.accounts.chats import OFFERS, ChatCode, ChatDesk
from lib.accounts.entrance import PeopleStores
from lib.accounts.hashing import GatedHasher
from lib.accounts.notes import note_of
from lib.accounts.refusal import Refusal
from lib.accounts.safety import Safety
from lib.adapters.passwords import Passwords
from lib.adapters.sql.forms.browsers import SqlBrowsers
from lib.adapters.sql.forms.channels import SqlChannels
from lib.adapters.sql.forms.chats import ChatOpener, SqlChats
from lib.adapters.sql.forms.deliveries import SqlDeliveries
from lib.adapters.sql.forms.leaving import SqlLeaving
from lib.adapters.sql.forms.second_factors import SqlSecondFactors
from lib.adapters.sql.forms.sessions import SqlLogins, SqlSessions
from lib.adapters.sql.forms.throttles import SqlThrottles
from lib.adapters.sql.forms.trail import SqlTrail
from lib.adapters.sql.ledger.switches import prove_stopped
from lib.adapters.sql.ledger.telling import tell
from lib.adapters.sql.tables.columns import utc_from_ms
from lib.adapters.sql.tables.people import accounts, audit_events, outbox, throttles
from lib.adapters.sql.tables.telling import channels
from lib.adapters.telegram.bot_api import BotCourier, TelegramApi
from lib.adapters.web_lock import WebLock, new_secret
from lib.domain import reason_codes as codes
from lib.domain.chat import CLOSE_MS, LATE_MS, OFFER_MS, BoundChat, Incoming
from lib.domain.errors import Retry
from lib.domain.events import Event, EventKind
from lib.domain.trail import TrailEvent
from lib.queries.glances import GlanceReadings
from lib.reason_text import said
from lib.telling.bot import PROOF_AGAIN_MS, Bot
from lib.telling.letters import composed
from lib.telling.sender import LEASE_MS, Sender
from tests.accounts.conftest import Scene
from tests.fakes.bot_api import TOKEN, BotServer
from tests.fakes.chats import MemoryChats, ScriptedBot
from tests.fakes.market import MemoryCandleStore
from tests.fakes.people import StandingClock

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]
CHAT, STRANGER = 424242424242, 999_888_777


class Line:
    """A bot at a server, the desk of the page, and one person's phone."""

    def __init__(self, scene: Scene, server: BotServer) -> None:
        self.scene, self.server, self.clock = scene, server, scene.world.clock
        self.engine = engine = scene.engine
        self.chats = SqlChats(engine)
        self.desk = ChatDesk(self.chats, SqlThrottles(engine), self.clock)
        hasher, lock = GatedHasher(Passwords()), WebLock(new_secret())
        self.stores = PeopleStores(
            SqlLogins(engine), SqlSessions(engine), SqlBrowsers(engine), SqlThrottles(engine), hasher,
            SqlTrail(engine), SqlSecondFactors(engine), lock,
        )  # fmt: skip
        self.safety = Safety(self.stores, self.clock, SqlLeaving(engine))
        glances = GlanceReadings(engine, MemoryCandleStore(), self.clock)
        ports = TalkPorts(self.chats, glances, self.stores.throttles, self.stores.trail, self.stores)
        self.talk = Talk(ports, self.safety, scene.desk, self.clock)
        self.api = TelegramApi(server.url, TOKEN)
        self.bot = Bot(self.api, self.chats, self.talk, self.clock)

    def writes(self, text: str, chat: int = CHAT, *, ago_ms: int = 0, **more: str) -> list[str]:
        """What the chat is answered to what it wrote *ago_ms*."""
        before = len(self.server.texts(chat))
        self.server.write(chat, text, date=(self.clock.now_ms() - ago_ms) // 1000, **more)
        self.bot.take()
        return self.server.texts(chat)[before:]

    def code(self) -> str:
        made = self.desk.offer(self.scene.user)
        assert isinstance(made, ChatCode)
        return str(made)

    def bind(self) -> None:
        assert self.writes(self.code())[0].startswith(ko(codes.CHAT_BOUND()))

    def with_factor(self) -> pyotp.TOTP:
        begun = self.safety.begin_factor(self.scene.user)
        assert not isinstance(begun, Refusal)
        app = pyotp.TOTP(begun.secret)
        assert not isinstance(self.safety.confirm_factor(self.scene.user, self.totp(app)), Refusal)
        self.later(60_000)
        return app

    def totp(self, app: pyotp.TOTP) -> str:
        return app.at(self.clock.now_ms() // 1000)

    async def send(self) -> None:
        """What the bot's process sends to chats by itself."""
        bots = SqlDeliveries(self.engine, bot=True)
        sender = Sender(bots, ChatOpener(self.chats), BotCourier(self.api), composed, self.clock)
        await sender.round()
        await asyncio.gather(*sender._running)

    def later(self, ms: int) -> None:
        self.clock.advance_to(self.clock.now_ms() + ms)

    def closes(self) -> bool:
        return bool(self.scene.rows(accounts)[-1]["flatten"])


class Owed:
    """A conversation in which *chats* are owed a proof, until they are marked."""

    def __init__(self, chats: list[BoundChat]) -> None:
        self.chats = chats
        self.marked: list[int] = []

    def answer(self, told: Incoming) -> Answer | None:
        return None

    def proofs(self) -> list[tuple[BoundChat, Answer]]:
        return [(chat, Answer("proved")) for chat in self.chats if chat.user_id not in self.marked]

    def told(self, chat: BoundChat) -> None:
        self.marked.append(chat.user_id)


def _away(*_: object) -> None:
    raise Retry("the database is away")


def ko(reason: object) -> str:
    return said(reason, "ko")  # type: ignore[arg-type]


@pytest.fixture
async def line(scene: Scene) -> AsyncIterator[Line]:
    with BotServer() as server:
        made = Line(scene, server)
        await scene.save()
        yield made


async def test_a_code_binds_one_chat_once_and_is_kept_as_its_hash_alone(line: Line) -> None:
    code = line.code()
    assert code not in repr(line.desk.offer(replace(line.scene.user, read_only=True)))
    assert repr(ChatCode(code)) == "ChatCode()"
    assert line.writes(code.lower())[0].startswith(ko(codes.CHAT_BOUND()))
    assert line.writes(code, STRANGER) == [ko(codes.CHAT_UNBOUND())]
    [row] = line.scene.rows(channels)
    assert (row["user_id"], row["service"], row["sealed"]) == (line.scene.user.user_id, "bot", "")
    assert "chat_bound" in [note["event"] for note in line.scene.rows(audit_events)]


async def test_an_old_code_and_an_older_one_bind_nothing(line: Line) -> None:
    older, code = line.code(), line.code()
    assert line.writes(older) == [ko(codes.CHAT_UNBOUND())]
    line.later(OFFER_MS)
    assert line.writes(code) == [ko(codes.CHAT_UNBOUND())]


async def test_codes_are_made_by_who_proved_it_is_them_and_not_without_end(line: Line) -> None:
    unproved = replace(line.scene.user, proved_ms=0)
    assert line.desk.offer(unproved) == Refusal("refuse.step_up")
    assert line.desk.offer(replace(line.scene.user, is_guest=True)) == Refusal("refuse.guest")
    answers = [line.desk.offer(line.scene.user) for _ in range(OFFERS.free + 1)]
    assert isinstance(answers[-1], Refusal)
    assert "seconds" in answers[-1].params


async def test_strangers_learn_nothing_and_groups_are_not_answered(line: Line) -> None:
    line.bind()
    for text in ("/status", "상태", "/close", "hello"):
        assert line.writes(text, STRANGER) == [ko(codes.CHAT_UNBOUND())]
        assert line.writes(text, -100_777, kind="supergroup") == []
        assert line.writes(text, CHAT, kind="group") == []
    assert line.writes("Status", STRANGER + 1, language="en") == [said(codes.CHAT_UNBOUND(), "en")]


async def test_a_chat_is_paced(line: Line) -> None:
    line.bind()
    answers = [line.writes("상태") for _ in range(MESSAGES.free + 3)]
    assert answers[0]
    assert not answers[-1]
    assert line.writes("상태", STRANGER) == [ko(codes.CHAT_UNBOUND())], "another's pace is its own"


async def test_a_crowd_of_strangers_is_not_answered_and_holds_up_neither_the_bound_nor_who_binds(line: Line) -> None:
    crowd = [line.writes("hello", STRANGER + n) for n in range(EVERY_STRANGER.free + 30)]
    assert len([one for one in crowd if one]) <= EVERY_STRANGER.free + 1
    with line.scene.engine.connect() as connection:
        assert (connection.scalar(sa.select(sa.func.count()).select_from(throttles)) or 0) <= EVERY_STRANGER.free + 1
    line.bind()
    assert line.writes("상태")


@pytest.mark.parametrize("text", ["/status", "/status@maemae_test_bot", "상태", "Status"])
async def test_status_says_how_the_account_stands(line: Line, text: str) -> None:
    line.bind()
    [answer] = line.writes(text)
    assert ko(codes.CHAT_OFF()) in answer
    assert "USDT" in answer
    assert ko(codes.CHAT_FLAT()) in answer
    assert line.server.told[-1].buttons == ("상태", "포지션", "일시정지", "전체 종료")


async def test_numbers_are_written_as_the_chats_person_chose(line: Line) -> None:
    line.bind()
    [before] = line.writes("상태")
    SqlLogins(line.scene.engine).change_numbers(line.scene.user.user_id, "comma")
    [after] = line.writes("상태")
    assert "10,000 USDT" in before
    assert after == before.replace("10,000", "10.000")


async def test_pausing_is_the_pages_own_act_and_resuming_is_the_pages_alone(line: Line) -> None:
    line.bind()
    assert line.writes("일시정지") == [ko(codes.CHAT_PAUSED())]
    assert not line.scene.rows(accounts)[-1]["trading_enabled"]
    assert line.writes("재개") == [ko(codes.CHAT_NO_RESUME())]
    assert not line.scene.rows(accounts)[-1]["trading_enabled"]
    notes = {note["event"]: note["user_agent"] for note in line.scene.rows(audit_events)}
    assert notes["paused"] == "Telegram"


async def test_closing_without_a_second_factor_is_refused_with_a_pointer(line: Line) -> None:
    line.bind()
    assert line.writes("전체 종료") == [ko(codes.CHAT_NO_FACTOR())]
    assert line.writes("123456") == [ko(codes.CHAT_HELP())]
    assert not line.closes()


async def test_closing_by_the_second_factor_and_the_proof_comes_back_once(line: Line) -> None:
    app = line.with_factor()
    line.bind()
    assert line.writes("전체 종료") == [ko(codes.CHAT_ASK_CODE())]
    assert not line.closes()
    assert line.writes(line.totp(app)) == [ko(codes.CHAT_CLOSING())]
    assert line.closes()
    line.bot.prove()
    assert line.server.texts(CHAT)[-1] == ko(codes.CHAT_CLOSING()), "not before it is proved"
    [account] = line.scene.rows(accounts)
    line.later(7_000)
    with line.engine.begin() as connection:
        assert prove_stopped(connection, account["id"], account["switched_ms"], line.clock.now_ms())
        connection.execute(sa.update(outbox).values(created_at=utc_from_ms(line.clock.now_ms())))
    line.bot.prove()
    line.bot.prove()
    sender = Sender(
        SqlDeliveries(line.engine, bot=True), ChatOpener(line.chats), BotCourier(line.api), composed, line.clock
    )
    await sender.round()
    await asyncio.gather(*sender._running)
    proofs = [text for text in line.server.texts(CHAT) if "확인했습니다(" in text or "정지 확인" in text]
    assert proofs == [ko(codes.CHAT_PROVED(seconds=7))], "once, and not by the notification as well"


async def test_a_code_of_the_second_factor_is_good_once_here_and_on_the_page(line: Line) -> None:
    app = line.with_factor()
    line.bind()
    code = line.totp(app)
    assert line.safety.prove(line.scene.user, code=code) is None, "used up on the page"
    line.writes("/close")
    assert line.writes(code) == [ko(codes.CHAT_CODE_WRONG())]
    assert not line.closes()
    line.later(30_000)
    assert line.writes(fresh := line.totp(app)) == [ko(codes.CHAT_CLOSING())]
    assert line.safety.prove(line.scene.user, code=fresh) is not None, "used up here"


async def test_guessing_codes_is_paced_together_with_the_page(line: Line) -> None:
    line.with_factor()
    line.bind()
    line.writes("/close")
    answers = [line.writes(f"{number:06d}") for number in range(5)]
    assert answers[0] == [ko(codes.CHAT_CODE_WRONG())]
    assert "초 뒤에" in answers[-1][0]
    refusal = line.safety.prove(line.scene.user, code="000000")
    assert refusal is not None
    assert refusal.key == "refuse.wait"


async def test_what_waits_for_a_code_is_forgotten_or_taken_back(line: Line) -> None:
    app = line.with_factor()
    line.bind()
    line.writes("/close")
    assert line.writes("취소") == [ko(codes.CHAT_CANCELLED())]
    assert line.writes(line.totp(app)) == [ko(codes.CHAT_HELP())]
    line.writes("/close")
    line.later(CLOSE_MS)
    assert line.writes(line.totp(app)) == [ko(codes.CHAT_HELP())]
    assert not line.closes()


async def test_a_message_is_taken_once_by_whoever_asks_however_often_it_comes(line: Line) -> None:
    line.bind()
    line.server.repeats = True
    assert len(line.writes("상태")) == 1
    line.bot.take()
    Bot(line.api, line.chats, line.talk, line.clock).take()
    assert len(line.server.texts(CHAT)) == 2


async def test_numbers_that_begin_anew_after_a_quiet_week_are_answered(line: Line) -> None:
    line.server.next_number = 900_000_000
    line.bind()
    line.server.updates.clear()  # Telegram keeps none for a week
    line.server.next_number = 7_000
    line.bot = Bot(line.api, line.chats, line.talk, line.clock)
    assert len(line.writes("상태")) == 1
    assert len(line.writes("상태")) == 1
    line.server.repeats = True
    line.server.updates = line.server.updates[-2:]
    line.bot.take()
    assert len(line.server.texts(CHAT)) == 3


async def test_a_number_is_sent_to_confirm_what_came_and_for_nothing_else() -> None:
    api = ScriptedBot()
    bot = Bot(api, MemoryChats(), Owed([]), StandingClock())
    api.waiting = [Incoming(900, CHAT, True, "hello")]
    bot.take()
    api.waiting = []
    bot.take()
    bot.take()
    assert api.asked == [0, 901, 0]


async def test_a_link_that_sends_a_code_by_one_touch_binds_nobody(line: Line) -> None:
    code = line.code()
    assert line.writes(f"/start {code}") == [ko(codes.CHAT_UNBOUND())]
    assert line.writes(f"/start{code}") == [ko(codes.CHAT_UNBOUND())]
    assert line.writes(code)[0].startswith(ko(codes.CHAT_BOUND()))
    assert line.writes(f"/start {line.code()}") == [ko(codes.CHAT_HELP())]


async def test_a_new_password_ends_the_code_that_was_made_before(line: Line) -> None:
    code, login = line.code(), line.stores.logins.by_id(line.scene.user.user_id)
    assert login is not None
    note = note_of(line.scene.user, TrailEvent.PASSWORD_CHANGED, line.clock.now_ms())
    assert line.stores.logins.change_password(login.user_id, "new", note, verified=login.password_hash)
    assert line.writes(code) == [ko(codes.CHAT_UNBOUND())]


LONG_AGO = LATE_MS + 60_000


async def test_what_was_asked_while_the_bot_was_away_is_not_done_and_that_is_said_once(line: Line) -> None:
    line.with_factor()
    line.bind()
    assert line.writes("일시정지", ago_ms=LONG_AGO) == [ko(codes.CHAT_LATE())]
    assert line.writes("/pause", ago_ms=LONG_AGO) == []
    assert line.writes("/close", ago_ms=LONG_AGO) == []
    assert ko(codes.CHAT_OFF()) in line.writes("상태", ago_ms=LONG_AGO)[0], "looking is answered"
    line.later(10 * LATE.longest_ms)
    assert line.writes("/close", ago_ms=LONG_AGO) == [ko(codes.CHAT_LATE())]
    chat = line.chats.owner(CHAT)
    assert chat is not None
    assert chat.close_until_ms == 0
    assert line.scene.rows(accounts)[-1]["trading_enabled"]
    assert line.writes("일시정지", ago_ms=LATE_MS - 60_000) == [ko(codes.CHAT_PAUSED())]
    assert not line.scene.rows(accounts)[-1]["trading_enabled"]


async def test_an_old_code_closes_nothing_and_binds_nobody(line: Line) -> None:
    app, code = line.with_factor(), line.code()
    assert line.writes(code, ago_ms=LONG_AGO, language="en") == [said(codes.CHAT_LATE(), "en")]
    assert line.chats.owner(CHAT) is None
    assert line.writes("hello", ago_ms=LONG_AGO) == [ko(codes.CHAT_UNBOUND())]
    line.bind()
    line.later(10 * LATE.longest_ms)
    line.writes("/close")
    assert line.writes(line.totp(app), ago_ms=LONG_AGO) == [ko(codes.CHAT_LATE())]
    assert not line.closes()
    assert line.writes(line.totp(app)) == [ko(codes.CHAT_CLOSING())]


async def test_a_message_that_tells_no_time_is_an_old_one(line: Line) -> None:
    line.bind()
    answer = line.talk.answer(Incoming(900, CHAT, True, "/pause"))
    assert answer is not None
    assert answer.text == ko(codes.CHAT_LATE())


@pytest.mark.parametrize("change", ["password", "e-mail"])
async def test_a_new_password_or_e_mail_unbinds_the_chat(line: Line, change: str) -> None:
    line.bind()
    login = line.stores.logins.by_id(line.scene.user.user_id)
    assert login is not None
    note = note_of(line.scene.user, TrailEvent.PASSWORD_CHANGED, line.clock.now_ms())
    if change == "password":
        assert line.stores.logins.change_password(login.user_id, "new", note, verified=login.password_hash)
    else:
        assert line.stores.logins.change_email(login.user_id, "b@example.com", note, verified=login.password_hash)
    assert line.writes("일시정지") == [ko(codes.CHAT_UNBOUND())]
    assert not line.scene.rows(channels)
    assert "chat_unbound" in [row["event"] for row in line.scene.rows(audit_events)]


async def test_an_act_that_fails_is_said_and_not_passed_over(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    line.bind()
    monkeypatch.setattr(line.scene.desk, "pause", _away)
    assert line.writes("일시정지") == [ko(codes.CHAT_REFUSED())]


async def test_a_chat_that_takes_no_proof_holds_up_nobody_elses() -> None:
    api, chats, first, second = ScriptedBot(), MemoryChats(), 1, 2
    talk = Owed([BoundChat(one, one + 100, "", "ko", "", False) for one in (first, second)])
    api.refusing.add(first + 100)
    clock = StandingClock()
    bot = Bot(api, chats, talk, clock)
    bot.prove()
    assert talk.marked == [second]
    api.refusing.clear()
    bot.prove()
    assert talk.marked == [second], "not at once again"
    clock.forward(seconds=PROOF_AGAIN_MS / 1000)
    bot.prove()
    assert talk.marked == [second, first]


async def test_who_resumed_is_owed_no_proof(line: Line) -> None:
    app = line.with_factor()
    line.bind()
    line.writes("/close")
    line.writes(line.totp(app))
    assert line.chats.owed()
    assert line.scene.desk.resume(line.scene.user) is None
    line.bot.prove()
    assert not line.chats.owed()


async def test_removing_the_channel_unbinds_the_chat(line: Line) -> None:
    line.bind()
    [row] = line.scene.rows(channels)
    assert SqlChannels(line.engine, line.clock).remove(line.scene.user.user_id, row["id"])
    assert line.writes("상태") == [ko(codes.CHAT_UNBOUND())]
    line.bind()


async def test_who_leaves_takes_the_chat_along(line: Line) -> None:
    line.bind()
    SqlLeaving(line.engine).leave(line.scene.user.user_id, line.clock.now_ms())
    assert line.writes("상태") == [ko(codes.CHAT_UNBOUND())]


async def test_notifications_go_to_the_chat_by_the_bots_process_alone(line: Line) -> None:
    line.bind()
    user_id = line.scene.user.user_id
    with line.engine.begin() as connection:
        tell(connection, user_id, None, Event(EventKind.ENTRY, codes.CHANNEL_TEST(), "entry:1"))
        connection.execute(sa.update(outbox).values(created_at=utc_from_ms(line.clock.now_ms())))
    notifier = SqlDeliveries(line.engine)
    notifier.hand_out(line.clock.now_ms(), 10)
    assert notifier.take(line.clock.now_ms(), LEASE_MS, 10) is None
    await line.send()
    assert ko(codes.CHANNEL_TEST()) in line.server.texts(CHAT)[-1]
    line.server.refusing.add(CHAT)
    with pytest.raises(Retry):
        BotCourier(line.api).send(str(CHAT), "title", "body")


async def test_no_line_of_the_log_holds_token_chat_or_code(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    app = line.with_factor()
    with caplog.at_level(logging.DEBUG):
        code = line.code()
        line.writes(code)
        line.writes("/close")
        line.writes(totp := line.totp(app))
        with pytest.raises(Retry) as refused:
            TelegramApi(line.server.url, TOKEN.replace("canary", "wrong-")).me()
        with pytest.raises(Retry) as away:
            TelegramApi("http://127.0.0.1:9", TOKEN).me()
    ours = [record for record in caplog.records if record.name.startswith("maemae")]
    text = " ".join(f"{record.getMessage()} {vars(record)['maemae_fields']}" for record in ours)
    text += repr(refused.value) + repr(away.value) + repr(line.chats.owner(CHAT))
    assert "telegram.refused" in text
    for secret in (TOKEN, "canary", str(CHAT), code, totp):
        assert secret not in text
