"""
What people do while the traders trade: switches, keys, settings, money, and hands on the exchange's own app.

Every act is one commit in the cabinet or one deed at the exchange; the referee is told which promises of it end there.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.command import Command, CommandKind
from lib.domain.input_blocks import in_order
from lib.domain.position import Direction
from lib.domain.switches import Flags
from lib.simulator.engine.orders import OrderRequest, Refused
from tests.sim.referee import Person

if TYPE_CHECKING:
    from tests.worlds.seeded import World

LOOKED_THROUGH_MS = 300_000
"""After this a cycle has looked for orders without a row."""


class Crowd:
    """Acts of the people of *world*."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._cabinet, self._engine, self._referee = world.cabinet, world.engine, world.referee

    def act(self, name: str, person: Person) -> None:
        """Do it, and let the referee see what it switched."""
        self._world.story(f"{name}: uid {person.uid}")
        self._world.trouble.note(f"people: {name}")
        (ASIDE.get(name) or ACTS[name])(self, person)
        self._referee.note_switches()

    # --- switches -----------------------------------------------------------------------------------------------------

    def _auto_trade(self, person: Person, on: bool) -> None:
        if not self._cabinet.switches(person.account_id).deleted:
            self._cabinet.people.set_auto_trade(person.user_id, on, self._world.now_ms())
            self._referee.note_switches()

    def auto_trade_off(self, person: Person) -> None:
        self._auto_trade(person, on=False)

    def auto_trade_off_and_on(self, person: Person) -> None:
        self._auto_trade(person, on=False)
        self._world.later(self._some(2, 90), lambda: self._auto_trade(person, on=True))

    def _account_flags(self, person: Person, flags: Flags) -> None:
        self._cabinet.people.set_account_flags(person.account_id, flags)
        self._referee.note_switches()

    def pause(self, person: Person) -> None:
        self._account_flags(person, Flags(False, False))

    def pause_and_resume(self, person: Person) -> None:
        self.pause(person)
        self._world.later(self._some(2, 90), lambda: self._account_flags(person, Flags(True, False)))

    def flatten(self, person: Person) -> None:
        self._account_flags(person, Flags(False, True))

    def _platform(self, flags: Flags) -> None:
        self._cabinet.people.set_flags(flags, "operator")
        self._referee.note_switches()

    def kill_switch(self, person: Person) -> None:
        self._platform(Flags(False, False))

    def kill_switch_and_back(self, person: Person) -> None:
        self._platform(Flags(False, False))
        self._world.later(self._some(2, 120), lambda: self._platform(Flags(True, False)))

    def flatten_all(self, person: Person) -> None:
        self._platform(Flags(False, True))

    # --- account ------------------------------------------------------------------------------------------------------

    def delete(self, person: Person) -> None:
        self._cabinet.delete_user(person.user_id)

    def replace_key(self, person: Person) -> None:
        old = list(self._engine.accounts[person.uid].keys)
        fresh = self._engine.add_key(person.uid)
        self._cabinet.replace_key(person.account_id, json.dumps([fresh.key, fresh.secret]))
        if self._rng.random() < 0.5:
            version = self._cabinet.switches(person.account_id).key_version
            self._world.later(self._some(20, 60), partial(self._give_up, person, old, version))

    def _give_up(self, person: Person, old: Sequence[Any], version: int) -> None:
        """Delete the *old* keys at the exchange, unless the database has forgotten the new one."""
        if self._cabinet.switches(person.account_id).key_version >= version:
            for key in old:
                key.refusal = 33004

    def change_account(self, person: Person) -> None:
        """
        Another account at the exchange in the place of this one, which no entry may reach from then on.

        Not right after the database lost commits: only an account in use is looked through for what was forgotten.
        """
        has_just_lost = self._world.now_ms() - self._referee.rolled_back_ms < LOOKED_THROUGH_MS
        if has_just_lost or self._cabinet.switches(person.account_id).deleted:
            return
        try:
            fresh = self._world.open_account(person.user_id)
        except ValueError as in_use:
            self._world.story(f"not changed: {in_use}")
            return
        fresh.settings = person.settings
        self._referee.add(fresh)

    def revoke_key(self, person: Person) -> None:
        """At the exchange, behind our back; nobody can act for the account from then on."""
        person.excused = True
        for key in self._engine.accounts[person.uid].keys:
            key.refusal = self._rng.choice((33004, 10003))

    def change_settings(self, person: Person) -> None:
        if self._cabinet.switches(person.account_id).deleted:
            return
        settings = draw_settings(self._rng)
        self._cabinet.people.change_settings(person.user_id, settings)
        version = self._cabinet.switches(person.account_id).settings_version
        person.settings[version] = settings

    # --- hands at the exchange ----------------------------------------------------------------------------------------

    def trade_by_hand(self, person: Person) -> None:
        qty = Decimal(self._rng.randint(1, 40)).scaleb(-3)
        self._by_hand(person, OrderRequest(self._symbol(person), self._rng.choice(("buy", "sell")), qty))

    def _by_hand(self, person: Person, request: OrderRequest) -> None:
        self._world.advance()
        try:
            self._engine.dealing.place(person.uid, request)
        except Refused as refusal:
            self._world.story(f"refused by hand: {refusal}")

    def close_by_hand(self, person: Person) -> None:
        self._world.advance()
        try:
            self._engine.dealing.close_by_hand(person.uid, self._symbol(person))
        except Refused as refusal:
            self._world.story(f"refused by hand: {refusal}")

    def remove_stop(self, person: Person) -> None:
        self._world.advance()
        self._engine.dealing.cancel_all(person.uid, lambda order: order.stop_order_type == "StopLoss")

    def remove_trailing(self, person: Person) -> None:
        self._world.advance()
        self._engine.dealing.cancel_all(person.uid, lambda order: order.stop_order_type == "TrailingStop")

    def change_leverage(self, person: Person) -> None:
        symbol = self._symbol(person)
        person.on(symbol).releveraged = True
        self._world.advance()
        try:
            self._engine.dealing.set_leverage(person.uid, symbol, Decimal(self._rng.choice((1, 2, 20, 50))))
        except Refused as refusal:
            self._world.story(f"refused by hand: {refusal}")

    def change_mode(self, person: Person) -> None:
        self._world.advance()
        try:
            self._engine.dealing.set_position_mode(person.uid, 3)
        except Refused as refusal:
            self._world.story(f"refused by hand: {refusal}")

    def transfer_in(self, person: Person) -> None:
        self._world.advance()
        self._engine.dealing.deposit(person.uid, Decimal(self._rng.randint(1, 5_000)))

    def transfer_out(self, person: Person) -> None:
        self._world.advance()
        free = self._engine.books.available(self._engine.accounts[person.uid])
        self._engine.dealing.deposit(
            person.uid, -max(free * self._rng.randint(1, 9) / 10, Decimal(0)).quantize(Decimal(1))
        )

    def ask_now(self, person: Person) -> None:
        self._ask(person, "ask_now")

    def ask_flatten(self, person: Person) -> None:
        self.flatten(person)
        self._ask(person, "flatten")

    def ask_close(self, person: Person) -> None:
        """The position is closed that its owner sees; nobody asks while flat."""
        symbol = self._symbol(person)
        holding = self._engine.accounts[person.uid].holdings.get(symbol)
        if holding is not None and not holding.position.is_flat:
            self._ask(person, "close", holding.position.direction, symbol)

    def _ask(self, person: Person, kind: CommandKind, side: Direction = "flat", symbol: str = "") -> None:
        box = self._world.commands
        box.ask(Command(box.asked + 1, person.user_id, person.account_id, kind, self._world.now_ms(), side, symbol))

    def choose_symbols(self, person: Person) -> None:
        """One of two symbols is taken off, or taken on again; not right after a database lost commits."""
        if len(person.symbols) < 2 or self._cabinet.switches(person.account_id).deleted or self._referee.rolled_back_ms:
            return
        gone = set() if person.taken_off else {self._world.symbols.choice(person.symbols)}
        person.taken_off = dict.fromkeys(gone, self._world.now_ms())
        kept = tuple(symbol for symbol in person.symbols if symbol not in gone)
        self._cabinet.people.choose_symbols(person.user_id, kept, self._world.now_ms())

    def _symbol(self, person: Person) -> str:
        """One of the person's; dice of their own, so that worlds of one symbol stay what they were."""
        return person.symbols[0] if len(person.symbols) == 1 else self._world.symbols.choice(person.symbols)

    @property
    def _rng(self) -> random.Random:
        return self._world.rng

    def _some(self, least: float, most: float) -> float:
        return self._rng.uniform(least, most)


SHOWN = in_order(("bars_5m", "funding", "position", "calendar", "outcomes"))


def draw_settings(rng: random.Random) -> AccountSettings:
    """A person's choice of level, leverage and direction, with a cooldown short enough to enter again."""
    level = rng.choice(tuple(RiskLevel))
    made = AccountSettings(risk_level=level, max_leverage=rng.choice((1, 3, 10, 25)), long_only=rng.random() < 0.05)
    if made.max_leverage == 3:  # drawn already: a quarter are shown blocks, their bucket and lessons among them
        made = replace(made, inputs=SHOWN)
    cooldown = rng.choice((0, 60_000, 900_000))
    return replace(made, limits=replace(made.limits, cooldown_ms=cooldown))


ACTS: dict[str, Callable[[Crowd, Person], None]] = {
    "auto-trade off": Crowd.auto_trade_off,
    "auto-trade off and on": Crowd.auto_trade_off_and_on,
    "key replaced": Crowd.replace_key,
    "key revoked": Crowd.revoke_key,
    "account paused": Crowd.pause,
    "account paused and resumed": Crowd.pause_and_resume,
    "account deleted": Crowd.delete,
    "account flattened": Crowd.flatten,
    "settings changed": Crowd.change_settings,
    "kill switch": Crowd.kill_switch,
    "kill switch and back": Crowd.kill_switch_and_back,
    "flatten of all": Crowd.flatten_all,
    "trade by hand": Crowd.trade_by_hand,
    "closed by hand": Crowd.close_by_hand,
    "stop removed by hand": Crowd.remove_stop,
    "leverage changed": Crowd.change_leverage,
    "position mode changed": Crowd.change_mode,
    "transfer in": Crowd.transfer_in,
    "transfer out": Crowd.transfer_out,
    "ask now": Crowd.ask_now,
    "flatten asked": Crowd.ask_flatten,
}
"""What people do, by the name it is counted under."""
CHANGED, CLOSED, UNTRAILED = "account changed", "close asked", "trailing stop removed by hand"
CHOSEN = "symbols chosen"
ASIDE: dict[str, Callable[[Crowd, Person], None]] = {
    CHANGED: Crowd.change_account,
    CLOSED: Crowd.ask_close,
    UNTRAILED: Crowd.remove_trailing,
    CHOSEN: Crowd.choose_symbols,
}
"""Drawn beside the others, so that they move nothing in worlds without them; the first adds a person."""
ASKED = ("ask now", "flatten asked")
"""What is asked of the traders, where there is a web."""
