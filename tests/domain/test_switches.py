"""Whatever owner and operators throw in whatever order: nobody takes the other's stop back."""

from hypothesis import given
from hypothesis import strategies as st

from lib.domain.switches import AccountStop, Flags, after_throw

GO = Flags(trading_enabled=True, flatten=False)
THROWS = st.sampled_from([GO, Flags(False, flatten=False), Flags(False, flatten=True)])
WHO = st.sampled_from(["user:7", "cli:kim@desk", "operator:3"])


@given(st.lists(st.tuples(THROWS, WHO), max_size=12))
def test_trading_goes_on_only_once_whoever_stopped_it_has_allowed_it(throws: list[tuple[Flags, str]]) -> None:
    now, owner, operators = AccountStop(True, flatten=False), "", ""
    for flags, who in throws:
        if flags == GO and who == "user:7" and now.paused_by == "operator":
            continue  # refused before it is thrown: lib.adapters.sql.forms.keyring
        now = after_throw(now, flags, who)
        wish = "" if flags == GO else "close" if flags.flatten else "pause"
        if who == "user:7":
            owner = "close" if wish == "pause" and owner == "close" else wish
        else:
            operators = "close" if wish == "pause" and operators == "close" else wish
        assert now.trading_enabled is not bool(owner or operators)
        assert now.flatten is ("close" in (owner, operators))
        assert now.paused_by == ("operator" if operators else "owner" if owner else "")
        assert now.of_owner == owner
