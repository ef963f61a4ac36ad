"""Licences of what is installed here and locked: each must be one that this project, Apache 2.0, may be given with."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata

from tests.audit.locked import Locked, normal

FREE = (
    *("MIT", "MIT-0", "MIT-CMU", "BSD", "0BSD", "BSD-2-CLAUSE", "BSD-3-CLAUSE", "3-CLAUSE BSD", "APACHE", "APACHE-2.0"),
    *("APACHE SOFTWARE", "APACHE 2.0", "PSF-2.0", "PYTHON SOFTWARE FOUNDATION"),
    *("ISC", "ZLIB", "CC0-1.0", "UNLICENSE", "NCSA"),
)
"""Ask for nothing but their notice."""
AS_IT_IS = ("MPL-2.0", "MOZILLA PUBLIC LICENSE 2.0", "MOZILLA PUBLIC 2.0")
"""Want changes to their own files published; we change none."""
KNOWN = {"axe-playwright-python": "MIT", "ta-lib": "BSD-2-CLAUSE"}
"""Say nothing in their metadata; from their LICENSE files."""
REPLACEABLE = {"dramatiq": "GNU Lesser General Public License v3 or later (LGPLv3+)"}
"""Asks that whoever is given a work with it can put another in its place: it is a package of its own, unchanged."""


@dataclass(frozen=True, slots=True)
class Licensed:
    """A package with its licence as it says it; *is_fine* = we know that licence and may use it so."""

    package: Locked
    licence: str
    is_fine: bool


def licensed(packages: Iterable[Locked]) -> list[Licensed]:
    """The licences of *packages*; one that is not installed here (another system's) says so."""
    found = {normal(one.metadata["Name"]): one.metadata for one in metadata.distributions()}
    return [_of(package, found.get(package.name)) for package in packages]


def _of(package: Locked, said: "metadata.PackageMetadata | None") -> Licensed:
    if said is None:
        return Licensed(package, "not installed here", is_fine=True)
    licence = KNOWN.get(package.name) or _said(said)
    return Licensed(package, licence, is_fine(licence) or REPLACEABLE.get(package.name) == licence)


def _said(said: "metadata.PackageMetadata") -> str:
    if expression := "".join(said.get_all("License-Expression") or []):
        return expression
    classified = [one.split(" :: ")[-1] for one in said.get_all("Classifier") or [] if one.startswith("License ::")]
    return " OR ".join(classified) or "".join(said.get_all("License") or []).split("\n")[0][:60] or "says nothing"


def is_fine(licence: str) -> bool:
    """Whether every part of *licence* (one of the parts joined by OR) is one we know."""
    either = re.split(r"\s+OR\s+", licence)
    return any(all(_known(part) for part in re.split(r"\s+AND\s+", one)) for one in either)


def _known(name: str) -> bool:
    plain = re.sub(r"\s*\(.*\)|\s+LICEN[CS]E(?!\s)", "", name.upper()).strip()
    plain = re.sub(r"\s+LICENSE\s+", " ", plain)
    return plain in FREE or plain in AS_IT_IS or name.upper().strip("() ") in AS_IT_IS
