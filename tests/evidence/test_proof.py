"""A share of `make evidence-proof`: the same claims, on few runs, each beside its bound."""

import subprocess
import sys

import pytest

from bench.evidence_proof import claims
from bench.evidence_proof.claims import Claim, Part


@pytest.mark.parametrize(
    ("part", "runs"),
    [
        (claims.anytime_coverage, 300),
        (claims.anytime_pairs, 60),
        (claims.ladder, 60),
        (claims.planted_edge, 60),
        (claims.no_winner, 15),
        (claims.arena_of_coins, 15),
        (claims.arena_of_one, 100),
        (claims.pages, 10),
        (claims.searches, 20),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_share_of_the_proof_holds(part: Part, runs: int) -> None:
    assert [str(claim) for claim in part(runs) if not claim.holds] == []


def test_a_broken_bound_says_so() -> None:
    assert "BROKEN" in str(Claim("named", 0.06, 0.05, True, 1))
    assert "BROKEN" in str(Claim("covered", 0.93, 0.94, False, 1))
    assert "ok" in str(Claim("covered", 0.94, 0.94, False, 1))


def test_nobody_pays_for_statistics_before_asking_for_them() -> None:
    asked = "import sys, lib.evidence.verdict, lib.evidence.comparing, lib.evidence.calibration"
    heavy = "[name for name in ('arch', 'scipy', 'statsmodels', 'pandas') if name in sys.modules]"
    told = subprocess.run(
        [sys.executable, "-c", f"{asked}; print({heavy})"], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
