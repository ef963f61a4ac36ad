"""
What looks like a secret, in every file of every commit: private keys, tokens of services, keys of exchanges and models.

A finding is shown by its file, its kind and the beginning of its hash, never by itself. What is meant (a fixture that
opens nothing) is known by that hash, with a reason.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

KINDS: dict[str, re.Pattern[bytes]] = {
    "a private key": re.compile(
        rb"-----BEGIN (?:RSA |EC |OPENSSH |DSA |PGP )?PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{64,}"
    ),
    "a key of a model provider": re.compile(rb"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}"),
    "a GitHub token": re.compile(rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})"),
    "an AWS key": re.compile(rb"\bAKIA[0-9A-Z]{16}\b"),
    "a Slack token": re.compile(rb"\bxox[abprs]-[0-9A-Za-z-]{20,}"),
    "a Telegram bot": re.compile(rb"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b"),
    "a sealing key": re.compile(
        rb"(?:ENCRYPTION_KEY|NOTIFIER_KEY|WEB_SECRET)[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9+/_-]{43}=?"
    ),
    "a password in an address": re.compile(
        rb"\b(?:mysql|rediss?|smtps?)(?:\+\w+)?://[^\s:/@{}$\"']+:[^\s@{}$\"'<>*]{12,}@"
    ),
}
LARGEST = 2_000_000
MEANT: dict[str, str] = {
    "249a165a9169680b": "a made-up address, read by a test",
    "ef58c007ec50fb52": "a canary that must not get into a log",
    "1a14263e0ee817da": "a made-up address of a server that is not there",
    "8f1c92b67078cf9b": "a canary that must not get into a log",
}
"""The first sixteen hex digits of a finding's sha256, and why it is no secret."""


@dataclass(frozen=True, slots=True)
class Leak:
    """Something that looks like a secret, in a file of some commit."""

    path: str
    kind: str
    mark: str


def leaks(root: Path) -> list[Leak]:
    """What looks like a secret in the work tree of *root* or in any commit, each once."""
    found: dict[tuple[str, str], Leak] = {}
    for path, content in (*_tree(root), *_history(root)):
        for kind, pattern in KINDS.items():
            for one in pattern.finditer(content):
                mark = sha256(one.group()).hexdigest()[:16]
                if mark not in MEANT:
                    found.setdefault((kind, mark), Leak(path, kind, mark))
    return sorted(found.values(), key=lambda leak: (leak.path, leak.kind, leak.mark))


def _tree(root: Path) -> Iterator[tuple[str, bytes]]:
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").decode()
    for name in filter(None, listed.split("\0")):
        path = root / name
        if path.is_file() and path.stat().st_size < LARGEST:
            yield name, path.read_bytes()


def _history(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every file any commit ever held, each content once."""
    listed = _git(root, "rev-list", "--objects", "--all").decode("utf-8", "replace").splitlines()
    named = (line.partition(" ") for line in listed)
    names = {number: name for number, _, name in named if name}
    with subprocess.Popen(
        ["git", "-C", str(root), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as git:
        if git.stdin is None or git.stdout is None:
            return
        for number, name in names.items():
            git.stdin.write(f"{number}\n".encode())
            git.stdin.flush()
            _, kind, size = git.stdout.readline().split()
            content = git.stdout.read(int(size) + 1)
            if kind == b"blob" and int(size) < LARGEST:
                yield name, content
        git.stdin.close()


def _git(root: Path, *words: str) -> bytes:
    return subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=True).stdout
