"""
A strategy as a person writes it down: what the analyst is told and shown, how often, and the risk that is taken. Pure.

A version is one `Strategy`, immutable and known by the hash of its content, whoever owns it. What a version may hold is
data, also where there is one choice today (input blocks, exits, models), so that more can come without another table.
Limits are not among it: they are their owner's and hold whatever strategy runs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from lib.domain.account import CADENCES, AccountSettings, RiskLevel
from lib.domain.decimals import plain
from lib.domain.decision import AnswerVersion, answer_version
from lib.domain.exit_rules import NO_RULES, ExitRules, plain_rules, rules_from
from lib.domain.input_blocks import BLINDFOLD, CANDLES, Block, are_offered, in_order
from lib.domain.model_profile import DEFAULT_CHAIN, DEFAULT_MODEL, is_chain, is_own

EXITS = ("stop_loss", "take_profit")
"""The exits of every strategy: both stand at the exchange from the entry on. Others are `lib.domain.exit_rules`."""
LONGEST_NAME = 60
OFFERED_ANSWERS: tuple[AnswerVersion, ...] = (1, 2)
"""The versions of answers a strategy may choose."""
BLOCKS = (CANDLES,)
"""What every strategy shows the analyst; more of `lib.domain.input_blocks` may follow."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """
    The content of one version. *system* is how the analyst is to trade ("" = the original design's words, in the
    owner's language); *symbols* empty = the account's own. *cadence_min* is minutes between two decisions.
    """

    model: str = DEFAULT_MODEL
    system: str = ""
    instructions: str = ""
    blocks: tuple[Block, ...] = BLOCKS
    symbols: tuple[str, ...] = ()
    cadence_min: int = 5
    risk_level: RiskLevel = RiskLevel.MEDIUM
    max_leverage: int = 10
    risk_per_trade: Decimal | None = None
    min_confidence: Decimal | None = None
    long_only: bool = False
    exits: tuple[str, ...] = EXITS
    fallback: tuple[str, ...] = ()
    """The models asked in this order when *model* is away, at a limit or too slow."""
    answer_version: AnswerVersion = 1
    """What the analyst may answer (`lib.domain.decision`); 1 = the original design's."""
    rules: ExitRules = NO_RULES
    """The exits by rule; a position keeps those it was entered with."""

    @property
    def chain(self) -> tuple[str, ...]:
        """The models in the order in which they are asked."""
        return (self.model, *self.fallback)

    @property
    def inputs(self) -> tuple[Block, ...]:
        """The blocks beside the design's candles."""
        return self.blocks[len(BLOCKS) :]

    @property
    def sha256(self) -> str:
        """The hash of the content (hex): equal for equal content, whoever wrote it."""
        return sha256(written(self).encode()).hexdigest()


DESIGN = Strategy()
"""What runs for who chose nothing."""


def blindfolded(strategy: Strategy) -> Strategy:
    """*strategy* with everything it is shown written relative to T and to the newest close."""
    inputs = in_order({*(block.name for block in strategy.inputs), BLINDFOLD.name})
    return replace(strategy, blocks=(*BLOCKS, *inputs))


def written(strategy: Strategy) -> str:
    """*strategy* as the one JSON text its hash is of; decimals as strings."""
    return json.dumps(plain_of(strategy), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def plain_of(strategy: Strategy) -> dict[str, Any]:
    """*strategy* as JSON knows values; decimals are strings."""
    found: dict[str, Any] = {field.name: getattr(strategy, field.name) for field in fields(Strategy)}
    found["blocks"] = [{field.name: getattr(one, field.name) for field in fields(Block)} for one in strategy.blocks]
    found |= {name: list(found[name]) for name in ("symbols", "exits")}
    for name in ("risk_per_trade", "min_confidence"):
        found[name] = None if found[name] is None else format(plain(found[name]), "f")
    found["fallback"] = list(strategy.fallback)
    if not strategy.fallback:
        del found["fallback"]  # versions of before had none, and keep their hash
    if strategy.answer_version == 1:
        del found["answer_version"]  # as well
    found["rules"] = plain_rules(strategy.rules)
    if strategy.rules == NO_RULES:
        del found["rules"]  # as well
    return found | {"risk_level": strategy.risk_level.value}


def read(text: str) -> Strategy:
    """The inverse of `written`; ValueError, TypeError or an arithmetic error when *text* is none."""
    found: Mapping[str, Any] = json.loads(text)
    return Strategy(
        model=str(found["model"]),
        system=str(found["system"]),
        instructions=str(found["instructions"]),
        blocks=tuple(Block(one["kind"], one["interval"], one["count"]) for one in found["blocks"]),
        symbols=tuple(map(str, found["symbols"])),
        cadence_min=int(found["cadence_min"]),
        risk_level=RiskLevel(found["risk_level"]),
        max_leverage=int(found["max_leverage"]),
        risk_per_trade=_decimal(found["risk_per_trade"]),
        min_confidence=_decimal(found["min_confidence"]),
        long_only=bool(found["long_only"]),
        exits=tuple(map(str, found["exits"])),
        fallback=tuple(map(str, found.get("fallback", ()))),
        answer_version=answer_version(found.get("answer_version", 1)),
        rules=rules_from(found.get("rules", {})),
    )


def _decimal(stored: str | None) -> Decimal | None:
    return None if stored is None else Decimal(stored)


def strategy_of(settings: AccountSettings) -> Strategy:
    """What of *settings* is the strategy."""
    model, *fallback = settings.models or DEFAULT_CHAIN
    return Strategy(
        model=model,
        fallback=tuple(fallback),
        system=settings.system,
        instructions=settings.custom_prompt,
        blocks=(*BLOCKS, *settings.inputs),
        cadence_min=settings.cadence_min,
        risk_level=settings.risk_level,
        max_leverage=settings.max_leverage,
        risk_per_trade=settings.risk_per_trade,
        min_confidence=settings.min_confidence,
        long_only=settings.long_only,
        answer_version=settings.answer_version,
        rules=settings.exits,
    )


def settings_with(strategy: Strategy, settings: AccountSettings) -> AccountSettings:
    """*settings* with *strategy* in force; their limits stay."""
    return replace(
        settings,
        models=() if strategy.chain == DEFAULT_CHAIN else strategy.chain,
        system=strategy.system,
        custom_prompt=strategy.instructions,
        inputs=strategy.inputs,
        cadence_min=strategy.cadence_min,
        risk_level=strategy.risk_level,
        max_leverage=strategy.max_leverage,
        risk_per_trade=strategy.risk_per_trade,
        min_confidence=strategy.min_confidence,
        long_only=strategy.long_only,
        answer_version=strategy.answer_version,
        exits=strategy.rules,
    )


def without_own(strategy: Strategy) -> Strategy:
    """*strategy* as others may see and take it: a person's own models are nobody else's, so the usual one is asked."""
    kept = strategy.chain if not any(map(is_own, strategy.chain)) else DEFAULT_CHAIN
    return replace(strategy, model=kept[0], fallback=kept[1:])


def is_offered(strategy: Strategy) -> bool:
    """Whether all that *strategy* names exists here, its models aside: they are of lists. Symbols are the account's."""
    return (
        is_chain(strategy.chain)
        and strategy.blocks[: len(BLOCKS)] == BLOCKS
        and are_offered(strategy.inputs)
        and strategy.exits == EXITS
        and strategy.rules.is_offered
        and not strategy.symbols
        and strategy.cadence_min in CADENCES
        and strategy.answer_version in OFFERED_ANSWERS
    )


@dataclass(frozen=True, slots=True)
class StrategyVersion:
    """A stored version: *number* counts within its strategy; *made_ms* 0 = of before versions were kept."""

    version_id: int
    strategy_id: int
    name: str
    number: int
    content: Strategy
    sha256: str
    made_ms: int


@dataclass(frozen=True, slots=True)
class SharedStrategy:
    """What a link opens: never whose it is, but for what they chose to be *shown_as*. *made_ms* is epoch ms."""

    code_sha256: str
    name: str
    content: Strategy
    shown_as: str
    made_ms: int
