"""What the operator reads: never "stopped" without a proof, what a stop waits for, no exchange uid in full."""

from dataclasses import replace
from decimal import Decimal

from lib.domain import reason_codes as codes
from lib.domain.locks import RiskLock
from lib.domain.order import OrderState
from lib.domain.reason import NOTHING
from lib.domain.reason import text as words
from lib.queries import PlatformStanding, Standing, Switches
from services.control_text import lock_line, not_looked_at, overview, still_open, switch_words, without_a_key
from tests.factories import T, order

ON = Switches(trading_enabled=True, flatten=False, switched_ms=0, proven_ms=0, why=NOTHING)
OFF = replace(ON, trading_enabled=False, switched_ms=T, why=codes.STOPPED_BY_OPERATOR())
CLOSING = replace(OFF, flatten=True)
ACCOUNT = Standing(7, "paper", "synthetic", "1234567", "BTCUSDT", True, Decimal("0.5"), ON, ON, (), (), ())


def platform(switches: Switches = ON, *accounts: Standing, alive: bool = True) -> PlatformStanding:
    return PlatformStanding(switches, (), alive, accounts)


def test_a_thrown_switch_is_called_stopped_only_with_its_proof() -> None:
    assert switch_words(ON, T) == "trading"
    for switches in (OFF, CLOSING):
        assert "not proved" in switch_words(switches, T + 5_000)
        assert "stopped" not in switch_words(replace(switches, why=NOTHING), T + 5_000)
        assert switch_words(replace(switches, proven_ms=T + 18_000), T).startswith(
            "stopped, proved 2025-10-09 08:55:18"
        )


def test_the_overview_shows_accounts_without_their_whole_uid() -> None:
    stuck = replace(ACCOUNT, open_rows=(order(state=OrderState.UNKNOWN),))
    text = "\n".join(overview(platform(OFF, stuck, alive=False), T))
    assert "account 7" in text
    assert "…567" in text
    assert "1234567" not in text
    assert "UNKNOWN" in text
    assert "NOT RUNNING" in text


def test_what_a_stop_waits_for_is_named() -> None:
    stuck = replace(ACCOUNT, switches=OFF, open_rows=(order(state=OrderState.NEEDS_HUMAN),))
    lines = "\n".join(still_open(platform(ON, stuck), 7, T + 2_000, can_ask=True))
    assert "NEEDS_HUMAN" in lines
    assert "15 s to go" in lines
    assert "needs-human" in lines
    assert "holds" not in lines, "a pause leaves the position"
    closing = still_open(platform(CLOSING, ACCOUNT, alive=False), 0, T + 60_000, can_ask=True)
    assert any("account 7 holds 0.5" in line for line in closing)
    assert any("only a running trader closes" in line for line in closing)
    quiet = still_open(platform(OFF, ACCOUNT), 0, T + 60_000, can_ask=True)
    assert quiet == ["  nothing is open; the venue is being asked"]


def test_without_a_trader_it_is_said_who_asks_about_an_open_order() -> None:
    stuck = platform(OFF, replace(ACCOUNT, open_rows=(order(state=OrderState.UNKNOWN),)), alive=False)
    assert "asked from here" in still_open(stuck, 0, T + 60_000, can_ask=True)[-1]
    assert "wait for it, or for ENCRYPTION_KEY" in still_open(stuck, 0, T + 60_000, can_ask=False)[-1]
    quiet = still_open(platform(OFF, ACCOUNT, alive=False), 0, T + 2_000, can_ask=False)
    assert quiet[-1] == "  the trader is not running", "no order is open"


def test_what_was_not_looked_at_is_never_called_stopped() -> None:
    lines = [*without_a_key([9, 7]), *not_looked_at({7: codes.KEY_EXPIRED()})]
    assert "account 7, 9" in lines[1]
    assert lines[2] == "  account 7: its orders could not be looked through: the API key has expired"
    assert not any("stopped" in line or "proved" in line for line in lines)


def test_a_lock_only_a_person_ends_has_no_date() -> None:
    assert "a person ends it" in lock_line(RiskLock(7, "drawdown", 253_402_300_799_000, words("why"), T))
    assert "2025-10-09" in lock_line(RiskLock(7, "entries", T, words("why"), T))
