"""
The operator's command line: see how everything stands, stop it, close it, let it go on, settle what nobody can prove.

    python -m services.control status
    python -m services.control stop    [--account N]            L1 of one account, L2 of everybody
    python -m services.control flatten --account N | --all      L3: also close what we opened; needs the running trader
    python -m services.control resume  [--account N]            take the switches back (those of that account alone)
    python -m services.control locks
    python -m services.control unlock  KIND [--account N]       end a risk lock before its time (0 or none: everybody's)
    python -m services.control needs-human                      orders only a person can end, with the evidence
    python -m services.control audit                            whether every order's history is as it was written
    python -m services.control settle  LINK_ID STATE --why TEXT
    python -m services.control settings                         platform settings: what holds, and who changed what
    python -m services.control operator list | grant E-MAIL | revoke E-MAIL    who may use the operators' room
    python -m services.control reset-link EMAIL                 a link to a new password, see services/control_people.py
    python -m services.control models | model NAME ...          the analyst's models, see services/control_models.py
    python -m services.control set | invite | banner | limit    change them: see services/control_platform.py

`stop` and `flatten` wait until it is proved that everything stopped and say meanwhile what is still open. Exit status:
0 done (and proved), 1 refused, impossible now, a history that is not as it was written, or not proved within --timeout
seconds (the switch stays thrown), 2 wrong usage, 78 unusable settings. Needs DATABASE_URL and INSTALLATION;
ENCRYPTION_KEY only to ask about orders, which the proof of a stop needs while no trader runs. With --local before the
act it works on what `make run` runs on this machine.
"""

import argparse
import asyncio
import getpass
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping

from lib import bootstrap, log, settings
from lib.bootstrap import Control
from lib.clock import Clock
from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.domain.operator_act import ActKind
from lib.domain.order import TERMINAL, Order, OrderState
from lib.ports.operators import NoOperator
from lib.queries import PlatformStanding
from lib.reason_text import said, told
from lib.trading.kill_switch.operator import NoSuchAccountError
from lib.trading.kill_switch.proof import Proof
from lib.trading.orders.settle_by_hand import Word, ask_again, settle
from services import control_models, control_people, control_platform
from services.control_acts import note_thrown, noted
from services.control_text import (
    broken_line,
    lock_lines,
    not_looked_at,
    operator_line,
    order_line,
    overview,
    still_open,
    without_a_key,
)
from services.local import environment
from services.process import last_line

POLL_S = 0.5
LOOK_AGAIN_S = 2.0
"""Between two tries to look through an account that could not be."""
TELL_EVERY_S = 5
NO_KEY = "not proved: start the trader, or stop again with ENCRYPTION_KEY; the switch stays thrown"
Act = Callable[[Control, argparse.Namespace], Awaitable[int]]


def main(words: list[str] | None = None) -> int:
    """Do what *words* (default: the command line) ask; the exit status."""
    asked = _arguments(words)
    try:
        log.setup("control", "text", "CRITICAL")  # what it does it says itself, and the database keeps
        loaded = settings.load(environment() if asked.local else None)
        return asyncio.run(_run(loaded, asked))
    except (Retry, NoSuchAccountError) as held:
        return _complain(told(held, "en"), 1)


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="control", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--local", action="store_true", help="the deployment of `make run` on this machine")
    add_acts(parser.add_subparsers(dest="act", required=True))
    return parser.parse_args(words)


def add_acts(acts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Every word of the command line."""
    for name in ("status", "locks", "needs-human", "audit"):
        acts.add_parser(name)
    for name in ("stop", "flatten", "resume"):
        one = acts.add_parser(name)
        whom = one.add_mutually_exclusive_group(required=name == "flatten")
        whom.add_argument("--account", type=_number, default=0)
        whom.add_argument("--all", action="store_true")
        if name != "resume":
            one.add_argument("--timeout", type=float, default=60.0, help="seconds to wait for the proof")
        else:
            one.add_argument("--unproved", action="store_true", help="though a restore's search has not ended")
    unlock = acts.add_parser("unlock")
    unlock.add_argument("kind")
    unlock.add_argument("--account", type=_number, default=0)
    settled = acts.add_parser("settle")
    settled.add_argument("link_id")
    settled.add_argument("state", choices=sorted(state.value for state in TERMINAL))
    settled.add_argument("--why", required=True)
    role = acts.add_parser("operator").add_subparsers(dest="role", required=True)
    role.add_parser("list")
    for name in ("grant", "revoke"):
        role.add_parser(name).add_argument("email")
    control_platform.add_arguments(acts)
    control_people.add_arguments(acts)
    control_models.add_arguments(acts)


def _number(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("an account's number, as `status` lists it")
    return int(text)


async def _run(loaded: settings.Settings, asked: argparse.Namespace) -> int:
    acts: dict[str, Act] = {
        "status": _status,
        "locks": _locks,
        "needs-human": _needs_human,
        "audit": _audit,
        "stop": _stop,
        "flatten": _flatten,
        "resume": _resume,
        "unlock": _unlock,
        "settle": _settle,
        "operator": _operator,
        "reset-link": _reset_link,
        **dict.fromkeys(control_platform.ACTS, _on_platform),
        **dict.fromkeys(control_models.ACTS, _on_models),
    }
    async with bootstrap.open_control(loaded, f"cli:{getpass.getuser()}@{socket.gethostname()}") as control:
        return await acts[asked.act](control, asked)


# --- looking ----------------------------------------------------------------------------------------------------------


async def _status(control: Control, asked: argparse.Namespace) -> int:
    _say(overview(await _platform(control), control.clock.now_ms()))
    return 0


async def _locks(control: Control, asked: argparse.Namespace) -> int:
    platform = await _platform(control)
    _say(lock_lines(platform) or ["no lock holds"])
    return 0


async def _needs_human(control: Control, asked: argparse.Namespace) -> int:
    rows = [row for account in (await _platform(control)).accounts for row in account.needs_human]
    for row in rows:
        evidence = await ask_again(control.ledger, control.exchanges, row)
        _say([order_line(row), f"  {evidence.sentence}"])
    _say([] if rows else ["no order needs a person"])
    return 0


async def _audit(control: Control, asked: argparse.Namespace) -> int:
    orders, events, broken = 0, 0, 0
    batches = control.readings.audit()
    while (part := await asyncio.to_thread(next, batches, None)) is not None:
        _say([broken_line(one) for one in part.broken])
        orders, events, broken = orders + part.orders, events + part.events, broken + len(part.broken)
    if broken:
        return _complain(f"{broken} of {orders} orders have a history that is not as it was written", 1)
    _say([f"{orders} orders, {events} events: every history is as it was written"])
    return 0


async def _platform(control: Control) -> PlatformStanding:
    return await asyncio.to_thread(control.readings.platform)


# --- switches ---------------------------------------------------------------------------------------------------------


async def _stop(control: Control, asked: argparse.Namespace) -> int:
    await insist(control.clock, asked.timeout, lambda: control.operator.stop(asked.account))
    await note_thrown(control, "stop", asked.account)
    return await _wait_for_proof(control, asked)


async def _flatten(control: Control, asked: argparse.Namespace) -> int:
    await insist(control.clock, asked.timeout, lambda: control.operator.flatten(asked.account))
    await note_thrown(control, "flatten", asked.account)
    return await _wait_for_proof(control, asked)


async def insist(clock: Clock, timeout_s: float, throw: Callable[[], Awaitable[None]]) -> None:
    """*throw* a switch for *timeout_s* seconds if need be: a frozen trader may hold its row. Then *Retry*."""
    began_ms = clock.now_ms()
    while True:
        try:
            return await throw()
        except Retry as busy:
            if clock.now_ms() - began_ms >= timeout_s * 1000:
                raise
            _say([f"not thrown yet, trying again: {told(busy, 'en')}"])
            await clock.sleep(POLL_S)


async def _resume(control: Control, asked: argparse.Namespace) -> int:
    if not control.may_resume and not asked.account:
        return _complain("TRADING_ENABLED=false stands in the environment: take it out first", 1)
    async with noted(control, "resume", asked.account, {}) as note:
        goes_on = await control.operator.resume(asked.account, unproved=asked.unproved)
        note.result = codes.OPERATOR_DONE() if goes_on else codes.OWNERS_STOP_STAYS()
    if not goes_on:
        _say([f"no operator's stop of {_whom(asked.account)} stands; its owner's own does, and is theirs to end"])
        return 0
    _say([f"{_whom(asked.account)} may trade again from the next cycle; switches of others, and locks, stay"])
    return 0


async def _wait_for_proof(control: Control, asked: argparse.Namespace) -> int:
    _say([f"no entry of {_whom(asked.account)} can be claimed any more; waiting for the proof"])
    began_ms, told_ms, held = control.clock.now_ms(), 0, list[str]()
    while True:
        now_ms = control.clock.now_ms()
        switches = await control.operator.switches(asked.account)
        if switches.proven_ms:
            took = (now_ms - switches.switched_ms) / 1000
            _say([f"stopped: proved {took:.1f} s after the switch was thrown"])
            return 0
        if now_ms - told_ms >= TELL_EVERY_S * 1000:
            told_ms = now_ms
            can_ask = control.exchanges is not None
            _say(still_open(await _platform(control), asked.account, now_ms, can_ask=can_ask) + held)
        if now_ms - began_ms >= asked.timeout * 1000:
            return _complain(f"not proved within {asked.timeout:g} s; the switch stays thrown, see `status`", 1)
        proof, held = await _prove_alone(control, asked.account)
        if proof is Proof.UNSEEN and control.exchanges is None:
            _say(without_a_key(control.prover.unseen))
            return _complain(NO_KEY, 1)
        if proof is not Proof.PROVED:
            await control.clock.sleep(LOOK_AGAIN_S if proof is Proof.UNSEEN else POLL_S)


async def _prove_alone(control: Control, account_id: int) -> tuple[Proof, list[str]]:
    """With no trader at work, prove a pause from here, and say who could not be asked: they are asked again later."""
    if (await _platform(control)).trader_alive:
        return Proof.WAITS, []
    try:
        proof = await control.operator.prove_pause(account_id, control.prover)
    except Retry as away:
        return Proof.WAITS, [f"  {told(away, 'en')}"]
    return proof, not_looked_at(control.prover.unseen) if control.exchanges is not None else []


# --- a person's acts --------------------------------------------------------------------------------------------------


async def _unlock(control: Control, asked: argparse.Namespace) -> int:
    async with noted(control, "unlock", asked.account, {"kind": asked.kind}) as note:
        ended = await control.operator.unlock(asked.account, asked.kind)
        note.result = codes.OPERATOR_DONE() if ended else codes.NO_SUCH_LOCK()
    if not ended:
        return _complain(f"{_whom(asked.account)} holds no lock {asked.kind!r}, see `locks`", 1)
    _say([f"the lock {asked.kind!r} of {_whom(asked.account)} is ended"])
    return 0


async def _settle(control: Control, asked: argparse.Namespace) -> int:
    order = await control.ledger.order_by_link(asked.link_id)
    if order is None:
        return _complain(f"there is no order {asked.link_id}", 1)
    args = {"link": asked.link_id, "state": asked.state, "why": asked.why}
    async with noted(control, "settle", order.account_id, args) as note:
        evidence = await ask_again(control.ledger, control.exchanges, order)
        word = Word(OrderState(asked.state), control.operator.who, asked.why)
        against = await settle(control.ledger, order, evidence, word)
        settled = codes.ORDER_SETTLED(state=asked.state.lower(), evidence=evidence.why)
        note.result = codes.OPERATOR_REFUSED_FOR(why=against) if against else settled
    if against:
        return _complain(f"refused: {said(against, 'en')}", 1)
    _say([_settled(order, asked.state), f"  {evidence.sentence}"])
    return 0


async def _operator(control: Control, asked: argparse.Namespace) -> int:
    if asked.role == "list":
        rows = await asyncio.to_thread(control.register.operators)
        _say([operator_line(row) for row in rows] or ["nobody is an operator"])
        return 0
    change = control.register.grant if asked.role == "grant" else control.register.revoke
    try:
        async with noted(control, asked.role, 0, {"person": asked.email}) as note:
            changed = await asyncio.to_thread(change, asked.email, control.operator.who)
            note.result = codes.OPERATOR_DONE() if changed else codes.SETTING_UNCHANGED()
    except NoOperator as refused:
        return _complain(f"refused: {refused}", 1)
    has = "is an operator" if asked.role == "grant" else "is no operator"
    _say([f"{asked.email} {has}{'' if changed else ' already'}"])
    return 0


async def _reset_link(control: Control, asked: argparse.Namespace) -> int:
    args = {"person": asked.email, "drops_factor": "yes" if asked.drop_second_factor else "no"}
    try:
        async with noted(control, "reset_link", 0, args) as note:
            lines = await asyncio.to_thread(control_people.reset_link, control.people, asked)
            note.result = codes.OPERATOR_DONE()
        _say(lines)
    except ValueError as refused:
        return _complain(f"refused: {refused}", 1)
    return 0


async def _on_platform(control: Control, asked: argparse.Namespace) -> int:
    act = control_platform.ACTS[asked.act]
    return await _by_hand(control, lambda: act(control.platform, asked), control_platform.act_of(asked))


async def _on_models(control: Control, asked: argparse.Namespace) -> int:
    act = control_models.ACTS[asked.act]
    return await _by_hand(control, lambda: act(control.models, asked), control_models.act_of(asked))


async def _by_hand(
    control: Control, act: Callable[[], list[str]], told_act: tuple[ActKind, Mapping[str, str]] | None
) -> int:
    """Do *act* and print its lines; *told_act* is how it is written among the operators' acts, None = it only looks."""
    try:
        if told_act is None:
            _say(await asyncio.to_thread(act))
            return 0
        async with noted(control, told_act[0], 0, told_act[1]) as note:
            lines = await asyncio.to_thread(act)
            note.result = codes.OPERATOR_DONE()
        _say(lines)
    except ValueError as refused:
        return _complain(f"refused: {refused}", 1)
    return 0


def _settled(order: Order, state: str) -> str:
    return f"{order.order_link_id} is {state}; account {order.account_id} is paused until it is resumed"


def _whom(account_id: int) -> str:
    return f"account {account_id}" if account_id else "everybody"


def _say(lines: list[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _complain(line: str, status: int) -> int:
    sys.stderr.write(f"control: {log.redact(line)}\n")
    return status


if __name__ == "__main__":
    with last_line("control"):
        sys.exit(main())
