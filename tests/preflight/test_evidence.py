"""
Evidence is anonymous, and a conformance test: the cards asked again of what was answered say the same.

The file of this folder was made by `python -m tests.preflight.test_evidence` against the simulator; one made against a
real venue is put beside it and is replayed as well.
"""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lib.adapters.bybit.rest.recording import anonymous
from lib.adapters.bybit.rest.transport import Transport
from lib.adapters.preflight_files import EvidenceFile
from lib.clock import SteppedClock
from lib.domain import reason_codes as codes
from lib.domain.api_key import ApiKey
from lib.domain.preflight import ORDER_CARDS, READ_CARDS, Card, CardResult, PreflightRun
from tests.contract.exchange_worlds import in_process
from tests.preflight.conftest import Scene
from tests.worlds.examined import Examined

FOLDER = Path(__file__).with_name("evidence")
FILES = sorted(FOLDER.glob("*.json"))


class Replayed(Transport):
    """Answers as *evidence* was answered, in its order; a request that was not made then is an AssertionError."""

    def __init__(self, evidence: Mapping[str, Any], clock: SteppedClock) -> None:
        self._left = list(evidence["exchanges"])
        self._clock = clock

    async def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        known = self._left.pop(0)
        asked = json.loads(body) if body else ""
        assert (method, path, query, asked) == (known["method"], known["path"], known["query"], known["request"])
        self._clock.advance_to(known["ended_ms"])
        return known["status"], {}, json.dumps(known["answer"]).encode()

    @property
    def is_over(self) -> bool:
        return not self._left


def test_there_is_evidence_to_replay() -> None:
    assert FILES


@pytest.mark.parametrize("evidence", [json.loads(file.read_text("utf-8")) for file in FILES], ids=lambda of: of["host"])
async def test_the_cards_asked_of_recorded_answers_say_the_same(evidence: dict[str, Any], tmp_path: Path) -> None:
    clock = SteppedClock(evidence["started_ms"])
    transport, venue = Replayed(evidence, clock), evidence["venue"]
    run = await Examined(transport, clock, ApiKey("k" * 18, "s" * 36), tmp_path, venue).run()
    assert [{"card": r.card.value, "passed": r.passed, "got": str(r.got)} for r in run.results] == evidence["cards"]
    assert transport.is_over


async def test_evidence_holds_every_exchange_and_nobody(scene: Scene) -> None:
    run = await scene.examined().run()
    text = (scene.folder / f"testnet-{run.started_ms}.json").read_text("utf-8")
    evidence = json.loads(text)
    [key] = scene.account.keys
    for secret in (key.key, key.secret, str(scene.account.uid), "127.0.0.1"):
        assert secret not in text
    assert {row["card"] for row in evidence["exchanges"]} >= {card.value for card in (*READ_CARDS, *ORDER_CARDS)}
    assert "X-BAPI" not in text


def test_what_the_venue_quotes_in_a_result_is_blanked_as_well(tmp_path: Path) -> None:
    """Its answer to a wrong signature holds the key."""
    quoted = codes.CARD_ORDER_REFUSED(said="error sign! origin_string[1700000000000verysecretkey5000] from 203.0.113.7")
    run = PreflightRun("mainnet", "1234567", "h", "v", "S", 1, (CardResult(Card.ENTRY, False, quoted),))
    text = (tmp_path / EvidenceFile(tmp_path, ("verysecretkey",)).save(run)).read_text("utf-8")
    assert "error sign!" in text
    assert not any(secret in text for secret in ("verysecretkey", "203.0.113.7"))


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    asyncio.run(_make(tmp_path))
    [made] = tmp_path.glob("*.json")
    assert made.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"userID": 7, "note": "mine", "ips": ["203.0.113.7", "*"]}', {"userID": 0, "note": "0", "ips": ["0", "*"]}),
        ('{"retMsg": "from 203.0.113.7 by a.b@c.de", "n": 1.5}', {"retMsg": "from 0 by 0", "n": 1.5}),
        ("<html>203.0.113.7 topsecret</html>", "<html>0 0</html>"),
        ("2001:db8:0:0:0:0:0:1 told", "0 told"),
        ("", ""),
    ],
)
def test_what_names_somebody_is_blanked(text: str, kept: object) -> None:
    assert anonymous(text, ("topsecret",)) == kept


async def _make(folder: Path) -> None:
    async with in_process() as world:
        [account] = world.engine.accounts.values()
        account.keys[0].permissions = {"ContractTrade": ["Order", "Position"]}
        account.keys[0].ips = ["127.0.0.1"]
        await Examined(world.transport, world.clock, world.key, folder).run()


def main() -> None:
    """Make the evidence of this folder anew, against the simulator."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_make(Path(folder)))
        [made] = Path(folder).glob("*.json")
        (FOLDER / "simulator.json").write_text(made.read_text("utf-8"), "utf-8")


if __name__ == "__main__":
    main()
