"""
Check the record of a trading strategy: python verify_record.py FILE HEAD

FILE is a downloaded record (.jsonl.gz) or the proof of one decision (.json); HEAD is a head that was published, or that
you kept from an earlier day. Needs Python 3.9 and nothing else, and asks nobody. Says in one line what it found.

A record is lines of JSON. A leaf is hashed with a byte 0 before it, two hashes with a byte 1, the head of a day with a
byte 2, the amounts behind an equity point with a byte 3; leaves make a tree as in RFC 6962, a new one every UTC day.
"""

import gzip
import json
import sys
from datetime import datetime, timezone
from hashlib import sha256

HEADING, SEAL = {"format", "number", "version"}, {"day", "head", "leaves", "root"}


def written(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def hashed(kind, data):
    return sha256(bytes([kind]) + data).digest()


def root(hashes):
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return hashed(1, root(hashes[:half]) + root(hashes[half:]))


def head_after(before, seal):
    said = {"before": before, "day": seal["day"], "leaves": seal["leaves"], "root": seal["root"]}
    return hashed(2, written(said)).hex()


def read(line, *forms):
    value = json.loads(line)
    if written(value) != line or set(value) not in forms:
        raise ValueError("not written in the one form a record has")
    return value


def check_day(entries, seal, before):
    leaves = [entry["leaf"] for entry in entries]
    keys = [(leaf["t"], leaf["kind"], leaf.get("symbol", "")) for leaf in leaves]
    if len(leaves) != seal["leaves"]:
        raise ValueError(f"{seal['day']} has {len(leaves)} leaves and was sealed with {seal['leaves']}")
    if any(one >= other for one, other in zip(keys, keys[1:])):
        raise ValueError(f"the leaves of {seal['day']} are not in their order")
    if any("of" in entry and hashed(3, written(entry["of"])).hex() != entry["leaf"]["amounts"] for entry in entries):
        raise ValueError(f"an amount of {seal['day']} is not the one that was sealed")
    if root([hashed(0, written(leaf)) for leaf in leaves]).hex() != seal["root"]:
        raise ValueError(f"a leaf of {seal['day']} is not the one that was sealed")
    if head_after(before, seal) != seal["head"]:
        raise ValueError(f"the head of {seal['day']} does not follow from the head before it")
    begun = datetime.fromisoformat(seal["day"]).replace(tzinfo=timezone.utc).timestamp() * 1000
    if keys[-1][0] >= begun + 86_400_000:
        raise ValueError(f"a leaf of {seal['day']} is of a later day")
    return sum(key[0] < begun and key[1] == "decision" for key in keys)


def check_record(lines, wanted):
    number, days, count, late, entries, covered = 1, 0, 0, 0, [], None
    try:
        first, day = read(next(lines, b""), HEADING), ""
        before = hashed(2, written(first)).hex()
        for number, line in enumerate(lines, 2):
            entry = read(line, {"leaf"}, {"leaf", "of"}, {"seal"})
            if "leaf" in entry:
                entries.append(entry)
                continue
            seal = read(written(entry["seal"]), SEAL)
            if seal["day"] <= day:
                raise ValueError(f"{seal['day']} comes after {day}")
            late += check_day(entries, seal, before)
            day, before, days, count, entries = seal["day"], seal["head"], days + 1, count + len(entries), []
            covered = day if before == wanted else covered
        if entries:
            raise ValueError("leaves without a seal")
    except (ValueError, KeyError, TypeError, IndexError) as why:
        return f"WRONG: line {number}: {why}"
    if covered is None:
        return (
            "WRONG: every day holds together, but none has this head: another record, or a day was cut off or made anew"
        )
    rest = "" if covered == day else f"; the days after {covered} are not covered by this head"
    told = f"{days} days, {count} leaves, {late} of them decisions sealed after their day"
    return f"OK: version {first['number']} ({first['version'][:12]}), {told}{rest}"


def check_proof(text, wanted):
    try:
        told = json.loads(text)
        leaf, seal, found = told["leaf"], told["seal"], hashed(0, written(told["leaf"]))
        for side, other in told["path"]:
            found = hashed(1, bytes.fromhex(other) + found if side == "left" else found + bytes.fromhex(other))
        if found.hex() != seal["root"] or head_after(told["before"], seal) != seal["head"]:
            raise ValueError("the path does not lead from this leaf to this head")
        if seal["head"] != wanted:
            raise ValueError(f"it leads to the head of {seal['day']}, which is another than yours")
    except (ValueError, KeyError, TypeError) as why:
        return f"WRONG: {why}"
    return f"OK: this {leaf['kind']} is one of the {seal['leaves']} leaves sealed for {seal['day']}"


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: python verify_record.py FILE HEAD")
    with open(sys.argv[1], "rb") as file:
        raw = file.read()
    text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    is_proof = text.lstrip()[:1] == b"{" and b"\n" not in text.strip()
    told = check_proof(text, sys.argv[2]) if is_proof else check_record(iter(text.splitlines()), sys.argv[2])
    sys.stdout.write(f"{told}\n")
    sys.exit(told.startswith("WRONG"))


if __name__ == "__main__":
    main()
