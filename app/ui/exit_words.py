"""
Rules of exits in a reader's words: one plain sentence for each, and all of them in short. No Streamlit here.
"""

from collections.abc import Callable
from decimal import Decimal

from app.ui.write import count, exact
from lib.domain.exit_rules import ExitRules

Say = Callable[..., str]


def exit_sentences(rules: ExitRules, t: Say) -> tuple[str, str, str]:
    """What break-even, time stop and trailing will do, each as the rules have it."""
    even = t("exit.even_does", r=in_r(rules.break_even_r)) if rules.break_even_r else t("exit.even_off")
    over = t("exit.time_does", span=span(rules.time_stop_min, t)) if rules.time_stop_min else t("exit.time_off")
    if not rules.trail_r:
        return even, over, t("exit.trail_off")
    begins = "exit.trail_later" if rules.trail_from_r else "exit.trail_does"
    return even, over, t(begins, r=in_r(rules.trail_r), begins=in_r(rules.trail_from_r))


def exits_in_short(rules: ExitRules, t: Say) -> str:
    """The rules that are on, by name and number."""
    parts = []
    if rules.break_even_r:
        parts.append(f"{t('exit.even')} {in_r(rules.break_even_r)}")
    if rules.time_stop_min:
        parts.append(f"{t('exit.time')} {span(rules.time_stop_min, t)}")
    if rules.trail_r:
        begins = in_r(rules.trail_from_r)
        parts.append(t("exit.trail_short", name=t("exit.trail"), r=in_r(rules.trail_r), begins=begins))
    return ", ".join(parts) or t("exit.none")


def in_r(distance: Decimal) -> str:
    """*distance* as `1.5R`."""
    return f"{exact(distance)}R"


def span(minutes: int, t: Say) -> str:
    """Minutes as days, hours and minutes."""
    days, rest = divmod(minutes, 1_440)
    parts = (("age.days", days), ("age.hours", rest // 60), ("age.minutes", rest % 60))
    return " ".join(t(key, n=count(n)) for key, n in parts if n)
