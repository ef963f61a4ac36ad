"""
`make evidence-proof`: every promised figure beside its bound; exit 1 when one is broken. SHARE=0.1 is a tenth of it.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # before numpy: two processes share two cores

from bench.evidence_proof.claims import PROOF, Claim  # noqa: E402

LEAST_RUNS = 20


def part(place: int, runs: int) -> list[Claim]:
    """One part of the proof, in a process of its own."""
    return list(PROOF)[place](runs)


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.evidence_proof", description=(__doc__ or "").strip())
    parser.add_argument("--share", type=float, default=1.0, help="of the runs of each part")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    began, held = time.perf_counter(), True
    with ProcessPoolExecutor(asked.jobs) as pool:
        runs = [max(LEAST_RUNS, round(count * asked.share)) for count in PROOF.values()]
        for claims in pool.map(part, range(len(PROOF)), runs):
            for claim in claims:
                print(claim, flush=True)
                held &= claim.holds
    print(f"{'every bound holds' if held else 'a bound is BROKEN'}: {(time.perf_counter() - began) / 60:.1f} minutes")
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
