"""
What the operator's command line does is written among the operators' acts, where the room's audit shows it.

An act is a row before it is done, and how it ended is added; one that cannot be written is not done. A stop and a close
are the exception: they are thrown first, and written as soon as they are. Nothing secret is in a row: codes, links and
keys are told on the terminal alone.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lib.bootstrap import Control
from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.domain.operator_act import ActKind, NewAct
from lib.domain.reason import NOTHING, Reason
from lib.ports.operators import NoSuchSubject
from lib.reason_text import told
from lib.trading.kill_switch.operator import NoSuchAccountError


@dataclass(slots=True)
class Noted:
    """How an act that is being done ends; NOTHING until then, and for one that was cut off."""

    result: Reason = NOTHING


@asynccontextmanager
async def noted(control: Control, kind: ActKind, account_id: int, args: Mapping[str, str]) -> AsyncIterator[Noted]:
    """Write that act down, let it be done, and write what the block says became of it, or what it raised."""
    act_id = await _begun(control, kind, account_id, args)
    note = Noted()
    try:
        yield note
    except Retry as busy:
        note.result = codes.OPERATOR_NOT_DONE(why=busy.why)
        raise
    except ValueError as refused:
        note.result = codes.OPERATOR_REFUSED(why=str(refused))
        raise
    finally:
        if note.result:
            await _ended(control, act_id, note.result)


async def note_thrown(control: Control, kind: ActKind, account_id: int) -> None:
    """Write down a stop or a close that is thrown; that it could not be written takes nothing of it back."""
    try:
        act_id = await _begun(control, kind, account_id, {})
    except Retry as busy:
        _say(f"thrown, but not written among the acts: {told(busy, 'en')}")
        return
    await _ended(control, act_id, codes.OPERATOR_DONE())


async def _begun(control: Control, kind: ActKind, account_id: int, args: Mapping[str, str]) -> int:
    act = NewAct(0, kind, account_id, args, "", control.clock.now_ms(), control.operator.who)
    try:
        return await asyncio.to_thread(control.acts.begin, act)
    except NoSuchSubject:
        raise NoSuchAccountError(f"there is no account {account_id}") from None


async def _ended(control: Control, act_id: int, result: Reason) -> None:
    try:
        await asyncio.to_thread(control.acts.end, act_id, result)
    except Retry as busy:
        # what was done is done; its row says that nobody knows
        _say(f"what became of it is not written among the acts: {told(busy, 'en')}")


def _say(line: str) -> None:
    sys.stderr.write(f"control: {line}\n")
