"""
The acceptance cards, wired to one venue: the trader's own signed client, every exchange heard, the journal on the disk.

A signed request goes to the venue's own host or to this machine, and nowhere else. One preflight of an account runs
at a time on this machine: a second would close what the first has open. The journal is the account's, whichever of its
keys is used.
"""

import asyncio
import fcntl
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from lib.accounts.key_gate import uid_of_key
from lib.adapters.bybit.rest.preflight_venue import BybitPreflightVenue
from lib.adapters.bybit.rest.recording import RecordingTransport
from lib.adapters.bybit.rest.transport import AiohttpTransport, open_session
from lib.adapters.preflight_files import EvidenceFile, JournalFile, UnknownJournal, journal_name
from lib.adapters.private_files import private_folder
from lib.adapters.sql.forms.real_caps import SqlPreflightBook
from lib.adapters.sql.recovery.seals import SealedKey, keys_in_use
from lib.adapters.sql.tables.people import accounts
from lib.adapters.vault import VaultOpener
from lib.bootstrap import stores
from lib.clock import Clock, SystemClock
from lib.domain.account import Venue
from lib.domain.api_key import ApiKey
from lib.domain.bybit_sites import SITES
from lib.domain.errors import Halt, Pause, Retry
from lib.domain.preflight import PreflightRun
from lib.domain.venues import CAPABILITIES
from lib.log import hide
from lib.ports.preflight import Journal, NotOffered, PreflightVenue
from lib.preflight.context import Preflight
from lib.preflight.run import MayTrade, Told, run_preflight
from lib.reason_text import told as said
from lib.settings import VERSION, Settings

NOBODY = "0"
"""The installation in ids of a preflight where none is set yet."""


@dataclass(frozen=True, slots=True)
class PreflightWish:
    """
    What to examine: the account of *key* at *venue*; *url* "" = the venue's own. *account_id* and *uid* are those of an
    account of this deployment whose sealed key it is, 0 and "" = a key that was typed.
    """

    venue: Venue
    symbol: str
    key: ApiKey = field(repr=False)
    url: str = ""
    account_id: int = 0
    uid: str = ""


def real_accounts(settings: Settings) -> list[int]:
    """Accounts in use on a venue with real money, by number."""
    real = [venue for venue, row in CAPABILITIES.items() if row.has_real_money]
    return [row.account_id for row in _sealed(settings, accounts.c.venue.in_(real))]


def sealed_wish(settings: Settings, account_id: int, symbol: str, url: str = "") -> PreflightWish:
    """
    The account *account_id* by the key that is sealed here; it needs ENCRYPTION_KEY, which no web has.

    *Halt* where there is no such account in use, or its key does not open here.
    """
    settings.require("ENCRYPTION_KEY")
    for row in _sealed(settings, accounts.c.id == account_id):
        try:
            key = VaultOpener(settings.key_ring).open(row.sealed, row.context)
        except Pause as closed:
            raise Halt(f"the key of account {account_id} does not open here: {said(closed, 'en')}") from None
        return PreflightWish(row.context.venue, symbol, key, url, account_id, row.context.uid)
    raise Halt(f"account {account_id} is not in use here, or has no key")


def _sealed(settings: Settings, which: sa.ColumnElement[bool]) -> list[SealedKey]:
    engine = stores.database(settings)
    try:
        with engine.connect() as connection:
            return keys_in_use(connection, which)
    finally:
        engine.dispose()


def preflight_url(settings: Settings, wish: PreflightWish) -> str:
    """Where the cards are asked; *Halt* for a URL that is neither the venue's nor of this machine."""
    if not wish.url:
        own: dict[Venue, str] = {**SITES[settings.bybit_site].rest_urls, "paper": settings.paper_api_url}
        return own[wish.venue]
    host = urlsplit(wish.url).hostname or ""
    if wish.url.startswith("http://") and _is_here(host):
        return wish.url.rstrip("/")
    raise Halt("URL may only name a simulator on this machine: http://127.0.0.1:PORT")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def preflight_folder(settings: Settings) -> Path:
    """Where evidence and journals lie."""
    return settings.data_dir / "preflight"


async def ask_preflight(
    settings: Settings, wish: PreflightWish, told: Told, may_trade: MayTrade, clock: Clock | None = None
) -> tuple[PreflightRun, Path]:
    """Ask the cards; the run, and the file with its evidence."""
    url, clock, key = preflight_url(settings, wish), clock or SystemClock(), wish.key
    folder, uid = preflight_folder(settings), wish.uid or uid_of_key(key)
    evidence = EvidenceFile(folder, (key.api_key, key.api_secret, wish.uid))
    with hide(key.api_key, key.api_secret):
        async with open_session() as session:
            transport = RecordingTransport(AiohttpTransport(url, session), evidence.heard, clock.now_ms)

            def venue() -> BybitPreflightVenue:
                return BybitPreflightVenue(url, uid, key, transport, clock)

            # asked by a client of its own: what it is refused shall not keep the cards from asking for themselves
            with _journal(folder, wish, await _owner(venue(), wish)) as journal:
                examined = Preflight(
                    venue=wish.venue,
                    symbol=wish.symbol,
                    at=venue(),
                    journal=journal,
                    evidence=evidence,
                    clock=clock,
                    installation=settings.installation or NOBODY,
                    version=VERSION,
                )
                run, name = await run_preflight(examined, told, may_trade)
    if settings.database_url:
        await asyncio.to_thread(_keep, settings, run, name)
    return run, folder / name


async def _owner(at: PreflightVenue, wish: PreflightWish) -> str:
    """The account's uid as the venue tells it, else what stands for it; "" = nobody can tell now."""
    try:
        return (await at.key_info()).uid
    except NotOffered:
        return at.uid
    except (Retry, Pause):
        return wish.uid


@contextmanager
def _journal(folder: Path, wish: PreflightWish, uid: str) -> Iterator[Journal]:
    """The account's journal, held for as long as the block; *Halt* while another preflight of the account holds it."""
    if not uid:
        yield UnknownJournal()
        return
    by_key, name = uid_of_key(wish.key), journal_name(wish.venue, uid)
    earlier = {f"journal-{wish.venue}-{by_key[-12:]}.jsonl", journal_name(wish.venue, by_key)} - {name}
    with (private_folder(folder) / f"{name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Halt("another preflight of this account is under way") from None
        yield JournalFile(folder / name, *(folder / other for other in sorted(earlier)))


def _keep(settings: Settings, run: PreflightRun, evidence: str) -> None:
    """Write *run* down for the gates before real money."""
    engine = stores.database(settings)
    try:
        SqlPreflightBook(engine).keep(run, evidence)
    finally:
        engine.dispose()
