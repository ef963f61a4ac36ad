"""
Structured logs: one line an event, on standard output and, where a folder is named, at the end of a file there; in UTC,
without secrets.

JSON by default, readable text when asked. Every string that leaves (events, fields, tracebacks, other libraries'
messages) passes `redact`: exact secrets in their usual encodings, and the shapes secrets come in. A deployment's own
secrets are registered for the life of the process; what somebody types into a form is hidden only in the lines of that
call (`hide`), because whoever typed an ordinary word would blank it in everybody's log. Other libraries speak at
WARNING and above. It does not ship or sample logs; that is the platform's business. A file begins anew when it is full,
and the one before is kept. Who counts events listens (`listen`): a listener hears each event whatever the level, and
whatever goes wrong in it ends there.
"""

import base64
import json
import logging
import re
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import Enum
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Literal, TextIO
from urllib.parse import quote, quote_plus

Format = Literal["json", "text"]
Listener = Callable[[str, Mapping[str, object]], None]
"""Told an event and its fields, those bound around it too, as they were given: secrets are not taken out of them."""

REDACTED = "[redacted]"
MIN_SECRET_CHARS = 6
"""Anything shorter would blank ordinary words; settings refuse such secrets anyway."""

FILE_BYTES = 2_000_000
"""Size at which a log file begins anew."""

_ROOT = "maemae"
_bound: ContextVar[Mapping[str, object]] = ContextVar("maemae_log_fields")
_hidden: ContextVar[tuple[str, ...]] = ContextVar("maemae_log_hidden", default=())
_listeners: list[Listener] = []
_secret_forms: set[str] = set()
_longest_first: list[str] = []

_SENSITIVE = r"(?:secret|password|passwd|signature|bapi-sign|api[_-]?key|private[_-]?key|token)"
_SENSITIVE_FIELD = re.compile(rf"(?:{_SENSITIVE}|authorization)$", re.IGNORECASE)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"""(authorization["']?\s*[=:]\s*["']?)[^"'\r\n,}]+""", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"\b(Bearer)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\bsk-[\w*-]{6,}"), REDACTED),
    (re.compile(r"\bv1\.[0-9a-f]{8}\.[\w-]{20,}"), REDACTED),
    (re.compile(r"""(://[^\s:/@]{0,100}):[^\s"'<>]{1,400}@"""), rf"\1:{REDACTED}@"),
    (
        re.compile(rf"""({_SENSITIVE}["']?\s*[=:]\s*["']?)(?!\[redacted)[^\s"',;&}}]+""", re.IGNORECASE),
        rf"\1{REDACTED}",
    ),
)


def register_secret(value: str) -> None:
    """
    Never let *value* or its base64, percent, hex or escaped forms into a line; under six characters is ignored.

    For secrets this deployment holds, never for what a stranger could choose: see `hide`.
    """
    if len(value) < MIN_SECRET_CHARS or value in _secret_forms:
        return
    _secret_forms.update(_forms(value))
    _longest_first[:] = sorted(_secret_forms, key=len, reverse=True)


@contextmanager
def hide(*values: str) -> Iterator[None]:
    """Keep *values*, in every form `register_secret` knows, out of the lines logged inside, and out of no others."""
    forms = {form for value in values if len(value) >= MIN_SECRET_CHARS for form in _forms(value)}
    token = _hidden.set((*_hidden.get(), *sorted(forms, key=len, reverse=True)))
    try:
        yield
    finally:
        _hidden.reset(token)


def _forms(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    return (
        {value, quote(raw, safe=""), quote(raw), quote_plus(raw), raw.hex(), raw.hex().upper()}
        | {json.dumps(value)[1:-1], repr(value)[1:-1]}
        | encoded
        | {form.rstrip("=") for form in encoded}
    )


def redact(text: str) -> str:
    """*text* without registered or hidden secrets and without anything that looks like one."""
    # hundreds of accounts, mostly short strings: forms longer than the text are passed over at once
    fitting = bisect_left(_longest_first, -len(text), key=lambda form: -len(form))
    for form in (*_hidden.get(), *_longest_first[fitting:]):
        if form in text:
            text = text.replace(form, REDACTED)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


@contextmanager
def bind(**fields: object) -> Iterator[None]:
    """Put *fields* (cycle_id, account_id, ...) on every line logged inside, in this task and those it starts."""
    token = _bound.set({**_bound.get({}), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


@contextmanager
def listen(listener: Listener) -> Iterator[None]:
    """Tell *listener* every event of the block, on whatever thread it happens; it must be quick and safe for that."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


class Log:
    """A named logger: an event is a short dotted word, everything else a field."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"{_ROOT}.{name}")

    def debug(self, event: str, **fields: object) -> None:
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, error: BaseException | None = None, **fields: object) -> None:
        """*error*, when given, adds its traceback."""
        self._write(logging.ERROR, event, fields, error)

    def alert(self, event: str, error: BaseException | None = None, **fields: object) -> None:
        """An error a person must see; marked so that whoever pages can find it."""
        self._write(logging.ERROR, event, {"alert": True, **fields}, error)

    def fatal(self, event: str, error: BaseException) -> None:
        """The last line of a process; no level leaves it out."""
        self._write(logging.CRITICAL, event, {}, error)

    def _write(self, level: int, event: str, fields: Mapping[str, object], error: BaseException | None = None) -> None:
        is_written = self._logger.isEnabledFor(level)
        if not (is_written or _listeners):
            return
        merged = {**_bound.get({}), **fields}
        for listener in tuple(_listeners):
            with suppress(Exception):  # who listens must never stand in the way of what is told
                listener(event, merged)
        if is_written:
            self._logger.log(level, "%s", event, extra={"maemae_fields": merged}, exc_info=error)


def get(name: str) -> Log:
    """The log of a part of the system, such as "trader" or "bybit"."""
    return Log(name)


def setup(
    service: str, format: Format = "json", level: str = "INFO", folder: Path | None = None, version: str = ""
) -> None:
    """
    Send every logger's lines to standard output and, with *folder*, to SERVICE.log there. Call once, first. *version*
    is the release's: every JSON line names it beside the service.

    ValueError for an unknown *format* or *level*; a folder that cannot be written is an OSError.
    """
    if format not in ("json", "text"):
        raise ValueError(f"log format is json or text, not {format[:20]!r}")
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"log level is DEBUG, INFO, WARNING or ERROR, not {level[:20]!r}")
    handlers: list[logging.Handler] = [_Stream(sys.stdout)]
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = folder / f"{service}.log"
        handlers.append(_File(file, maxBytes=FILE_BYTES, backupCount=1, encoding="utf-8", delay=True))
    for handler in handlers:
        handler.setFormatter(JsonLines(service, version) if format == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(logging.WARNING)
    logging.getLogger(_ROOT).setLevel(number)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught


class _Lossy(logging.Handler):
    """A line that cannot be written (a full disk, a closed pipe) is lost; anything else is a bug, and told."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


class _Stream(_Lossy, logging.StreamHandler[TextIO]):
    pass


class _File(_Lossy, RotatingFileHandler):
    pass


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    # critical, so that no level hides it: a command line that says everything itself keeps its log at CRITICAL
    get("process").fatal("process.died", error.with_traceback(trace))


class JsonLines(logging.Formatter):
    """One JSON object a line: ts, level, service, version, logger, event, then the fields."""

    def __init__(self, service: str, version: str = "") -> None:
        super().__init__()
        self._source = {"service": service, **({"version": version} if version else {})}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "ts": _utc(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            **self._source,
            "logger": record.name.removeprefix(f"{_ROOT}."),
            "event": redact(record.getMessage()),
        }
        for name, value in _fields(record).items():
            line[f"{name}_" if name in line else name] = value
        # a lone surrogate in somebody's text must not cost us the line
        return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


class TextLines(logging.Formatter):
    """`17:02:03 info    order.sent account_id=7 side=buy`: for people; UTC."""

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={_quoted(value)}" for name, value in _fields(record).items())
        head = f"{_utc(record):%H:%M:%S} {record.levelname.lower():<7} {_escaped(redact(record.getMessage()))}"
        return f"{head} {fields}".rstrip()


def _utc(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    raw: Mapping[str, object] = getattr(record, "maemae_fields", {})
    fields = {name: _clean(name, value) for name, value in raw.items()}
    if record.exc_info and record.exc_info[1] is not None:
        fields["error"] = redact(f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}")
        fields["traceback"] = redact(logging.Formatter().formatException(record.exc_info))
    return fields


def _clean(name: str, value: object) -> object:
    if isinstance(value, str) and _SENSITIVE_FIELD.search(name):
        return REDACTED
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(name, item) for item in value]
    return redact(str(value))


def _quoted(value: object) -> str:
    text = _escaped(str(value))
    return f'"{text}"' if not text or " " in text or "=" in text else text


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
