"""
`make audit`: known holes in what is locked, its licences, a bill of materials, and secrets in the tree or its history.

    python -m tests.audit [--advisories FOLDER] [--to FOLDER]

The advisories are a copy of the PyPA's database (a git clone, also a bare one), from ADVISORIES or --advisories;
without one it is cloned into ~/.cache/maemae/advisories where the network allows that, and where not this part says so
and counts as not done. --to writes the bill (sbom.cdx.json) and the list of licences. Exit status 1 for a hole, a
licence nobody looked at, or something that looks like a secret.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.audit.advisories import Advisories
from tests.audit.bill import bill
from tests.audit.leaks import leaks
from tests.audit.licences import licensed
from tests.audit.locked import ROOT, RUN, locked

SOURCE = "https://github.com/pypa/advisory-database"
KEPT = Path.home() / ".cache" / "maemae" / "advisories"


def say(line: str) -> None:
    """One line, now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def known_holes(given: Path | None) -> bool:
    """Say which known holes what is locked has; whether it has none."""
    copy = given or fetched()
    packages = locked()
    if copy is None:
        say(f"holes     NOT LOOKED FOR: no copy of {SOURCE} here (ADVISORIES=folder), and none can be cloned")
        return True
    advisories = Advisories(copy)
    found = advisories.holes(packages)
    for hole in found:
        say(f"holes     {hole.package.name} {hole.package.version}: {hole.id}, ends with {hole.fixed or 'no version'}")
    say(f"holes     {len(found)} in {len(packages)} locked packages, by advisories up to {advisories.day}")
    return not found


def fetched() -> Path | None:
    """The clone of the advisories, brought up to date; None where it cannot be had."""
    if KEPT.exists():
        command = ["git", "-C", str(KEPT), "pull", "-q", "--depth", "1"]
    else:
        command = ["git", "clone", "-q", "--depth", "1", SOURCE, str(KEPT)]
    env = os.environ | {"GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(command, stderr=subprocess.DEVNULL, env=env, timeout=300, check=False)
    return KEPT if done.returncode == 0 or (KEPT / ".git").exists() else None


def licences_and_bill(to: Path | None) -> bool:
    """Say which licences what is locked has, and write them and the bill; whether all are known."""
    everything = licensed(locked())
    odd = [one for one in everything if not one.is_fine]
    for one in odd:
        say(f"licences  {one.package.name} {one.package.version}: {one.licence}: LOOK AT IT")
    kinds = Counter(one.licence for one in everything)
    say(f"licences  {', '.join(f'{count} {name}' for name, count in kinds.most_common(6))} and {len(kinds) - 6} more")
    runs = licensed(locked(*RUN))
    if to is not None:
        to.mkdir(parents=True, exist_ok=True)
        (to / "sbom.cdx.json").write_text(bill(runs), "utf-8")
        lines = (f"{one.package.name} {one.package.version}: {one.licence}\n" for one in everything)
        (to / "licences.txt").write_text("".join(lines), "utf-8")
        say(f"bill      {len(runs)} components in {to / 'sbom.cdx.json'}, licences in {to / 'licences.txt'}")
    return not odd


def no_leaks() -> bool:
    """Say what looks like a secret; whether nothing does."""
    found = leaks(ROOT)
    for leak in found:
        say(f"secrets   {leak.path}: looks like {leak.kind} ({leak.mark})")
    say(f"secrets   {len(found)} in the tree and every commit")
    return not found


def main() -> int:
    """All of it; 1 when something is to be done."""
    parser = argparse.ArgumentParser(prog="python -m tests.audit", description=(__doc__ or "").strip().split("\n")[0])
    parser.add_argument("--advisories", type=Path, default=os.environ.get("ADVISORIES"))
    parser.add_argument("--to", type=Path)
    asked = parser.parse_args()
    given = Path(asked.advisories) if asked.advisories else None
    return int(not all([known_holes(given), licences_and_bill(asked.to), no_leaks()]))


if __name__ == "__main__":
    raise SystemExit(main())
