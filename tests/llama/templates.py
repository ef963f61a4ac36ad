"""
Every template put to llama.cpp's own server, in both languages, for each version of answers, and under the blindfold.

    python -m tests.llama.templates         a quarter of a minute a question

What a model of 135 million parameters says is not judged, only that it was asked as its server likes it, that the
answer has the keys of its version and is read as strictly as any, and that what budgets reckon with is no less than
the truth. That last is asked of English alone: this model knows no Korean and spends a token on each byte of it.
A row a question; exit status 1 when one of them was not answered.
"""

import asyncio
import json
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from lib.adapters.openai.analyst import OpenAIAnalyst, connect
from lib.adapters.openai.profile import Wishes
from lib.domain.account import AccountSettings
from lib.domain.analyst_call import AnalystAnswer, Prompt
from lib.domain.decision import AnswerVersion, keys_of, parse_decision
from lib.domain.strategy import OFFERED_ANSWERS, blindfolded, settings_with
from lib.domain.strategy_templates import TEMPLATES, Template
from lib.trading.context import WINDOW
from lib.trading.cycle.prompt import build_prompt
from tests.factories import SYMBOL
from tests.prompt_book import LANGUAGES, material, shown_to, tokens_of

ROOT = Path(__file__).parents[2]
PATIENCE_S = 600.0
"""This is no cycle: a busy machine may take its time."""
MODEL = "smollm2"


def prompt_of(template: Template, language: str, version: AnswerVersion, *, is_blind: bool) -> Prompt:
    """What is sent for who runs *template* and wants answers of *version*."""
    known, content = material(), template.in_language(language)
    settings = settings_with(blindfolded(content) if is_blind else content, AccountSettings())
    settings = replace(settings, answer_version=version)
    return build_prompt(SYMBOL, known.minutes[-WINDOW:], settings, MODEL, language, shown_to(settings, known))


def trouble(prompt: Prompt, answer: AnalystAnswer, *, is_counted: bool) -> str:
    """What is wrong with *answer*, "" = nothing."""
    if answer.failed:
        return f"not answered: {answer.raw[:200]}"
    if set(json.loads(answer.raw)) != keys_of(prompt.answer_version):
        return f"other keys: {answer.raw[:200]}"
    if answer.decision != parse_decision(answer.raw, prompt.answer_version):
        return f"read differently: {answer.raw[:200]}"
    if is_counted and not 0 < answer.prompt_tokens <= tokens_of(prompt):
        return f"{answer.prompt_tokens} tokens, reckoned with {tokens_of(prompt)}"
    return ""


async def ask_all(address: str) -> int:
    """Ask everything of the server at *address*; how many questions went wrong."""
    client, wrong = connect(address, "sk-not-needed"), 0
    analyst = OpenAIAnalyst(client, wishes=Wishes(max_tokens=320))
    asked = [
        (template, language, version, is_blind)
        for template in TEMPLATES
        for language in LANGUAGES
        for version in OFFERED_ANSWERS
        for is_blind in (False, True)
    ]
    for template, language, version, is_blind in asked:
        prompt = prompt_of(template, language, version, is_blind=is_blind)
        answer = await analyst.ask(prompt, PATIENCE_S)
        found = trouble(prompt, answer, is_counted=language == "en")
        wrong += bool(found)
        what = f"{template.name} {language} answers {version}{' blindfold' if is_blind else ''}"
        tokens = f"{answer.prompt_tokens} tokens of {tokens_of(prompt)}, {answer.completion_tokens} back"
        sys.stdout.write(f"{what:34} {tokens:36} {answer.latency_ms / 1000:5.1f} s  {found or answer.decision}\n")
    await client.close()
    sys.stdout.write(f"{len(asked)} questions, {wrong} went wrong\n")
    return wrong


def main() -> int:
    """Entry point."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.llama.server", str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        address = f"{server.stdout.readline().strip()}/v1"
        try:
            return bool(asyncio.run(ask_all(address)))
        finally:
            server.stdin.close()


if __name__ == "__main__":
    raise SystemExit(main())
