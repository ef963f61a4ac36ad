"""
Why, as data: a code and its parameters. Pure.

Whatever the engine stores or shows as a reason is a *Reason*; sentences are made where somebody reads them, in their
language (`lib.reason_text`). A code is declared once, with the kind of each parameter, in `lib.domain.reason_codes`;
a reason with an unknown code, or with other parameters than its code has, cannot be made. Text of others (an analyst's
own reason, an exchange's message, an operator's note) is a parameter of kind *TEXT*, bounded and never interpreted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import Union

MOST_TEXT = 1_000
"""Characters of somebody else's text that a reason keeps."""
MOST_NAME = 80
_STEPS = {"share": Decimal("1E-6"), "money": Decimal("1E-2"), "number": Decimal("1E-18")}
_WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN)


class Kind(StrEnum):
    """What a parameter is, which decides how a reader sees it."""

    TEXT = "text"
    """Somebody else's words, shown as they stand."""
    NAME = "name"
    """A name of the program's or the market's: a symbol, an address's path, a type of error, an order_link_id."""
    CODE = "code"
    """A number that is a name: an exchange's code, an HTTP status."""
    COUNT = "count"
    NUMBER = "number"
    """A quantity or a price, to 18 places."""
    MONEY = "money"
    """USDT or USD, to cents."""
    SHARE = "share"
    """A fraction (0.05), which a reader sees as 5%."""
    MOMENT = "moment"
    """Epoch ms."""
    WHY = "why"
    """The reason behind this one."""
    OUTCOME = "outcome"
    STATE = "state"
    WAY = "way"
    FIELDS = "fields"
    LOCKS = "locks"
    VENUE = "venue"


WORDS = frozenset({Kind.OUTCOME, Kind.STATE, Kind.WAY, Kind.FIELDS, Kind.LOCKS, Kind.VENUE})
"""Kinds whose value is a word of ours, or several with ", " between, which the catalogues list."""
NUMBERS = frozenset({Kind.NUMBER, Kind.MONEY, Kind.SHARE})
INTEGERS = frozenset({Kind.CODE, Kind.COUNT, Kind.MOMENT})

Value = Union[str, int, Decimal, "Reason"]


@dataclass(frozen=True, slots=True)
class Code:
    """One declared reason; calling it with its parameters makes a *Reason*."""

    name: str
    params: Mapping[str, Kind]

    def __hash__(self) -> int:
        return hash(self.name)

    def __call__(self, /, **given: Value) -> "Reason":
        if given:
            return Reason(self.name, given)
        bare = _BARE.get(self.name)  # the same for ever, and asked for at every plan
        if bare is None:
            bare = _BARE[self.name] = Reason(self.name, given)
        return bare

    def is_of(self, reason: "Reason") -> bool:
        """Whether *reason* is this one."""
        return reason.code == self.name


_BARE: dict[str, "Reason"] = {}
"""Reasons without parameters, by their code."""
CODES: dict[str, Code] = {}
"""Every declared code by its name."""


def declare(name: str, /, **params: Kind) -> Code:
    """A new code; a name is stored for ever, so it is used once and never renamed."""
    if name in CODES:
        raise ValueError(f"the reason {name} is declared twice")
    CODES[name] = Code(name, params)
    return CODES[name]


@dataclass(frozen=True, slots=True)
class Reason:
    """
    *code* with *params*, as their kinds have them: numbers rounded, text cut. The empty reason is `NOTHING`, and false.

    TypeError for parameters the code does not have, or of another type; ValueError for a code nobody declared.
    """

    code: str
    params: Mapping[str, Value]

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"no reason is called {self.code!r}")
        kinds = CODES[self.code].params
        if kinds.keys() != self.params.keys():
            raise TypeError(f"{self.code} takes {sorted(kinds)}, not {sorted(self.params)}")
        object.__setattr__(self, "params", {name: fitted(kind, self.params[name]) for name, kind in kinds.items()})

    def __bool__(self) -> bool:
        return self.code != NOTHING_CODE

    def __hash__(self) -> int:
        return hash((self.code, tuple(self.params.items())))

    def __str__(self) -> str:
        """For a log: the code and its parameters; a text alone as it stands."""
        if self.code == "text":
            return str(self.params["text"])
        return " ".join((self.code, *(f"{name}={_brief(value)}" for name, value in self.params.items())))


def fitted(kind: Kind, value: Value) -> Value:
    """*value* as a parameter of *kind* keeps it; TypeError when it is of another type."""
    if kind is Kind.WHY and isinstance(value, Reason):
        return value
    if kind in INTEGERS and isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if kind in NUMBERS and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _rounded(kind, Decimal(value))
    if kind not in INTEGERS | NUMBERS | {Kind.WHY} and isinstance(value, str):
        return _plain(value)[: MOST_TEXT if kind is Kind.TEXT else MOST_NAME]
    raise TypeError(f"{value!r} is no {kind}")


def _rounded(kind: Kind, value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value.adjusted()) > 30:
        raise TypeError(f"{value} is no number for a reason")
    return Decimal(f"{value.quantize(_STEPS[kind], context=_WIDE).normalize(_WIDE):f}")


def _plain(text: str) -> str:
    """*text* as any database can hold it."""
    return text.encode("utf-8", "replace").decode()


def _brief(value: Value) -> str:
    return f"({value})" if isinstance(value, Reason) else f"{value:f}" if isinstance(value, Decimal) else str(value)


NOTHING_CODE = "nothing"
NOTHING = declare(NOTHING_CODE)()
"""No reason was given, or there is none."""
TEXT = declare("text", text=Kind.TEXT)
"""Somebody else's words alone."""


def text(words: str) -> Reason:
    """*words* as they stand; `NOTHING` for none."""
    return TEXT(text=words) if words else NOTHING
