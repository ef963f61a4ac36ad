"""
What the bot answers a chat: how the account stands, its position, pausing, closing everything with the second factor.

It does what the pages do, by the same acts, in the name of the chat's person: nothing here sends an order. Who is not
bound learns nothing, a group is not answered at all, and every chat is paced, strangers altogether too. Closing asks
for a code of the authenticator, which is used up like on the page; without a second factor it is refused. What loosens
something (resuming) is the page's. A message that lay there while the bot was away does nothing: its person may have
decided otherwise on the page since. Chats, codes and what people write are in no line of the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from lib import log
from lib.accounts.entrance import PeopleStores, sha256
from lib.accounts.invites import code_sha256
from lib.accounts.notes import note_of
from lib.accounts.refusal import Refusal
from lib.accounts.safety import Safety
from lib.accounts.trading import TradingDesk
from lib.accounts.web import SessionUser
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.channel import STALE_MS
from lib.domain.chat import ACTS, CLOSE_MS, Ask, BoundChat, Incoming, read_ask, read_code
from lib.domain.errors import Retry
from lib.domain.pace import Pace, Tally
from lib.domain.reason import NOTHING, Reason
from lib.domain.separators import separated
from lib.domain.trail import TrailEvent
from lib.ports.chat import Chats, Glance, Glances
from lib.ports.people import Throttles, Trail
from lib.reason_text import said

MESSAGES = Pace(free=20, first_ms=2_000, longest_ms=60_000, halving_ms=30_000)
"""Of one chat; more are read and not answered."""
STRANGERS = Pace(free=5, first_ms=10_000, longest_ms=600_000, halving_ms=600_000)
EVERY_STRANGER = Pace(free=20, first_ms=2_000, longest_ms=2_000, halving_ms=10_000)
"""
Of all who are not bound, together: one or two a second. An answer is a call over the network, one after the other; a
thousand strangers at once must not hold up who wants to close. What may be a code is counted apart, so that chatter
holds up nobody who is binding a chat.
"""
LATE = Pace(free=1, first_ms=60_000, longest_ms=60_000, halving_ms=60_000)
"""How often a chat is told that something came too late: once for all that waited while the bot was away."""
AGENT = "Telegram"
STATES = {
    "on": codes.CHAT_ON(),
    "off": codes.CHAT_OFF(),
    "stopping": codes.CHAT_STOPPING(),
    "stopped": codes.CHAT_STOPPED(),
}
_log = log.get("chat")


@dataclass(frozen=True, slots=True)
class Answer:
    """Lines in the reader's language, and rows of buttons."""

    text: str
    buttons: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class TalkPorts:
    """What the bot works with."""

    chats: Chats
    glances: Glances
    throttles: Throttles
    trail: Trail
    stores: PeopleStores


class Talk:
    """Synchronous; *Retry* when the database is away before it is known who asks."""

    def __init__(self, ports: TalkPorts, safety: Safety, trading: TradingDesk, clock: Clock) -> None:
        self._ports = ports
        self._safety = safety
        self._trading = trading
        self._clock = clock
        self._strangers: dict[bool, Tally] = {}
        """Those who sent what may be a code, and all others; of this process alone, for there is one bot."""

    def answer(self, told: Incoming) -> Answer | None:
        """What *told* is answered, done as it asks; None = nothing is said."""
        if not told.is_private:
            return None
        chat = self._ports.chats.owner(told.chat_id)
        if chat is None and self._are_too_many(told):
            return None
        if self._is_paced(told.chat_id, STRANGERS if chat is None else MESSAGES):
            return None
        with log.hide(told.text, str(told.chat_id)):
            if chat is None:
                return self._stranger(told)
            try:
                return self._person(chat, told)
            except Retry as away:
                # the message is taken and does not come again: silence would look like done
                _log.warning("chat.not_done", user_id=chat.user_id, why=str(away))
                return _answer(chat, codes.CHAT_REFUSED())

    def proofs(self) -> list[tuple[BoundChat, Answer]]:
        """Chats to tell now that what they closed is proved closed; `told` marks each. Who resumed is owed none."""
        now = self._clock.now_ms()
        found = [(chat, self._ports.glances.glance(chat.user_id)) for chat in self._ports.chats.owed()]
        for chat, glance in found:
            if glance is None or not glance.closes or 0 < glance.proven_ms < now - STALE_MS:
                self.told(chat)
        return [(chat, _proof(chat, glance)) for chat, glance in found if glance and _is_proved(glance)]

    def told(self, chat: BoundChat) -> None:
        """The chat has its proof."""
        self._ports.chats.proof_told(chat.user_id, self._clock.now_ms())

    # --- who writes ------------------------------------------------------------------------------------------------

    def _is_paced(self, chat_id: int, pace: Pace, what: str = "chat") -> bool:
        key = f"{what}:{sha256(str(chat_id))[:32]}"
        return self._ports.throttles.attempt(key, pace, self._clock.now_ms()) > 0

    def _are_too_many(self, told: Incoming) -> bool:
        """Whether strangers altogether had their answers for now; nothing is written for them then."""
        now, may_be_code = self._clock.now_ms(), bool(code_sha256(read_code(told.text)))
        before = self._strangers.get(may_be_code, Tally())
        if before.wait_ms(EVERY_STRANGER, now):
            return True
        self._strangers[may_be_code] = before.tried(EVERY_STRANGER, now)
        return False

    def _stranger(self, told: Incoming) -> Answer | None:
        code, now = code_sha256(read_code(told.text)), self._clock.now_ms()
        if code and told.is_late(now):
            return self._too_late(told)
        if code and self._ports.chats.bind(code, told.chat_id, AGENT, now) is not None:
            chat = self._ports.chats.owner(told.chat_id)
            if chat is not None:
                self._ports.trail.write(note_of(_person(chat), TrailEvent.CHAT_BOUND, now))
                _log.info("chat.bound", user_id=chat.user_id)
                return _answer(chat, codes.CHAT_BOUND(), codes.CHAT_HELP())
        return Answer(said(codes.CHAT_UNBOUND(), _language(told)))

    def _too_late(self, told: Incoming) -> Answer | None:
        _log.info("chat.late", update=told.update_id)
        if self._is_paced(told.chat_id, LATE, "late"):
            return None
        return Answer(said(codes.CHAT_LATE(), _language(told)))

    def _person(self, chat: BoundChat, told: Incoming) -> Answer | None:
        text, now = told.text, self._clock.now_ms()
        ask, is_waiting = read_ask(text), chat.close_until_ms > now
        told = replace(told, language=chat.locale)
        if told.is_late(now) and (ask in ACTS or (ask is None and is_waiting)):
            return self._too_late(told)
        if ask is None and is_waiting:
            return self._close(chat, text)
        if chat.close_until_ms and ask is not Ask.CLOSE:
            self._ports.chats.wait_for_code(chat.user_id, 0)
        if ask is None and code_sha256(read_code(text)):
            return self._stranger(told)
        return self._asked(chat, ask or Ask.HELP)

    def _asked(self, chat: BoundChat, ask: Ask) -> Answer:
        answers: Mapping[Ask, Reason] = {
            Ask.CANCEL: codes.CHAT_CANCELLED(),
            Ask.RESUME: codes.CHAT_NO_RESUME(),
            Ask.HELP: codes.CHAT_HELP(),
        }
        if ask in answers:
            return _answer(chat, answers[ask])
        _log.info("chat.asked", user_id=chat.user_id, ask=ask.value)
        glance = self._ports.glances.glance(chat.user_id)
        if glance is None:
            return _answer(chat, codes.CHAT_NO_ACCOUNT())
        if ask is Ask.PAUSE:
            return _answer(chat, _outcome(self._trading.pause(_person(chat)), codes.CHAT_PAUSED()))
        if ask is Ask.CLOSE:
            return self._ask_code(chat)
        return _answer(chat, *(_status(glance) if ask is Ask.STATUS else _position(glance)))

    # --- closing everything ----------------------------------------------------------------------------------------

    def _ask_code(self, chat: BoundChat) -> Answer:
        factor = self._ports.stores.factors.authenticator(chat.user_id)
        if factor is None or not factor.confirmed:
            return _answer(chat, codes.CHAT_NO_FACTOR())
        self._ports.chats.wait_for_code(chat.user_id, self._clock.now_ms() + CLOSE_MS)
        cancel = said(codes.CHAT_BUTTON_CANCEL(), chat.locale)
        return Answer(said(codes.CHAT_ASK_CODE(), chat.locale), ((cancel,),))

    def _close(self, chat: BoundChat, code: str) -> Answer:
        person = _person(chat)
        if refusal := self._safety.prove(person, code=code):
            return _answer(chat, _outcome(refusal, NOTHING))
        self._ports.chats.wait_for_code(chat.user_id, 0)
        refusal = self._trading.flatten(person)
        try:
            is_thrown = self._awaits_proof(chat)
        except Retry as away:
            _log.warning("chat.proof_unawaited", user_id=chat.user_id, why=str(away))
            is_thrown = refusal is None  # all the same; the proof comes as a notification
        if not is_thrown:
            return _answer(chat, _outcome(refusal, codes.CHAT_REFUSED()))
        _log.info("chat.closes", user_id=chat.user_id)
        return _answer(chat, codes.CHAT_CLOSING())

    def _awaits_proof(self, chat: BoundChat) -> bool:
        """Whether everything is being closed; the chat is owed the proof then."""
        glance = self._ports.glances.glance(chat.user_id)
        if glance is None or not glance.closes:
            return False
        self._ports.chats.await_proof(chat.user_id, glance.switched_ms)
        return True


def _person(chat: BoundChat) -> SessionUser:
    return SessionUser(chat.user_id, chat.email, chat.locale, is_guest=chat.is_guest, agent=AGENT)


def _language(told: Incoming) -> str:
    return "ko" if told.language.startswith("ko") or not told.language else "en"


def _outcome(refusal: Refusal | None, done: Reason) -> Reason:
    if refusal is None:
        return done
    if "seconds" in refusal.params:
        return codes.CHAT_WAIT(seconds=int(str(refusal.params["seconds"])))
    known = {"refuse.proof": codes.CHAT_CODE_WRONG(), "refuse.no_account": codes.CHAT_NO_ACCOUNT()}
    return known.get(refusal.key, codes.CHAT_REFUSED())


def _answer(chat: BoundChat, *lines: Reason) -> Answer:
    """*lines* with the buttons everything can be asked by."""
    rows = (
        (codes.CHAT_BUTTON_STATUS(), codes.CHAT_BUTTON_POSITIONS()),
        (codes.CHAT_BUTTON_PAUSE(), codes.CHAT_BUTTON_CLOSE()),
    )
    shown = partial(separated, numbers=chat.numbers)
    text = "\n".join(said(line, chat.locale, shown) for line in lines if line != NOTHING)
    return Answer(text, tuple(tuple(said(word, chat.locale) for word in row) for row in rows))


def _status(glance: Glance) -> tuple[Reason, ...]:
    money = codes.CHAT_MONEY(equity=glance.equity, today=glance.today)
    return STATES[glance.state], glance.why, money, *_position(glance)


def _position(glance: Glance) -> tuple[Reason, ...]:
    one = glance.position
    if one is None:
        return (codes.CHAT_FLAT(),)
    held = codes.CHAT_POSITION(symbol=one.symbol, way=one.way, qty=one.qty, entry=one.entry, result=one.result)
    return held, codes.CHAT_STOP(stop=one.stop) if one.stop else codes.CHAT_STOP_UNKNOWN()


def _is_proved(glance: Glance) -> bool:
    return glance.closes and glance.proven_ms > 0 and glance.position is None


def _proof(chat: BoundChat, glance: Glance) -> Answer:
    seconds = max(1, -(-(glance.proven_ms - chat.awaits_ms) // 1000))
    return _answer(chat, codes.CHAT_PROVED(seconds=seconds))
