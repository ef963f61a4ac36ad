"""
The operator's list of models on the command line.

    models                                       the list: where each is asked, what it costs, whether it is offered
    model    NAME --url URL --model ID           put a model on the list, or change it
             [--shown TEXT] [--key | --no-key]   its name on pages; --key reads the key from standard input
             [--input USD --output USD [--cached USD] | --free | --known]
                                                 per million tokens; without any, known prices are filled in by the
                                                 model's id, and one nobody knows is unknown (never 0)
             [--cutoff DAY]                      the last day of what it was trained on, 2024-06-30; "" = not known
             [--day USD | --no-day]              the most it may cost a UTC day; it needs a price
             [--offer | --withdraw]              whether people may choose it; who runs it is asked no more
    model    NAME --delete

The first of the list is the environment's model (OPENAI_*), called `default`; it is changed there. What is left out
stays as it is. A key is sealed for the trader at once and shown nowhere again.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from lib.bootstrap import ModelControl
from lib.domain.model_profile import LONGEST_KEY, KeptModel, ModelProfile, flaw_of
from lib.domain.operator_act import ActKind
from lib.domain.pricing import AnalystPrices

Act = Callable[[ModelControl, argparse.Namespace], list[str]]
FLAGS = ("key", "no_key", "free", "known", "no_day", "offer", "withdraw", "delete")
WRONG: Mapping[str, str] = {
    "name": "a name is a-z, 0-9 and -, 35 characters at most, and not `default`",
    "shown": "--shown: 1 to 60 characters that can be seen",
    "url": "--url: an address beginning with http(s)://, before /chat/completions, without name, password, ? or #",
    "https": "--url: outside this network only https:// keeps the key a secret",
    "model": "--model: the model's name as the provider calls it, 100 characters at most",
    "price": "a price is USD per million tokens, 0 to 10000 with at most 6 decimals; nothing at all is --free",
    "budget": "--day: USD from 0 to 100000 with at most 6 decimals",
    "cutoff": "--cutoff: a day such as 2024-06-30, or nothing",
    "uncounted": "--day: what the model costs is not known, so its cost cannot be counted: give --input and --output",
}


def add_arguments(acts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The words of these acts."""
    acts.add_parser("models")
    one = acts.add_parser("model")
    one.add_argument("name")
    for name in ("--url", "--model", "--shown", "--cutoff"):
        one.add_argument(name)
    for name in ("--input", "--output", "--cached", "--day"):
        one.add_argument(name, type=_usd)
    for name in ("--free", "--known", "--no-day", "--delete"):
        one.add_argument(name, action="store_true")
    for pair in (("--key", "--no-key"), ("--offer", "--withdraw")):
        either = one.add_mutually_exclusive_group()
        for name in pair:
            either.add_argument(name, action="store_true")


def _usd(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError("an amount in USD") from None


def show(control: ModelControl, asked: argparse.Namespace) -> list[str]:
    """`models`."""
    lines = model_lines(control.environment, "the environment's key")
    for one in control.register.listed():
        key = f"key ••••{one.last4}" if one.sealed else "no key"
        lines += model_lines(control.known(one.profile), key)
    return lines


def model_lines(profile: ModelProfile, key: str) -> list[str]:
    """One model of the list."""
    state = "" if profile.offered else "  (not offered)"
    day = "no cap of its own" if profile.day_usd is None else f"{profile.day_usd} USD a day"
    return [
        f"{profile.name:<20} {profile.shown}{state}",
        f"{'':<20} {profile.model} at {profile.base_url}, {key}",
        f"{'':<20} {told_prices(profile.prices)}; {day}",
    ]


def told_prices(prices: AnalystPrices) -> str:
    """Prices in words; an unknown one is said to be unknown."""
    if not prices.known:
        return "price unknown"
    if prices.free:
        return "free"
    cached = "" if prices.cached_usd is None else f", {prices.cached_usd.normalize():f} cached"
    return f"{prices.input_usd.normalize():f} + {prices.output_usd.normalize():f}{cached} USD per million tokens"


def change(control: ModelControl, asked: argparse.Namespace) -> list[str]:
    """`model`: the lines to print; *ValueError* with the one line that says why not."""
    before = next((one for one in control.register.listed() if one.profile.name == asked.name), None)
    if asked.delete:
        if not control.register.delete(asked.name):
            raise ValueError(f"there is no model {asked.name} on the list, see `models`")
        return [f"{asked.name} is off the list, and its key gone; who runs it is asked no more"]
    after = _changed(before or KeptModel(ModelProfile(asked.name, "", "", ""), 0, "", 0), asked)
    if flaw := flaw_of(control.known(after.profile)):
        raise ValueError(WRONG[flaw])
    key = _key(asked)
    moved = before is not None and before.sealed and before.profile.base_url != after.profile.base_url
    if moved and key is None:
        raise ValueError("the key is bound to the address it was given for: give it again with --key, or --no-key")
    control.keep(after, key)
    found = next(one for one in control.register.listed() if one.profile.name == asked.name)
    return model_lines(control.known(found.profile), f"key ••••{found.last4}" if found.sealed else "no key")


def _key(asked: argparse.Namespace) -> str | None:
    if not asked.key:
        return "" if asked.no_key else None
    key = sys.stdin.readline().strip()
    if not 8 <= len(key) <= LONGEST_KEY or not all("!" <= letter <= "~" for letter in key):
        raise ValueError("what stands on standard input is no key: one line, 8 characters or more, without spaces")
    return key


def _changed(before: KeptModel, asked: argparse.Namespace) -> KeptModel:
    old = before.profile
    url, model = (asked.url or old.base_url).rstrip("/"), asked.model or old.model
    offered = asked.offer or (old.offered and not asked.withdraw)
    prices = _prices(old.prices, asked)
    day = None if asked.no_day else old.day_usd if asked.day is None else asked.day
    shown = asked.shown or old.shown or model or old.name
    cutoff = old.cutoff if asked.cutoff is None else asked.cutoff
    return replace(before, profile=ModelProfile(old.name, shown, url, model, prices, day, offered, cutoff))


def _prices(before: AnalystPrices, asked: argparse.Namespace) -> AnalystPrices:
    given = (asked.input, asked.output)
    if sum((asked.free, asked.known, given != (None, None))) > 1 or (given.count(None) == 1):
        raise ValueError("prices: --input with --output, or --free, or --known")
    if asked.free:
        return AnalystPrices(free=True)
    if asked.known:
        return AnalystPrices()
    if asked.input is None or asked.output is None:
        return before
    return AnalystPrices(asked.input, asked.output, asked.cached)


def act_of(asked: argparse.Namespace) -> tuple[ActKind, Mapping[str, str]] | None:
    """How what was *asked* is written among the operators' acts; None for what only looks. No key is in it."""
    if asked.act != "model":
        return None
    words = {name: getattr(asked, name) for name in ("url", "model", "shown", "input", "output", "cached", "day")}
    flags = [name for name in FLAGS if getattr(asked, name)]
    said = [f"{name}={value}" for name, value in words.items() if value is not None] + flags
    return "setting", {"setting": f"model:{asked.name[:40]}", "value": " ".join(said)[:400]}


ACTS: dict[str, Act] = {"models": show, "model": change}
