"""
What a signed-in person may do about trading: open a paper account, enter a key, choose, switch, ask.

Synchronous; forms and routes run it in threads. A refusal is a value. *Retry* is raised only for our own database being
away. Nothing here sends an order or opens a sealed key: the trader alone does. A read-only person is refused every act.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from lib import log
from lib.accounts import checking
from lib.accounts.acts import act
from lib.accounts.key_gate import flawed, hands_flaw, own_accounts, rights_flaws, shape_flaw, uid_of_key
from lib.accounts.models import chain_refusal
from lib.accounts.notes import note_of, note_of_change
from lib.accounts.settings_rules import settings_refusal
from lib.accounts.step_up import unproved
from lib.accounts.trading_ports import Deployment, TradingPorts
from lib.accounts.venue_refusal import venue_refusal
from lib.accounts.web import Refusal, SessionUser
from lib.domain.account import AccountSettings, Doubt, Venue
from lib.domain.account_records import ActiveAccount, NewAccount
from lib.domain.api_key import ApiKey, KeyInfo, SealContext
from lib.domain.command import Command, CommandKind
from lib.domain.errors import Pause, Retry
from lib.domain.gates import ENDED_BY_A_PERSON
from lib.domain.pace import Pace
from lib.domain.position import Direction
from lib.domain.trail import Note, TrailEvent
from lib.domain.venues import feed_fits
from lib.ports.exchange import NotNow
from lib.ports.people import (
    AccountInUse,
    AccountTaken,
    EvidenceLacking,
    StoppedByOperator,
)

T = TypeVar("T")

ASK_EVERY_MS = 60_000
"""One analyst call on demand per person and minute."""
RECHECK_EVERY_MS = 30_000
FLATTEN_EVERY_MS = CLOSE_EVERY_MS = 5_000
"""Twice clicked is once asked."""
ENDABLE_LOCKS: frozenset[str] = ENDED_BY_A_PERSON
"""Locks a person may end; every other one ends by itself, and not sooner."""
PAPER_BALANCE = Decimal(10_000)
MOST_PAPER = Decimal(1_000_000)

_NO_ACCOUNT = Refusal("refuse.no_account")
_LOG = log.get("accounts.trading")


@dataclass(frozen=True, slots=True)
class KeySaved:
    """
    A key that was taken. *bound_ips* empty = usable from any address; *expires_at* epoch ms, 0 = not dated. *doubts* is
    what the venue did not tell or set.
    """

    account_id: int
    venue: Venue
    last4: str
    bound_ips: tuple[str, ...]
    expires_at: int
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class Begin:
    """Our books of an account begin at *opened_ms* (epoch ms) with *balance* USDT; *note* is what its owner reads."""

    balance: Decimal
    opened_ms: int
    doubts: tuple[Doubt, ...] = ()
    note: Note | None = None


class TradingDesk:
    """Every act about trading that a page or route offers."""

    def __init__(self, ports: TradingPorts, deployment: Deployment) -> None:
        self._ports = ports
        self._here = deployment
        self._checks = checking.PacedChecks(ports.throttles, ports.clock)
        self._openings = checking.PacedChecks(ports.throttles, ports.clock)

    # --- accounts and keys ----------------------------------------------------------------------------------------

    @act
    def open_paper(self, user: SessionUser, balance: Decimal = PAPER_BALANCE) -> Refusal | None:
        """Open a paper account of *balance* USDT and make it the person's active one; our books begin now."""
        active = self._ports.keyring.active(user.user_id)
        if active and active.has_key and (refusal := self._unproved(user)):
            return refusal  # another venue takes the place of that one
        return self._paper(user.user_id, balance, self._note(user, TrailEvent.PAPER_OPENED))

    def paper_for_newcomer(self, user_id: int) -> Refusal | None:
        """As `open_paper`, for who has just been made and has no session yet."""
        return self._paper(user_id, PAPER_BALANCE)

    def _paper(self, user_id: int, balance: Decimal, note: Note | None = None) -> Refusal | None:
        if not self._trades_on("paper"):
            return Refusal("refuse.paper.unavailable")
        if not balance.is_finite() or not 0 < balance <= MOST_PAPER:
            return Refusal("refuse.paper.balance", most=str(MOST_PAPER))
        active = self._ports.keyring.active(user_id)
        if active and active.has_key and active.venue == "paper" and active.feed == self._here.feed:
            return Refusal("refuse.paper.exists")
        return self._openings.run(
            lambda: self._open(user_id, balance, note), (f"paper:{user_id}", checking.PAPER_OF_PERSON)
        )

    def _open(self, user_id: int, balance: Decimal, note: Note | None) -> Refusal | None:
        opened_ms = self._ports.clock.now_ms()
        try:
            made = self._ports.paper.open(f"person-{user_id}", balance)
        except NotNow:
            raise
        except (Retry, Pause) as away:
            _LOG.error("paper.not_opened", user_id=user_id, why=str(away))
            return Refusal("refuse.paper.away")
        with log.hide(made.key.api_key, made.key.api_secret):
            put = self._put(user_id, "paper", made.uid, made.key, Begin(balance, opened_ms, note=note))
        return put if isinstance(put, Refusal) else None

    @act
    def save_key(self, user: SessionUser, venue: Venue, api_key: str, api_secret: str) -> Refusal | KeySaved:
        """Take a person's exchange key if it may trade and cannot take money away; sealed before it is stored."""
        key = ApiKey(api_key.strip(), api_secret.strip())
        if not self._trades_on(venue):
            return Refusal("refuse.key.venue", venue=venue)
        if flaw := shape_flaw(key):
            return flawed(flaw)
        if refusal := self._unproved(user):
            return refusal
        # the person's tally first: a flood of one person does not use up what others at that address may
        tallies = (
            (f"key:{user.user_id}", checking.CHECKS_OF_PERSON),
            (f"key@{user.network}", checking.CHECKS_OF_ADDRESS),
        )
        note = self._note(user, TrailEvent.KEY_SAVED, f"{venue} ••••{key.api_key[-4:]}")
        return self._checks.run(lambda: self._checked(venue, key, note), *tallies)

    def _checked(self, venue: Venue, key: ApiKey, note: Note) -> Refusal | KeySaved:
        try:
            with log.hide(key.api_key, key.api_secret):
                return self._probed(venue, key, note)
        except Pause as refused:
            return venue_refusal(refused, self._here.addresses)
        except _NotAnswered as away:
            return venue_refusal(away.reaction, self._here.addresses)

    def _probed(self, venue: Venue, key: ApiKey, note: Note) -> Refusal | KeySaved:
        here, ports, user_id = self._here, self._ports, note.user_id
        info = _asked(lambda: ports.key_probe.key_info(venue, key))
        if flaws := rights_flaws(info, ports.clock.now_ms()):
            return flawed(*flaws)
        opened_ms = ports.clock.now_ms()
        reading = _asked(lambda: ports.account_probe.read(venue, info.uid, key, here.symbol))
        if flaw := hands_flaw(reading.links, here.installation):
            return flawed(flaw)
        try:
            uid = info.uid or self._uid_by_marks(user_id, venue, key, reading.links)
        except AccountTaken:
            return Refusal("refuse.key.taken")
        traded = ports.keyring.traded(user_id, venue, here.feed, uid) or (here.symbol,)
        doubts = (*info.doubts, *_asked(lambda: ports.key_probe.prepare(venue, key, traded)))
        put = self._put(user_id, venue, uid, key, Begin(reading.balance, opened_ms, doubts, note))
        return put if isinstance(put, Refusal) else _saved(put, venue, key, info, doubts)

    def _uid_by_marks(self, user_id: int, venue: Venue, key: ApiKey, links: Iterable[str]) -> str:
        """
        Whose account it is where the venue does not tell: the one of ours that has traded on it lately, else one by
        the key. *AccountTaken* when that one is another person's.
        """
        found = (
            self._ports.keyring.own_uid(user_id, number, venue, self._here.feed)
            for number in own_accounts(links, self._here.installation)
        )
        return next((uid for uid in found if uid), uid_of_key(key))

    def _put(self, user_id: int, venue: Venue, uid: str, key: ApiKey, begin: "Begin") -> Refusal | int:
        """Seal and store."""
        keyring, here = self._ports.keyring, self._here
        version = keyring.next_version(user_id, venue, here.feed, uid)
        sealed = self._ports.sealer.seal(key, SealContext(user_id, venue, uid, version))
        terms = (begin.balance, begin.opened_ms, begin.doubts)
        new = NewAccount(user_id, venue, here.feed, uid, here.symbol, sealed, key.api_key[-4:], version, *terms)
        try:
            account_id = keyring.put(new, begin.note)
        except AccountTaken:
            return Refusal("refuse.key.taken")
        except AccountInUse:
            return Refusal("refuse.key.in_use")
        _LOG.info("key.stored", user_id=user_id, account=account_id, venue=venue, version=version)
        return account_id

    @act
    def delete_key(self, user: SessionUser) -> Refusal | None:
        """Wipe the active account's key and end its trading; refused while a position or order still needs it."""
        if refusal := self._unproved(user):
            return refusal
        try:
            removed = self._ports.keyring.remove(user.user_id, self._note(user, TrailEvent.KEY_DELETED))
            return None if removed else _NO_ACCOUNT
        except AccountInUse:
            return Refusal("refuse.key.in_use")

    # --- choices and switches -------------------------------------------------------------------------------------

    @act
    def change_settings(self, user: SessionUser, settings: AccountSettings, version: int) -> Refusal | None:
        """
        Save what the person chose having read *version*; an order planned with the old choice is no longer sent.

        Refused when another tab or device has changed them since: nothing is written back over that.
        """
        if refusal := settings_refusal(settings):
            return refusal
        if user.is_guest and (settings.custom_prompt or settings.system):
            return Refusal("refuse.guest_prompt")  # all guests share one call
        before, _ = self._ports.accounts.chosen(user.user_id) or (settings, 0)
        if before.models != settings.models and (refusal := chain_refusal(self._ports.models, user, settings.models)):
            return refusal
        note = note_of_change(user, before, settings, self._ports.clock.now_ms())
        if note.event is TrailEvent.SETTINGS_LOOSENED and (refusal := self._unproved(user)):
            return refusal
        if (before.custom_prompt, before.system) != (settings.custom_prompt, settings.system) and (
            refusal := self._too_often(user, "words", checking.REWRITING)
        ):
            return refusal
        saved = self._ports.accounts.change_settings(user.user_id, settings, version, note)
        return None if saved else Refusal("refuse.settings.stale")

    @act
    def set_auto_trade(self, user: SessionUser, on: bool) -> Refusal | None:
        """
        The auto-trading switch. Off always works; on needs an account that can trade, in demo trading evidence or its
        person's word to do without, waits for T, and is paced.
        """
        account = self._ports.keyring.active(user.user_id)
        if on and (refusal := _cannot_trade(account) or self._too_often(user, "on", checking.SWITCHING_ON)):
            return refusal
        note = self._note(user, TrailEvent.AUTO_ON if on else TrailEvent.AUTO_OFF)
        try:
            self._ports.accounts.set_auto_trade(user.user_id, on, note.at_ms, note)
        except EvidenceLacking as lacking:
            return Refusal("refuse.demo.evidence", why=lacking.why)
        return None

    @act
    def pause(self, user: SessionUser) -> Refusal | None:
        """Stop new entries of the person's account at once (L1); exits and stops go on."""
        return self._set_trading(user, on=False)

    @act
    def resume(self, user: SessionUser) -> Refusal | None:
        """
        Allow entries again, after a pause or after everything was closed; what had paused the account will pause it
        again if it still stands. Refused while an operator's stop stands: only an operator takes it back. Paced.
        """
        if refusal := self._too_often(user, "on", checking.SWITCHING_ON):
            return refusal
        try:
            return self._set_trading(user, on=True)
        except StoppedByOperator:
            return Refusal("refuse.operator_stop")

    @act
    def flatten(self, user: SessionUser) -> Refusal | None:
        """
        Stop new entries at once and have the trader close what it opened on the person's account (L3).

        The switch is thrown here, in one transaction: no lost command can lose the wish.
        """
        if not self._ports.keyring.flatten(user.user_id, self._note(user, TrailEvent.FLATTENED)):
            return _NO_ACCOUNT
        try:
            return self._ask(user, "flatten", FLATTEN_EVERY_MS)
        except Retry as busy:
            # the switch is thrown, and the trader looks at it by itself
            _LOG.warning("flatten.not_asked", user_id=user.user_id, why=str(busy))
            return None

    @act
    def choose_symbols(self, user: SessionUser, symbols: Sequence[str]) -> Refusal | None:
        """
        From now on the person's account trades exactly *symbols*, one at least; of those taken off nothing is entered
        any more, and what is open there is guarded until it is closed.
        """
        chosen = tuple(dict.fromkeys(symbols))
        if not chosen or any(symbol not in self._here.offered for symbol in chosen):
            return Refusal("refuse.symbols", offered=", ".join(self._here.offered))
        ordered = [symbol for symbol in self._here.offered if symbol in chosen]
        note = self._note(user, TrailEvent.SYMBOLS_CHOSEN, ", ".join(ordered))
        if not self._ports.accounts.choose_symbols(user.user_id, ordered, note.at_ms, note):
            return _NO_ACCOUNT
        with suppress(Retry):  # the trader reads the modes before the first entry there all the same
            self._ask(user, "recheck_key", RECHECK_EVERY_MS)  # which sets the mode of positions in what is new
        return None

    @act
    def close_position(self, user: SessionUser, side: Direction, symbol: str = "") -> Refusal | None:
        """
        Ask the trader to close the position of *side* in *symbol* ("" = the one that is shown first) that it opened on
        the person's account, at the market.

        Nothing is switched: entries, auto-trading and locks stay as they are. A position of the other side, or one
        entered after this, is not closed by it.
        """
        about = (side, symbol)
        return self._ask(user, "close", CLOSE_EVERY_MS, about, self._note(user, TrailEvent.CLOSE_ASKED, symbol))

    @act
    def end_lock(self, user: SessionUser, kind: str) -> Refusal | None:
        """End one of the account's locks before its time; entries are possible again if nothing else stands."""
        if kind not in ENDABLE_LOCKS:
            return Refusal("refuse.lock.kind")
        if not self._ports.locks.end(user.user_id, kind, self._note(user, TrailEvent.LOCK_ENDED, kind)):
            return Refusal("refuse.lock.gone")
        _LOG.info("lock.ended", user_id=user.user_id, kind=kind)
        return None

    def _too_often(self, user: SessionUser, what: str, pace: Pace) -> Refusal | None:
        return self._checks.counted((f"{what}:{user.user_id}", pace))

    def _set_trading(self, user: SessionUser, *, on: bool) -> Refusal | None:
        note = self._note(user, TrailEvent.RESUMED if on else TrailEvent.PAUSED)
        return None if self._ports.keyring.set_trading(user.user_id, on, note) else _NO_ACCOUNT

    # --- asking the trader ----------------------------------------------------------------------------------------

    @act
    def ask_now(self, user: SessionUser) -> Refusal | None:
        """Ask the trader for one cycle of this account alone, now; at most one per person and minute."""
        return self._ask(user, "ask_now", ASK_EVERY_MS)

    @act
    def recheck_key(self, user: SessionUser) -> Refusal | None:
        """Ask the trader to look at the stored key again."""
        return self._ask(user, "recheck_key", RECHECK_EVERY_MS)

    def _ask(
        self,
        user: SessionUser,
        kind: CommandKind,
        every_ms: int,
        about: tuple[Direction, str] = ("flat", ""),
        note: Note | None = None,
    ) -> Refusal | None:
        account = self._ports.keyring.active(user.user_id)
        if account is None or not account.has_key:
            return _NO_ACCOUNT
        wish = Command(0, user.user_id, account.account_id, kind, self._ports.clock.now_ms(), *about)
        wait_ms = self._ports.queue.ask(wish, every_ms, note)
        return Refusal(f"refuse.wait.{kind}", seconds=-(-wait_ms // 1000)) if wait_ms else None

    def _unproved(self, user: SessionUser) -> Refusal | None:
        return unproved(user, self._ports.clock.now_ms())

    def _note(self, user: SessionUser, event: TrailEvent, detail: str = "") -> Note:
        return note_of(user, event, self._ports.clock.now_ms(), detail)

    def _trades_on(self, venue: Venue) -> bool:
        return venue in self._here.venues and feed_fits(self._here.feed, venue)


class _NotAnswered(Exception):
    """The venue could not be asked, or not now; told apart from our own database being away."""

    def __init__(self, reaction: Retry) -> None:
        super().__init__(str(reaction))
        self.reaction = reaction


def _asked(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except NotNow:
        raise
    except Retry as away:
        raise _NotAnswered(away) from None


def _cannot_trade(account: ActiveAccount | None) -> Refusal | None:
    if account is None or not account.has_key:
        return _NO_ACCOUNT
    return None if account.trading_enabled else Refusal("refuse.paused")


def _saved(account_id: int, venue: Venue, key: ApiKey, info: KeyInfo, doubts: tuple[Doubt, ...]) -> KeySaved:
    return KeySaved(account_id, venue, key.api_key[-4:], info.bound_ips, info.expires_at, doubts)
