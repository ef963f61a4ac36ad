"""A preflight of the simulated exchange, in process, on a stepped clock."""

from dataclasses import dataclass, field
from pathlib import Path

from lib.adapters.bybit.rest.preflight_venue import BybitPreflightVenue
from lib.adapters.bybit.rest.recording import RecordingTransport
from lib.adapters.bybit.rest.transport import Transport
from lib.adapters.preflight_files import EvidenceFile, JournalFile
from lib.clock import Clock
from lib.domain.account import Venue
from lib.domain.api_key import ApiKey
from lib.domain.preflight import Card, CardResult, PreflightRun
from lib.preflight.context import Preflight
from lib.preflight.run import run_preflight
from tests.factories import INSTALLATION, SYMBOL

AT_BYBIT = {
    "demo": "https://api-demo.bybit.com",
    "testnet": "https://api-testnet.bybit.com",
    "mainnet": "https://api.bybit.com",
}


@dataclass
class Examined:
    """One preflight and what it said; *url* names the venue, whatever answers behind *transport*."""

    transport: Transport
    clock: Clock
    key: ApiKey
    folder: Path
    venue: Venue = "testnet"
    told: list[CardResult] = field(default_factory=list)

    def preflight(self) -> Preflight:
        evidence = EvidenceFile(self.folder, (self.key.api_key, self.key.api_secret))
        heard = RecordingTransport(self.transport, evidence.heard, self.clock.now_ms)
        url = AT_BYBIT.get(self.venue, "http://paper.test")
        return Preflight(
            venue=self.venue,
            symbol=SYMBOL,
            at=BybitPreflightVenue(url, "key-unknown", self.key, heard, self.clock),
            journal=JournalFile(self.folder / "journal.jsonl"),
            evidence=evidence,
            clock=self.clock,
            installation=INSTALLATION,
            version="test",
        )

    async def run(self, *, trade: bool = True) -> PreflightRun:
        """Every card, the order cards with *trade*."""
        run, _ = await run_preflight(self.preflight(), self.told.append, lambda: trade)
        return run


def got(run: PreflightRun, card: Card) -> CardResult:
    """The result of *card*."""
    [result] = [row for row in run.results if row.card is card]
    return result
