"""
docs/prompts.md: what a prompt of each template looks like, and the tokens of each template and block.

`python -m tests.prompt_book` writes the page from the functions that ask; a test holds it in step. The market in it is
made up, so that the page is the same wherever it is written; figures of the live market differ by a few tokens.
"""

import json
from decimal import Decimal
from pathlib import Path

from lib.domain.account import AccountSettings
from lib.domain.analyst_call import Prompt
from lib.domain.candle import MINUTE_MS, interval_ms
from lib.domain.input_blocks import BLINDFOLD, CANDLES, OFFERED, Block, Shown
from lib.domain.measures import Measured
from lib.domain.news import Headline, News
from lib.domain.opinions import Opinion
from lib.domain.strategy import blindfolded, settings_with
from lib.domain.strategy_templates import TEMPLATES, Template
from lib.domain.tokens import estimated
from lib.market.sight import KEPT, MOST_MINUTES, Material, lens_for, shown
from lib.trading.context import WINDOW
from lib.trading.cycle.prompt import build_prompt
from tests.factories import SYMBOL, T, candles

PAGE = Path(__file__).resolve().parents[1] / "docs" / "prompts.md"
MODEL = "any"
LANGUAGES = {"ko": "Korean", "en": "English"}
HEAD = """\
# What the analyst is sent

Written by `python -m tests.prompt_book` from the functions that ask, over a made-up market;
`tests/test_prompt_book.py` holds it in step. Tokens are estimated (two bytes a token), rather too many than too few.
Which blocks there are and why: [ADR 0063](adr/0063-what-the-analyst-sees.md). Under the blindfold times are minutes
from T, prices fractions of the newest close and volumes multiples of the window's mean; the symbol is hidden and news
is left out.
"""


def material() -> Material:
    """A made-up market at T, with everything that can be shown."""
    measured = (
        Measured("funding", T - 20_000, {"rate": Decimal("0.0001"), "next_ms": Decimal(T + 3 * 3_600_000)}),
        Measured(
            "open_interest",
            T - 20_000,
            {"now": Decimal("49827.378"), "change_1h": Decimal("0.00976"), "change_24h": Decimal("-0.0425")},
        ),
        Measured("long_short", T - 20_000, {"long": Decimal("0.5311"), "short": Decimal("0.4689")}),
        Measured("order_book", T - 20_000, {"imbalance": Decimal("-0.0739"), "spread": Decimal("0.00000329")}),
    )
    opinions = [
        Opinion(T - hours * 3_600_000, "buy", Decimal("0.7"), Decimal("0.004"), Decimal("0.008"))
        for hours in range(3, 15)
    ]
    told = ("Funds see outflows again", "Regulator approves spot ether options", "Exchange ends its maintenance")
    headlines = tuple(
        Headline(T - n * 1_800_000, "news.example", f"{title} ({n})") for n, title in enumerate(told * 3, 1)
    )
    minutes = candles(MOST_MINUTES, drift=1)
    kept = {one: candles(240, step_ms=interval_ms(one), closes_at=T - T % interval_ms(one)) for one in KEPT}
    known = {one.kind: one for one in measured}
    return Material(T, minutes, kept, known, "long_winning", opinions, News(T - MINUTE_MS, headlines))


def shown_to(settings: AccountSettings, known: Material) -> tuple[Shown, ...]:
    """The blocks *settings* chose, as they would be sent."""
    window = known.minutes[-WINDOW:]
    return shown(settings.inputs, known, lens_for(settings.inputs, T, window))


def prompt_of(template: Template, language: str, known: Material, *, is_blind: bool = False) -> Prompt:
    """What is sent for who runs *template*."""
    content = template.in_language(language)
    settings = settings_with(blindfolded(content) if is_blind else content, AccountSettings())
    return build_prompt(SYMBOL, known.minutes[-WINDOW:], settings, MODEL, language, shown_to(settings, known))


def tokens_of(prompt: Prompt) -> int:
    """The estimate that budgets use."""
    return estimated(prompt.system) + estimated(prompt.user)


def page() -> str:
    """The whole page."""
    known = material()
    parts = [HEAD, _templates(known), _blocks(known)]
    parts += [_words(template, known) for template in TEMPLATES]
    return "\n".join(parts)


def _templates(known: Material) -> str:
    rows = [
        "## Tokens of a template",
        "",
        "| template | Korean | English | blindfold (Korean) |",
        "|---|---:|---:|---:|",
    ]
    for one in TEMPLATES:
        sizes = [tokens_of(prompt_of(one, language, known)) for language in LANGUAGES]
        blind = tokens_of(prompt_of(one, "ko", known, is_blind=True))
        rows.append(f"| `{one.name}` | {sizes[0]:,} | {sizes[1]:,} | {blind:,} |")
    return "\n".join([*rows, ""])


def _blocks(known: Material) -> str:
    rows = [
        "## Tokens of a block",
        "",
        f"`{CANDLES.name}` ({CANDLES.count} of {CANDLES.interval}) is always shown. Its size",
    ]
    rows[-1] += " is within the templates' above."
    rows += ["", "| block | tokens | under the blindfold | as it is sent (its beginning) |", "|---|---:|---:|---|"]
    for block in OFFERED:
        if block != BLINDFOLD:
            [plain], [blind] = _sent(block, known), _sent(block, known, BLINDFOLD)
            rows.append(f"| `{block.name}` | {_size(plain)} | {_size(blind)} | `{_short(plain.text)}` |")
    return "\n".join([*rows, ""])


def _sent(block: Block, known: Material, *beside: Block) -> tuple[Shown, ...]:
    return shown_to(AccountSettings(inputs=(block, *beside)), known)


def _size(one: Shown) -> str:
    return "left out" if one.left_out else f"{estimated(one.text):,}"


def _short(text: str) -> str:
    return (text if len(text) <= 90 else f"{text[:90]}…").replace("|", "¦")


def _words(template: Template, known: Material) -> str:
    lines = [f"## `{template.name}`", ""]
    for language, name in LANGUAGES.items():
        lines += [f"System message, {name}:", "", "```text", prompt_of(template, language, known).system, "```", ""]
    for is_blind in (False, True):
        prompt = prompt_of(template, "en", known, is_blind=is_blind)
        lines += [
            f"User message{', under the blindfold' if is_blind else ''}:",
            "",
            "```json",
            _asked(prompt),
            "```",
            "",
        ]
    return "\n".join(lines)


def _asked(prompt: Prompt) -> str:
    """The user message with two of its candles."""
    question = json.loads(prompt.user)
    rows = [json.dumps(one, ensure_ascii=False) for one in question.pop("candles")]
    beside = json.dumps(question, ensure_ascii=False)[1:-1]
    return f'{{"candles": [{rows[0]},\n  … {len(rows) - 2} more …\n  {rows[-1]}],\n {beside}}}'


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
