"""What the operator's command line prints: standings as plain lines. Values in, text out."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from lib.domain.locks import RiskLock
from lib.domain.operator_act import OperatorRow
from lib.domain.order import Order, OrderState
from lib.domain.reason import Reason
from lib.queries import Broken, PlatformStanding, Standing, Switches
from lib.reason_text import said
from lib.trading.kill_switch.proof import PROOF_MS


def overview(platform: PlatformStanding, now_ms: int) -> list[str]:
    """Everything `status` says."""
    lines = [f"platform   {switch_words(platform.switches, now_ms)}", f"trader     {_trader(platform)}"]
    lines += lock_lines(platform)
    for account in platform.accounts:
        lines += ["", *_account(account, now_ms)]
    return lines


def _trader(platform: PlatformStanding) -> str:
    if platform.trader_alive:
        return "at work"
    return "NOT RUNNING: switches hold, entries stay off; closing (L3) and open orders wait for it"


def switch_words(switches: Switches, now_ms: int) -> str:
    """One line on two switches: trading, stopping for how long, or stopped since when it was proved."""
    if not switches.is_thrown:
        return "trading"
    what = "CLOSING EVERYTHING" if switches.flatten else "STOPPING"
    why = f" · {said(switches.why, 'en')}" if switches.why else ""
    if switches.proven_ms:
        return f"stopped, proved {_clock(switches.proven_ms)}{why}"
    return f"{what} for {(now_ms - switches.switched_ms) / 1000:.0f} s, not proved yet{why}"


def _account(account: Standing, now_ms: int) -> list[str]:
    auto = "auto-trading on" if account.auto_trade else "auto-trading off"
    head = f"account {account.account_id:<4} {account.venue} uid {masked(account.uid)} · {account.symbol} · {auto}"
    lines = [head, f"  switches {switch_words(account.switches, now_ms)}", f"  position {account.position_qty:f}"]
    lines += [f"  open     {order_line(row)}" for row in account.open_rows]
    return lines + [f"  lock     {lock_line(lock)}" for lock in account.locks]


def masked(uid: str) -> str:
    """The last three of an exchange uid."""
    return f"…{uid[-3:]}"


def lock_lines(platform: PlatformStanding) -> list[str]:
    """Every lock that holds, the platform's first."""
    lines = [f"everybody    {lock_line(lock)}" for lock in platform.locks]
    return lines + [
        f"account {account.account_id:<4} {lock_line(lock)}" for account in platform.accounts for lock in account.locks
    ]


def lock_line(lock: RiskLock) -> str:
    """One lock: kind, until when, why."""
    return f"{lock.kind} until {_date(lock.until_ms)}: {said(lock.why, 'en')}"


def order_line(row: Order) -> str:
    """One open row."""
    way = "close" if row.reduce_only else "entry"
    return f"{row.order_link_id} {way} {row.side} {row.qty or '?'} {row.state.value}: {said(row.why, 'en') or '-'}"


def broken_line(broken: Broken) -> str:
    """One order whose history does not hold."""
    return f"{broken.order_link_id}: {said(broken.problem, 'en')}"


def operator_line(row: OperatorRow) -> str:
    """One person who has or had the operator's role."""
    taken = f", revoked {_clock(row.revoked_ms)} by {row.revoked_by}" if row.revoked_ms else ""
    return f"{row.email}: granted {_clock(row.granted_ms)} by {row.granted_by}{taken}"


def still_open(platform: PlatformStanding, account_id: int, now_ms: int, *, can_ask: bool) -> list[str]:
    """What the proof of a thrown switch still waits for, as lines; *can_ask* = keys can be opened here."""
    accounts = [one for one in platform.accounts if account_id in (0, one.account_id)]
    switches = accounts[0].switches if account_id and accounts else platform.switches
    lines = [f"  open: {order_line(row)}" for one in accounts for row in one.open_rows]
    if switches.flatten:
        lines += [f"  account {one.account_id} holds {one.position_qty:f}" for one in accounts if one.position_qty]
    left_s = (switches.switched_ms + PROOF_MS - now_ms) / 1000
    if left_s > 0:
        lines.append(f"  the venue's clock: {left_s:.0f} s to go")
    rows = [row for one in accounts for row in one.open_rows]
    if not platform.trader_alive:
        lines.append(_down(is_flatten=switches.flatten, is_open=bool(rows), can_ask=can_ask))
    if any(row.state is OrderState.NEEDS_HUMAN for row in rows):
        lines.append("  a person must settle an order first, see `needs-human`")
    return lines or ["  nothing is open; the venue is being asked"]


def _down(*, is_flatten: bool, is_open: bool, can_ask: bool) -> str:
    if is_flatten:
        return "  the trader is not running: entries stay off, but only a running trader closes and proves that it did"
    if not is_open:
        return "  the trader is not running"
    asked = "the exchange is asked from here" if can_ask else "open orders wait for it, or for ENCRYPTION_KEY here"
    return f"  the trader is not running: {asked}"


def not_looked_at(unseen: Mapping[int, Reason]) -> list[str]:
    """Whose orders at the venue could not be looked through, and why."""
    return [
        f"  account {number}: its orders could not be looked through: {said(why, 'en')}"
        for number, why in unseen.items()
    ]


def without_a_key(unseen: Iterable[int]) -> list[str]:
    """What is known where no key can be opened and nothing known is open: less than the proof, and it says so."""
    numbers = ", ".join(map(str, sorted(unseen)))
    return [
        "everything known here has ended: no order is open by our books, and nothing sent before can still be accepted",
        f"not looked at, for want of a key: whether the venue has an order our database lost (account {numbers})",
    ]


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _date(at_ms: int) -> str:
    # a lock only a person ends has no date worth printing
    return "a person ends it" if at_ms > 4_000_000_000_000 else _clock(at_ms)
