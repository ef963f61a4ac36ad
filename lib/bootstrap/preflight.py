"""
The acceptance cards, wired to one venue: the trader's own signed client, every exchange heard, the journal on the disk.

A signed request goes to the venue's own host or to this machine, and nowhere else.
"""

import asyncio
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lib.accounts.key_gate import uid_of_key
from lib.adapters.bybit.rest.preflight_venue import BybitPreflightVenue
from lib.adapters.bybit.rest.recording import RecordingTransport
from lib.adapters.bybit.rest.transport import AiohttpTransport, open_session
from lib.adapters.preflight_files import EvidenceFile, JournalFile
from lib.adapters.sql.forms.real_caps import SqlPreflightBook
from lib.bootstrap import stores
from lib.clock import Clock, SystemClock
from lib.domain.account import Venue
from lib.domain.api_key import ApiKey
from lib.domain.bybit_sites import SITES
from lib.domain.errors import Halt
from lib.domain.preflight import PreflightRun
from lib.log import hide
from lib.preflight.context import Preflight
from lib.preflight.run import MayTrade, Told, run_preflight
from lib.settings import VERSION, Settings

NOBODY = "0"
"""The installation in ids of a preflight where none is set yet."""


@dataclass(frozen=True, slots=True)
class PreflightWish:
    """What to examine: the account of *key* at *venue*; *url* "" = the venue's own."""

    venue: Venue
    symbol: str
    key: ApiKey
    url: str = ""


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


async def preflight(
    settings: Settings, wish: PreflightWish, told: Told, may_trade: MayTrade, clock: Clock | None = None
) -> tuple[PreflightRun, Path]:
    """Ask the cards; the run, and the file with its evidence."""
    url, clock, key = preflight_url(settings, wish), clock or SystemClock(), wish.key
    folder, uid = preflight_folder(settings), uid_of_key(key)
    evidence = EvidenceFile(folder, (key.api_key, key.api_secret))
    with hide(key.api_key, key.api_secret):
        async with open_session() as session:
            transport = RecordingTransport(AiohttpTransport(url, session), evidence.heard, clock.now_ms)
            examined = Preflight(
                venue=wish.venue,
                symbol=wish.symbol,
                at=BybitPreflightVenue(url, uid, key, transport, clock),
                journal=JournalFile(folder / f"journal-{wish.venue}-{uid[-12:]}.jsonl"),
                evidence=evidence,
                clock=clock,
                installation=settings.installation or NOBODY,
                version=VERSION,
            )
            run, name = await run_preflight(examined, told, may_trade)
    if settings.database_url:
        await asyncio.to_thread(_keep, settings, run, name)
    return run, folder / name


def _keep(settings: Settings, run: PreflightRun, evidence: str) -> None:
    """Write *run* down for the gates before real money."""
    engine = stores.database(settings)
    try:
        SqlPreflightBook(engine).keep(run, evidence)
    finally:
        engine.dispose()
