"""
What a preflight leaves on the disk: the journal of what it is about to send, and the evidence of what it was answered.

A line of the journal is on the disk before the order's bytes leave. Both files are their owner's alone; neither holds a
key, a uid, an address.
"""

import json
import os
from collections.abc import Collection
from dataclasses import asdict
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from lib.adapters.bybit.rest.recording import Heard, anonymous, blanked
from lib.adapters.private_files import FILE_MODE, private_folder
from lib.domain import reason_codes as codes
from lib.domain.account import Venue
from lib.domain.errors import Retry
from lib.domain.position import Side
from lib.domain.preflight import Card, Intent, PreflightRun
from lib.ports.preflight import Evidence, Journal

FORMAT = 1


def journal_name(venue: Venue, uid: str) -> str:
    """The journal of one account, whichever of its keys is used; the name tells nobody's uid."""
    return f"journal-{venue}-{sha256(f'{venue} {uid}'.encode()).hexdigest()[:16]}.jsonl"


class JournalFile(Journal):
    """
    `lib.ports.preflight.Journal` as lines of JSON at *path*; *earlier* are journals the account had under another name.
    """

    def __init__(self, path: Path, *earlier: Path) -> None:
        self._path, self._earlier = path, earlier

    def unfinished(self) -> list[Intent]:
        rows = [json.loads(line) for path in (*self._earlier, self._path) for line in _lines(path)]
        over = {row["finished"] for row in rows if "finished" in row}
        left = [_intent(row) for row in rows if "link" in row and row["run_ms"] not in over]
        return sorted(left, key=lambda intent: intent.run_ms)

    def intend(self, intent: Intent) -> None:
        self._append({**asdict(intent), "qty": str(intent.qty)})

    def finished(self, run_ms: int) -> None:
        self._append({"finished": run_ms})

    def _append(self, row: dict[str, Any]) -> None:
        private_folder(self._path.parent)
        begun = self._path.exists() and self._path.stat().st_size > 0
        torn = begun and not self._path.read_bytes().endswith(b"\n")
        handle = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, FILE_MODE)
        try:
            os.write(handle, (("\n" if torn else "") + json.dumps(row) + "\n").encode())
            os.fsync(handle)
        finally:
            os.close(handle)


class UnknownJournal(Journal):
    """The journal while nobody can tell whose account it is: what was left open is not known, and nothing is sent."""

    def unfinished(self) -> list[Intent]:
        raise Retry(codes.CARD_END_UNKNOWN())

    def intend(self, intent: Intent) -> None:
        raise Retry(codes.CARD_END_UNKNOWN())

    def finished(self, run_ms: int) -> None:
        raise Retry(codes.CARD_END_UNKNOWN())


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")  # a torn last line was never sent
    return [line for line in whole.split("\n") if line]


def _intent(row: dict[str, Any]) -> Intent:
    side: Side = "buy" if row["side"] == "buy" else "sell"
    return Intent(
        row["link"], row["symbol"], side, Decimal(row["qty"]), bool(row["reduce_only"]), row["run_ms"], row["signed_ts"]
    )


class EvidenceFile(Evidence):
    """`lib.ports.preflight.Evidence` in *folder*; *secrets* stand in nothing that is saved."""

    def __init__(self, folder: Path, secrets: Collection[str]) -> None:
        self._folder, self._secrets = folder, secrets
        self._card: Card | None = None
        self._heard: list[tuple[Card | None, Heard]] = []

    def heard(self, exchange: Heard) -> None:
        """Keep *exchange* for the card whose turn it is."""
        self._heard.append((self._card, exchange))

    def turn_to(self, card: Card | None) -> None:
        self._card = card

    def save(self, run: PreflightRun) -> str:
        folder = private_folder(self._folder)
        name = f"{run.venue}-{run.started_ms}.json"
        text = json.dumps(self._told(run), ensure_ascii=False, indent=1)
        handle = os.open(folder / name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, FILE_MODE)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        return name

    def _told(self, run: PreflightRun) -> dict[str, Any]:
        secrets = {*self._secrets, run.uid}
        # what a card got may quote the venue, which quotes keys and addresses back
        cards = [
            {"card": row.card.value, "passed": row.passed, "got": blanked(str(row.got), secrets)} for row in run.results
        ]
        return {
            "format": FORMAT,
            "venue": run.venue,
            "host": run.host,
            "version": run.version,
            "symbol": run.symbol,
            "started_ms": run.started_ms,
            "cards": cards,
            "exchanges": [_exchange(card, heard, secrets) for card, heard in self._heard],
        }


def _exchange(card: Card | None, heard: Heard, secrets: Collection[str]) -> dict[str, Any]:
    return {
        "card": card.value if card else "",
        "method": heard.method,
        "path": heard.path,
        "query": anonymous(heard.query, secrets),
        "request": anonymous(heard.request, secrets),
        "status": heard.status,
        "answer": anonymous(heard.answer, secrets),
        "began_ms": heard.began_ms,
        "ended_ms": heard.ended_ms,
    }
