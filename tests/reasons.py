"""Reasons for tests: every code with sample parameters, and any of them with any parameters."""

from decimal import Decimal

from hypothesis import strategies as st

from lib.domain import reason_codes as reason_codes  # declares them
from lib.domain.reason import CODES, NOTHING_CODE, Kind, Reason, Value, text
from lib.reason_text import catalogue, said

SAMPLES: dict[Kind, tuple[Value, ...]] = {
    Kind.TEXT: ("EC_PostOnlyWillTakeLiquidity", "추세가 이어집니다"),
    Kind.NAME: ("BTCUSDT",),
    Kind.CODE: (110007,),
    Kind.COUNT: (3, 12_345),
    Kind.NUMBER: (Decimal("0.001"), Decimal(64_000)),
    Kind.MONEY: (Decimal("12.5"), Decimal(5_000_000)),
    Kind.SHARE: (Decimal("0.051"), Decimal(2)),
    Kind.MOMENT: (1_750_000_000_000,),
    Kind.WHY: (text("추세가 이어집니다"),),
    **{
        kind: tuple(catalogue("ko").words[kind])
        for kind in (Kind.OUTCOME, Kind.STATE, Kind.WAY, Kind.LOCKS, Kind.VENUE)
    },
    Kind.FIELDS: (*catalogue("ko").words[Kind.FIELDS], "confidence, stop_loss"),
}


def samples(code: str) -> list[Reason]:
    """*code* with its parameters, once a sample value."""
    kinds = CODES[code].params
    most = max((len(SAMPLES[kind]) for kind in kinds.values()), default=1)
    return [
        Reason(code, {name: SAMPLES[kind][n % len(SAMPLES[kind])] for name, kind in kinds.items()}) for n in range(most)
    ]


_ANY: dict[Kind, st.SearchStrategy[Value]] = {
    Kind.CODE: st.integers(-(10**9), 10**9),
    Kind.COUNT: st.integers(-(10**9), 10**9),
    Kind.MOMENT: st.integers(0, 4_000_000_000_000),
    **dict.fromkeys(
        (Kind.NUMBER, Kind.MONEY, Kind.SHARE),
        st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=8),
    ),
}


def reasons() -> st.SearchStrategy[Reason]:
    """Any code with any parameters its kinds allow, reasons inside reasons too."""
    flat = st.sampled_from(sorted(name for name, code in CODES.items() if Kind.WHY not in code.params.values()))
    nesting = st.sampled_from(sorted(name for name, code in CODES.items() if Kind.WHY in code.params.values()))
    return st.recursive(
        flat.flatmap(lambda name: _made(name, st.nothing())),
        lambda inner: nesting.flatmap(lambda name: _made(name, inner)),
        max_leaves=4,
    )


def _made(name: str, inner: st.SearchStrategy[Reason]) -> st.SearchStrategy[Reason]:
    kinds = CODES[name].params
    filled = {
        param: inner if kind is Kind.WHY else _ANY.get(kind, st.text(max_size=120)) for param, kind in kinds.items()
    }
    return st.fixed_dictionaries(filled).map(lambda params: Reason(name, params))


ALL = tuple(sorted(set(CODES) - {NOTHING_CODE}))


def english(reason: Reason) -> str:
    """What an English reader reads: for a test that goes by a word of it."""
    return said(reason, "en")
