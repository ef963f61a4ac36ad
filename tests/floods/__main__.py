"""`python -m tests.floods [NAME…]`: the worst wait of another person and the memory, flood by flood."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.floods.attacks import ATTACKS, STRANGER, Attack, under
from tests.worlds.flooded import ANOTHER, Waits, Web, asking, web


async def measured(attack: Attack | None, made: Web, source: str) -> tuple[Waits, float]:
    """What another person waits in about fifteen seconds of *attack*, and the most memory seen."""
    waits, memory = Waits(), 0.0
    if attack is None:
        await asking(made, waits, 30, 0.05)
        return waits, made.memory_mb()
    with under(attack, made, source):
        for _ in range(30):
            await asking(made, waits, 1, 0.4)
            memory = max(memory, made.memory_mb())
    return waits, memory


def main() -> None:
    """Every flood against a web of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--same-address", action="store_true", help="the other person asks from the flood's address")
    given = parser.parse_args()
    source = ANOTHER if given.same_address else STRANGER
    wanted = [None, *(attack for attack in ATTACKS if not given.names or attack.__name__ in given.names)]
    for attack in wanted:
        with tempfile.TemporaryDirectory() as folder, web(Path(folder)) as made:
            waits, memory = asyncio.run(measured(attack, made, source))
        name = attack.__name__ if attack else "nobody"
        worst = "  ".join(f"{what} {max(took) * 1000:5.0f}" for what, took in waits.seconds.items())
        sys.stdout.write(
            f"{name:18} worst ms: {worst}   memory {memory:4.0f} MB   failed {len(waits.failed)} {waits.failed[:3]}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
