"""The bundled rules in the place of an analyst, for a past."""

from collections.abc import Callable

from lib.domain.account import AccountSettings
from lib.domain.decision import Decision
from lib.evidence.account import Heard
from lib.evidence.backtest import WINDOW
from lib.evidence.tape import Tape
from lib.simulator.analyst.rules import Question, analyse


def bundled_rules(settings: AccountSettings, tape: Tape) -> Callable[[int], Heard]:
    """The bundled rules, asked at T about the thirty candles before it: no call, no token."""

    def ask(t_ms: int) -> Heard:
        newest = tape.index(t_ms)
        window = tuple(tape.candles[newest - WINDOW : newest])
        level, cap = settings.risk_level.value, settings.profile.leverage_cap
        question = Question(window, level, cap, settings.custom_prompt)
        said = analyse(question, manages=settings.answer_version != 1)
        numbers = (said.confidence, said.leverage, said.reason, said.stop_loss, said.take_profit, said.close_fraction)
        return Heard(Decision(said.action, *numbers))

    return ask
