"""
The rules of exits a strategy version may have, and how they are written down. Pure; what they ask for is in `exits`.

R is the distance from an entry's price to the entry's own stop.
"""

import json
from dataclasses import dataclass, fields
from decimal import Decimal

from lib.domain.decimals import plain
from lib.domain.position import ZERO

STEP_R = Decimal("0.25")
LEAST_R, MOST_R = Decimal("0.5"), Decimal(5)
"""The least and most R of a break-even and of a trailing distance; trailing may begin from 0 R on."""
LEAST_MIN, MOST_MIN = 5, 7 * 24 * 60
"""Minutes after which a time stop may close."""


@dataclass(frozen=True, slots=True)
class ExitRules:
    """
    What is done by rule; 0 = that rule is off.

    *break_even_r*: so many R in profit the stop goes to where both fees are paid. *time_stop_min*: so many minutes
    after the fill the position is closed. *trail_r*: the venue's own stop follows the best price at so many R, once the
    price was *trail_from_r* R in profit (0 = from the fill on).
    """

    break_even_r: Decimal = ZERO
    time_stop_min: int = 0
    trail_r: Decimal = ZERO
    trail_from_r: Decimal = ZERO

    @property
    def is_offered(self) -> bool:
        """Whether a strategy may have these rules."""
        is_timed = not self.time_stop_min or LEAST_MIN <= self.time_stop_min <= MOST_MIN
        distances = (self.break_even_r, self.trail_r)
        is_near = all(not one or (LEAST_R <= one <= MOST_R and one % STEP_R == 0) for one in distances)
        begins = self.trail_from_r
        return is_timed and is_near and 0 <= begins <= (MOST_R if self.trail_r else ZERO) and begins % STEP_R == 0


NO_RULES = ExitRules()


def plain_rules(rules: ExitRules) -> dict[str, str | int]:
    """The rules that are on as JSON knows values; numbers of R are strings."""
    found = {field.name: getattr(rules, field.name) for field in fields(ExitRules)}
    return {name: one if isinstance(one, int) else format(plain(one), "f") for name, one in found.items() if one}


def rules_from(found: object) -> ExitRules:
    """The inverse of `plain_rules`; ValueError for anything else."""
    names = {field.name for field in fields(ExitRules)}
    if not isinstance(found, dict) or not found.keys() <= names:
        raise ValueError("not rules of exits")
    try:
        read = {name: int(one) if name == "time_stop_min" else Decimal(str(one)) for name, one in found.items()}
        rules = ExitRules(**read)  # type: ignore[arg-type]
        is_offered = rules.is_offered
    except (ArithmeticError, TypeError):
        raise ValueError("not rules of exits") from None
    if not is_offered:
        raise ValueError("rules that no strategy may have")
    return rules


def rules_text(rules: ExitRules) -> str:
    """*rules* as a column holds them; "" for none."""
    return json.dumps(plain_rules(rules), sort_keys=True, separators=(",", ":")) if rules != NO_RULES else ""


def read_rules(text: str | None) -> ExitRules:
    """The inverse of `rules_text`; ValueError when *text* is none."""
    return rules_from(json.loads(text)) if text else NO_RULES
