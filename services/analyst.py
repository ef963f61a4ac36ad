"""
`make analyst`: asks the analyst of these settings one real question and prints what it said, in its own words.

Tokens, time and cost are of this one question. What the provider accepts is learnt on the way and, where DATABASE_URL
is set, remembered for the trader. Exit 0 when it gave a view, 1 when it did not; a setting that cannot work ends in one
line and 78. The key is never printed.
"""

import asyncio
import sys
from urllib.parse import urlsplit

from lib import bootstrap
from lib.bootstrap import Trial
from lib.domain.analyst_name import is_rules
from lib.domain.decision import Abstained
from lib.reason_text import said
from lib.settings import Settings
from services.process import run_process


def told(trial: Trial, settings: Settings) -> list[str]:
    """*trial* in lines."""
    answer = trial.answer
    name = "the bundled rules, not GPT" if is_rules(answer.model) else answer.model
    lines = [f"asked      {settings.openai_model} at {_place(settings.openai_base_url)}"]
    lines += [f"refused    {field}: {words}" for field, words in trial.steps]
    who = "nobody" if answer.failed else name
    lines += [f"answered   {who}, {answer.latency_ms / 1000:.1f} s", f"it said    {answer.raw or '(nothing)'}"]
    lines += [f"read as    {_view(trial)}", f"asked with {trial.how}"]
    lines += [f"tokens     {answer.prompt_tokens} + {answer.completion_tokens}", f"cost       {_cost(trial)}"]
    return lines + ([f"look at    {trial.advice}"] if trial.advice else [])


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


def _view(trial: Trial) -> str:
    decision = trial.answer.decision
    if isinstance(decision, Abstained):
        return f"no view: {said(decision.why, 'en')}"
    return (
        f"{decision.action}, confidence {decision.confidence}, stop {decision.stop_loss}, target {decision.take_profit}"
    )


def _cost(trial: Trial) -> str:
    if is_rules(trial.answer.model):
        return "nothing: rules are not paid for"
    if trial.answer.cost is None:
        return "not known: no price of this model is known (ANALYST_PRICE_INPUT_USD, ANALYST_PRICE_OUTPUT_USD)"
    return f"{trial.answer.cost:.6f} USD"


def main(settings: Settings) -> None:
    """Entry point under `run_process`."""
    trial = asyncio.run(bootstrap.try_analyst(settings))
    sys.stdout.write("\n".join(told(trial, settings)) + "\n")
    if not trial.works:
        raise SystemExit(1)


if __name__ == "__main__":
    run_process("analyst", main)
