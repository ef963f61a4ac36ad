"""The audit finds what it is for, and says nothing of what is in order."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.audit.advisories import Advisories, hit
from tests.audit.bill import bill
from tests.audit.leaks import KINDS, leaks
from tests.audit.licences import is_fine, licensed
from tests.audit.locked import RUN, Locked, locked


def told(*events: dict[str, str], versions: tuple[str, ...] = ()) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}] if events else []
    return {
        "id": "X-1",
        "affected": [{"package": {"name": "Some_Thing"}, "ranges": ranges, "versions": list(versions)}],
    }


@pytest.mark.parametrize(
    ("version", "events", "ends"),
    [
        ("1.0", ({"introduced": "0"}, {"fixed": "1.1"}), ["1.1"]),
        ("1.1", ({"introduced": "0"}, {"fixed": "1.1"}), []),
        ("1.10", ({"introduced": "1.2"}, {"fixed": "1.9"}), []),
        ("2.0", ({"introduced": "0"}, {"fixed": "1.1"}, {"introduced": "2.0"}, {"fixed": "2.1"}), ["2.1"]),
        ("1.5", ({"introduced": "0"}, {"last_affected": "1.5"}), [""]),
        ("1.6", ({"introduced": "0"}, {"last_affected": "1.5"}), []),
        ("0.1", ({"introduced": "0"},), [""]),
    ],
)
def test_a_version_is_in_a_hole_until_the_fix(
    version: str, events: tuple[dict[str, str], ...], ends: list[str]
) -> None:
    assert hit(told(*events), Locked("some-thing", version, ())) == ends
    assert hit(told(*events), Locked("another", version, ())) == []


def test_a_version_that_is_named_is_affected() -> None:
    assert hit(told(versions=("1.0",)), Locked("some-thing", "1.0", ())) == [""]


def test_holes_are_found_in_a_copy_on_this_machine(tmp_path: Path) -> None:
    folder = tmp_path / "vulns" / "some-thing"
    folder.mkdir(parents=True)
    (folder / "X-1.yaml").write_text(json.dumps(told({"introduced": "0"}, {"fixed": "2"})))
    (folder / "X-2.yaml").write_text(json.dumps(told({"introduced": "0"}) | {"withdrawn": "2026-01-01"}))
    commit(tmp_path)
    found = Advisories(tmp_path).holes([Locked("some-thing", "1", ()), Locked("fine", "1", ())])
    assert [(hole.id, hole.fixed) for hole in found] == [("X-1", "2")]


def commit(folder: Path) -> None:
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "x")):
        who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def test_what_is_locked_is_read_whole() -> None:
    packages = {one.name: one for one in locked(*RUN)}
    assert packages["streamlit"].version.startswith("1.")
    assert all(one.hashes for one in packages.values())


@pytest.mark.parametrize(
    ("licence", "fine"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only", False),
        ("MIT AND AGPL-3.0", False),
        ("says nothing", False),
        ("Mozilla Public License 2.0 (MPL 2.0)", True),
        ("BSD License OR Apache Software License", True),
    ],
)
def test_a_licence_is_fine_when_every_part_of_one_choice_is(licence: str, fine: bool) -> None:
    assert is_fine(licence) is fine


def test_every_licence_of_what_is_locked_was_looked_at() -> None:
    assert [one for one in licensed(locked()) if not one.is_fine] == []


def test_a_bill_names_every_package_and_is_the_same_for_the_same_lock() -> None:
    parts = licensed(locked(*RUN))
    made = json.loads(bill(parts))
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.5")
    assert [one["purl"] for one in made["components"]] == [part.package.purl for part in parts]
    assert bill(parts) == bill(parts)


def test_a_secret_is_found_in_the_tree_and_in_a_commit_that_took_it_away(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("ENCRYPTION_KEY=" + "aB3" * 14 + "x=\n")
    commit(tmp_path)
    (tmp_path / "old.txt").write_text("nothing\n")
    commit(tmp_path)
    (tmp_path / "new.env").write_text("key = AKIA" + "ABCDEFGH12345678\n")
    assert [(leak.path, leak.kind) for leak in leaks(tmp_path)] == [
        ("new.env", "an AWS key"),
        ("old.txt", "a sealing key"),
    ]
    assert len(KINDS) == 8
