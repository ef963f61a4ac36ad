"""
A strategy as lines of text in the reader's words, so that two can be compared line by line. No Streamlit here.
"""

from collections.abc import Callable

from app.ui.exit_words import exits_in_short
from app.ui.write import count, percent
from lib.domain.account import RISK_PROFILES, AccountSettings
from lib.domain.input_blocks import Block
from lib.domain.model_profile import DEFAULT_MODEL
from lib.domain.strategy import Strategy

Say = Callable[..., str]


def strategy_lines(content: Strategy, t: Say) -> str:
    """Everything that can differ between two versions, a line each; somebody's words as they are."""
    level = RISK_PROFILES[content.risk_level]
    risk = level.risk_per_trade if content.risk_per_trade is None else content.risk_per_trade
    least = level.min_confidence if content.min_confidence is None else content.min_confidence
    figures = (
        ("models", " → ".join(t("model.default") if one == DEFAULT_MODEL else one for one in content.chain)),
        ("cadence", t("strat.minutes", n=content.cadence_min)),
        ("level", t(f"risk.{content.risk_level.value}")),
        ("leverage", f"{count(content.max_leverage)}×"),
        ("risk", percent(risk)),
        ("confidence", percent(least, places=0)),
        ("inputs", ", ".join(input_name(one, t) for one in content.inputs) or t("input.none")),
        ("answers", t(f"strat.answers_{content.answer_version}")),
        ("exits", exits_in_short(content.rules, t)),
        ("direction", t(f"strat.{'long_only' if content.long_only else 'both'}")),
    )
    told = [f"{t(f'strat.{name}')}: {value}" for name, value in figures]
    system = content.system or t("strat.design_words")
    words = content.instructions or t("control.no_prompt")
    return "\n".join([*told, "", f"[{t('strat.system')}]", system, "", f"[{t('control.prompt')}]", words])


def least_from(settings: AccountSettings, t: Say) -> str:
    """Where the least confidence of *settings* comes from: chosen by their owner, or of the risk level."""
    level = RISK_PROFILES[settings.risk_level].min_confidence
    if settings.profile.min_confidence != level:
        return t("strategy.least_own")
    return t("strategy.least_level", level=t(f"risk.{settings.risk_level.value}"))


def input_name(block: Block, t: Say) -> str:
    """What *block* is called in the reader's words."""
    interval = t(f"input.every_{block.interval[-1]}", n=block.interval[:-1]) if block.interval else ""
    return t(f"input.{block.kind}", interval=interval, n=block.count)


def strategy_name(name: str, t: Say) -> str:
    """What a strategy is called; the one that was made of a person's settings has no name of its own."""
    return name or t("strat.unnamed")
