"""What is locked: names, versions and hashes of the requirements files, without asking anybody."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN, DEVELOP = (
    ("requirements.txt",),
    ("requirements-dev.txt", "requirements-grid.txt", "requirements-install.txt", "requirements-llama.txt"),
)
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[\w,.-]+\])?==([\w.+!-]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Locked:
    """One pinned package; *hashes* are the sha256 of its files."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        """The package's address as bills of materials write it."""
        return f"pkg:pypi/{self.name}@{self.version}"


def normal(name: str) -> str:
    """The one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(*files: str) -> list[Locked]:
    """Every package of *files* (default: all), by name; in two versions where two Pythons or systems want them."""
    found = {one.purl: one for file in files or (*RUN, *DEVELOP) for one in _of(ROOT / file)}
    return [found[purl] for purl in sorted(found)]


def _of(path: Path) -> Iterator[Locked]:
    for entry in re.split(r"\n(?=[A-Za-z0-9])", path.read_text("utf-8")):
        if pinned := _PIN.match(entry):
            yield Locked(normal(pinned[1]), pinned[2], tuple(_HASH.findall(entry)))
