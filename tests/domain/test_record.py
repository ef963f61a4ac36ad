"""A record is checked by a stranger: no leaf of it is changed, dropped, doubled, added or moved without being found."""

import gzip
import hashlib
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import record as law
from lib.domain.day import DAY_MS
from tests.effort import examples
from tests.record_files import FIRST_DAY, VERIFIER, VERSION, changed_days, lines_of, notices, record_of, verifier

DAYS = record_of(120, a_day=24)
LINES = lines_of(DAYS)
WITH_AMOUNTS = lines_of(DAYS, amounts=True)
HEAD = DAYS[-1].seal.head
THEIRS = verifier()


def found(lines: list[bytes], head: str = HEAD) -> str:
    return str(THEIRS["check_record"](iter(lines), head))


def test_an_untouched_record_holds_with_its_amounts_and_without() -> None:
    assert found(LINES) == (
        "OK: version 3 (abababababab), 5 days, 120 leaves, 0 of them decisions sealed after their day"
    )
    assert found(WITH_AMOUNTS).startswith("OK: ")


def test_a_head_of_before_covers_the_days_until_then() -> None:
    assert found(LINES, DAYS[2].seal.head).endswith(f"; the days after {DAYS[2].seal.day} are not covered by this head")


def test_a_record_cut_off_at_a_whole_day_has_not_the_newest_head() -> None:
    assert found(lines_of(DAYS[:-1])).startswith("WRONG: every day holds together, but none has this head")


def test_no_row_of_some_thousand_is_changed_dropped_doubled_or_moved_unnoticed() -> None:
    for day in record_of(3_000, a_day=30):
        assert all(notices(THEIRS["check_day"], entries, day) for entries in changed_days(day))


@given(st.integers(1, len(LINES) - 1), st.sampled_from(("drop", "double", "swap")), st.booleans())
@examples(200)
def test_no_line_is_dropped_doubled_or_moved_unnoticed(place: int, how: str, has_amounts: bool) -> None:
    lines = list(WITH_AMOUNTS if has_amounts else LINES)
    if how == "drop":
        del lines[place]
    elif how == "double":
        lines.insert(place, lines[place])
    else:
        other = place + 1 if place + 1 < len(lines) else place - 1
        lines[place], lines[other] = lines[other], lines[place]
    assert found(lines).startswith("WRONG: ")


@given(st.data())
@examples(200)
def test_no_byte_is_changed_unnoticed(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(WITH_AMOUNTS) - 1))
    line = WITH_AMOUNTS[place]
    at, became = data.draw(st.integers(0, len(line) - 1)), data.draw(st.integers(32, 126))
    changed = line[:at] + bytes([became]) + line[at + 1 :]
    if changed != line:
        assert found([*WITH_AMOUNTS[:place], changed, *WITH_AMOUNTS[place + 1 :]]).startswith("WRONG: ")


@given(st.integers(0, len(DAYS) - 1), st.data())
@examples(100)
def test_whoever_makes_the_seals_anew_after_a_change_has_another_head(which: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(DAYS[which].entries) - 1))
    leaves = [[dict(entry.leaf) for entry in day.entries] for day in DAYS]
    leaves[which][place]["t"] = int(str(leaves[which][place]["t"])) + 1
    before = VERSION.genesis
    for day, of_day in zip(DAYS, leaves, strict=True):
        before = law.sealed(before, day.seal.day, of_day).head
    assert before != HEAD


def test_what_is_wrong_is_said_with_its_line() -> None:
    lines = list(LINES)
    lines[5] = lines[5].replace(b'"hold"', b'"sell"').replace(b'"index":"1', b'"index":"2')
    assert found(lines) == f"WRONG: line 26: a leaf of {DAYS[0].seal.day} is not the one that was sealed"
    assert found([LINES[0], LINES[1].replace(b'"kind"', b' "kind"')]) == (
        "WRONG: line 2: not written in the one form a record has"
    )
    assert "sealed with 24" in found([*LINES[:7], *LINES[8:]])


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b"7", b"null", b'"x"', b'{"leaf":[]}', b'{"seal":1}', b"\xff", b"{"]
)
def test_what_is_no_record_is_wrong_and_no_crash(line: bytes) -> None:
    assert found([line]).startswith("WRONG: ")
    assert found([LINES[0], line, *LINES[1:]]).startswith("WRONG: ")
    assert THEIRS["check_proof"](line, HEAD).startswith("WRONG: ")


VALUES = st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8"))


@given(st.dictionaries(st.text(st.characters(codec="ascii"), min_size=1), VALUES))
def test_the_verifier_writes_a_leaf_byte_for_byte_as_the_law_does(leaf: dict[str, law.Value]) -> None:
    assert THEIRS["written"](leaf) == law.canonical(leaf)
    assert json.loads(law.canonical(leaf)) == leaf


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.data())
def test_roots_and_paths_are_those_of_rfc_6962(hashes: list[bytes], data: st.DataObject) -> None:
    root = law.merkle_root(hashes)
    assert THEIRS["root"](hashes) == root
    place = data.draw(st.integers(0, len(hashes) - 1))
    found = hashes[place]
    for side, other in law.audit_path(hashes, place):
        found = law.node_hash(other, found) if side == "left" else law.node_hash(found, other)
    assert found == root


def test_the_root_is_that_of_the_test_vectors_of_certificate_transparency() -> None:
    raw = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    hashes = [hashlib.sha256(b"\0" + bytes.fromhex(one)).digest() for one in raw]
    assert law.merkle_root(hashes[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert law.merkle_root(hashes).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_one_decision_is_shown_without_all() -> None:
    day = DAYS[1]
    told = json.dumps(law.proof(day.entries, 17, day.seal, day.before)).encode()
    assert THEIRS["check_proof"](told, day.seal.head).startswith("OK: this equity is one of the 24 leaves")
    assert "another than yours" in THEIRS["check_proof"](told, HEAD)
    assert "does not lead" in THEIRS["check_proof"](told.replace(b'"index": "', b'"index": "9'), day.seal.head)


def test_amounts_are_bound_and_hidden_by_a_salt() -> None:
    money = law.Money(FIRST_DAY * DAY_MS, Decimal("10000.50"), Decimal("1E+4"), Decimal(0))
    one, other = law.equity_entry(money, Decimal(1), "aa"), law.equity_entry(money, Decimal(1), "bb")
    assert one.amounts == {"balance": "10000.5", "equity": "10000", "transfers": "0", "salt": "aa"}
    assert one.leaf["amounts"] != other.leaf["amounts"]
    assert not {"balance", "equity", "transfers"} & set(one.leaf)


def test_the_index_leaves_transfers_and_other_versions_out() -> None:
    before = law.Money(0, Decimal(100), Decimal(100), Decimal(0))
    after = law.Money(1, Decimal(160), Decimal(160), Decimal(50))
    assert law.next_index(Decimal(1), before, after) == Decimal("1.1")
    assert law.next_index(Decimal("1.3"), None, after) == Decimal("1.3")


def test_a_leaf_holds_text_whole_numbers_and_null_alone() -> None:
    values: list[Any] = [1.5, True, Decimal(1), []]
    for value in values:
        with pytest.raises(TypeError):
            law.canonical({"x": value})


def test_a_day_is_sealed_a_quarter_of_an_hour_after_its_end() -> None:
    assert not law.is_over(0, DAY_MS + 15 * 60_000 - 1)
    assert law.is_over(0, DAY_MS + 15 * 60_000)


def test_the_verifier_is_a_program_of_the_standard_library(tmp_path: Path) -> None:
    file, proof = tmp_path / "record.jsonl.gz", tmp_path / "proof.json"
    file.write_bytes(gzip.compress(b"\n".join(LINES) + b"\n"))
    day = DAYS[0]
    proof.write_text(json.dumps(law.proof(day.entries, 0, day.seal, day.before)))

    def run(*words: str) -> tuple[int, str]:
        # -I -S: nothing of ours and nothing that was installed
        done = subprocess.run(
            [sys.executable, "-I", "-S", VERIFIER, *words], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout.strip()

    assert run(str(file), HEAD)[0] == 0
    assert run(str(proof), day.seal.head) == (
        0,
        f"OK: this decision is one of the 24 leaves sealed for {day.seal.day}",
    )
    code, said = run(str(file), "00" * 32)
    assert (code, said.count("\n")) == (1, 0)
    assert said.startswith("WRONG: ")
