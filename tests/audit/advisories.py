"""
Known holes of locked versions, by a copy of the PyPA's advisory database on this machine: nobody learns what we run.

The copy is a git repository (with or without a work tree) of OSV files, `vulns/NAME/*.yaml`. What it does not know it
cannot say: its date is printed beside the answer.
"""

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.version import Version

from tests.audit.locked import Locked, normal


@dataclass(frozen=True, slots=True)
class Hole:
    """A known hole in a locked package; *fixed* = the versions that have it no more, "" = none is known."""

    package: Locked
    id: str
    fixed: str


@dataclass(frozen=True, slots=True)
class Advisories:
    """The copy in *folder*."""

    folder: Path

    @property
    def day(self) -> str:
        """The day of its newest change, YYYY-MM-DD."""
        return self._git("log", "-1", "--format=%cs").strip()

    def holes(self, packages: Sequence[Locked]) -> list[Hole]:
        """Every known hole in *packages*."""
        return [hole for package in packages for hole in self._of(package)]

    def _of(self, package: Locked) -> Iterator[Hole]:
        listed = self._git("ls-tree", "-r", "--name-only", "HEAD", f"vulns/{package.name}/")
        for path in listed.split():
            told = yaml.safe_load(self._git("show", f"HEAD:{path}"))
            if "withdrawn" not in told:
                yield from (Hole(package, told["id"], fixed) for fixed in hit(told, package))

    def _git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", str(self.folder), *words], capture_output=True, check=True)
        return done.stdout.decode("utf-8", "replace")


def hit(told: dict[str, Any], package: Locked) -> list[str]:
    """The versions that end each range of the advisory *told* that the locked version is in."""
    version, ends = Version(package.version), []
    for affected in told.get("affected", ()):
        if normal(affected["package"]["name"]) != package.name:
            continue
        ranges = [one for one in affected.get("ranges", ()) if one["type"] == "ECOSYSTEM"]
        inside = [_last(one["events"], version) for one in ranges]
        if package.version in map(str, affected.get("versions", ())) or any(end is not None for end in inside):
            ends.append(", ".join(filter(None, inside)))
    return ends


def _last(events: Sequence[dict[str, Any]], version: Version) -> str | None:
    """The version that ends the range *version* is in, "" = none does; None = it is in none."""
    began = False
    for event in events:
        [(kind, at)] = event.items()
        at = str(at)
        reached = at == "0" or version >= Version(at)
        if kind == "introduced":
            began = reached
        elif kind == "fixed" and began:
            if not reached:
                return at
            began = False
        elif kind == "last_affected" and began:
            if version <= Version(at):
                return ""
            began = False
    return "" if began else None
