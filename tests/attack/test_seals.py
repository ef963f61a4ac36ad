"""Who can write to the database and cannot open a seal gains nothing by moving seals about."""

from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import pytest
import sqlalchemy as sa

from lib.adapters.bybit.limits.limiter import LocalLimiter
from lib.adapters.bybit.rest.exchanges import BybitExchanges
from lib.adapters.bybit.rest.transport import Transport
from lib.adapters.sql.ledger.ledger import SqlLedger
from lib.adapters.sql.tables.people import account_symbols, accounts, credentials, symbols, users
from lib.adapters.vault import VaultOpener, VaultSealer, generate_keys
from lib.clock import SystemClock
from lib.domain.account_records import TraderAccount
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.errors import Pause

BOOKS = (
    "start_balance",
    "realised",
    "fees",
    "funding",
    "peak_equity",
)
PEOPLE = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Held:
    """A database with three people's sealed keys, and what the trader opens them by."""

    engine: sa.Engine
    opener: VaultOpener
    exchanges: BybitExchanges

    async def account(self, number: int) -> TraderAccount:
        ledger = SqlLedger(self.engine, installation="here")
        [found] = [one for one in await ledger.accounts() if one.account_id == number]
        ledger.close()
        return found

    async def opens(self, number: int) -> str:
        """The key the trader would trade that account by; "" = the account pauses."""
        account = await self.account(number)
        try:
            self.exchanges.open(account)
        except Pause:
            return ""
        context = SealContext(account.user_id, account.venue, account.uid, account.key_version)
        return self.opener.open(account.sealed_key, context).api_key


@pytest.fixture(params=["sqlite", "mariadb"])
def held(request: pytest.FixtureRequest) -> Held:
    engine: sa.Engine = request.getfixturevalue(f"{request.param}_engine")
    private, public = generate_keys()
    sealer, opener = VaultSealer(public), VaultOpener([private])
    with engine.begin() as connection:
        connection.execute(sa.insert(symbols).values(symbol_no=1, symbol="BTCUSDT"))
        for number in PEOPLE:
            books = dict.fromkeys(BOOKS, Decimal(0))
            of = {"user_id": number, "venue": "paper", "feed": "synthetic", "uid": f"uid{number}", "symbol_no": 1}
            connection.execute(
                sa.insert(users).values(
                    id=number, email=f"p{number}@example.com", password_hash="!", auto_trade_enabled=True
                )
            )
            connection.execute(sa.insert(accounts).values(of | books | {"id": number}))
            connection.execute(sa.insert(account_symbols).values(account_id=number, symbol_no=1))
            sealed = sealer.seal(
                ApiKey(f"the-key-of-{number}", "s" * 36), SealContext(number, "paper", f"uid{number}", 1)
            )
            connection.execute(sa.insert(credentials).values(account_id=number, sealed=sealed, last4="1234"))

    def transport_for(url: str) -> Transport:
        return cast("Transport", None)  # nothing is asked here

    clock = SystemClock()
    exchanges = BybitExchanges(opener, {"paper": "http://127.0.0.1:9"}, transport_for, clock, _Limits())
    return Held(engine, opener, exchanges)


class _Limits:
    def at(self, url: str) -> LocalLimiter:
        return LocalLimiter(SystemClock())


def write(held: Held, *statements: sa.Update) -> None:
    with held.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def sealed(held: Held, number: int) -> str:
    with held.engine.connect() as connection:
        query = sa.select(credentials.c.sealed).where(credentials.c.account_id == number)
        return str(connection.scalar(query))


async def test_each_account_is_opened_by_its_own_seal(held: Held) -> None:
    assert [await held.opens(number) for number in PEOPLE] == [f"the-key-of-{number}" for number in PEOPLE]


@pytest.mark.parametrize(("mine", "theirs"), [(1, 2), (2, 1), (1, 3)])
async def test_anothers_seal_in_my_row_pauses_my_account_and_opens_nothing(held: Held, mine: int, theirs: int) -> None:
    mine_sealed, theirs_sealed = sealed(held, mine), sealed(held, theirs)
    write(held, sa.update(credentials).where(credentials.c.account_id == mine).values(sealed=theirs_sealed))
    assert await held.opens(mine) == ""
    assert await held.opens(theirs) == f"the-key-of-{theirs}"
    write(held, sa.update(credentials).where(credentials.c.account_id == theirs).values(sealed=mine_sealed))
    assert [await held.opens(number) for number in (mine, theirs)] == ["", ""], "swapped, neither opens"


@pytest.mark.parametrize(
    "changed",
    [{"uid": "uid9"}, {"venue": "demo"}, {"user_id": 3}, {"key_version": 2}],
    ids=["another uid", "another venue", "another person", "another version"],
)
async def test_a_row_that_says_it_is_anothers_has_no_key(held: Held, changed: dict[str, object]) -> None:
    """Whoever bends the account's row to look like theirs has bent what the seal is bound to."""
    write(held, sa.update(accounts).where(accounts.c.id == 1).values(changed))
    if "key_version" in changed:
        write(held, sa.update(credentials).where(credentials.c.account_id == 1).values(key_version=2))
    assert await held.opens(1) == ""


async def test_a_seal_of_another_pair_opens_nothing(held: Held) -> None:
    _, strange = generate_keys()
    forged = VaultSealer(strange).seal(ApiKey("a-strangers-key", "s" * 36), SealContext(1, "paper", "uid1", 1))
    write(held, sa.update(credentials).where(credentials.c.account_id == 1).values(sealed=forged))
    assert await held.opens(1) == ""
