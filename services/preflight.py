"""
The acceptance cards asked by machine, and the evidence kept.

    make preflight VENUE=demo|testnet|mainnet         a key that is typed: reading cards, then the order cards
    make preflight ACCOUNT=N                          the account N of this deployment by its sealed key: reading cards
    make preflight ACCOUNT=real                       so every account in use on a venue with real money; for a timer
    make preflight ACCOUNT=N ARGS=--orders            the order cards too, after words typed at a terminal

Reading cards first; where all of them pass the order cards, which trade the smallest order there is and leave nothing
open. With real money, and with anybody's sealed key, they are asked only after a consent that is typed. A key stands in
no command line, no environment and no file; a sealed one is opened where ENCRYPTION_KEY is, which is never the web.
Exit status 0 when every card that was asked passed, else 1.
"""

import argparse
import asyncio
import getpass
import sys
from typing import cast

from lib import bootstrap, log, settings
from lib.bootstrap import PreflightWish
from lib.domain.account import VENUES, Venue
from lib.domain.api_key import ApiKey
from lib.domain.errors import Halt
from lib.domain.preflight import CardResult
from lib.domain.venues import CAPABILITIES
from lib.reason_text import said
from services.local import deployment
from services.process import last_line

CONSENT, TRY_ORDERS = "REAL MONEY", "ORDERS"
"""What is typed before the order cards, with the account's number after it where its key is sealed here."""
EVERY_REAL = "real"
LANGUAGES = ("ko", "en")


def main(words: list[str] | None = None) -> int:
    """Ask the cards of the command line; the exit status."""
    asked = _arguments(words)
    log.setup("preflight", "text", "CRITICAL")
    loaded = _settings()
    symbol = asked.symbol or loaded.symbols[0]
    if asked.account:
        numbers = bootstrap.real_accounts(loaded) if asked.account == EVERY_REAL else [int(asked.account)]
        _say(f"{len(numbers)} accounts by their sealed keys")
        return max((_sealed(loaded, number, asked, symbol) for number in numbers), default=0)
    wish = PreflightWish(cast("Venue", asked.venue), symbol, _key(), asked.url)
    return _asked(loaded, wish, orders=not asked.read_only)


def _sealed(loaded: settings.Settings, number: int, asked: argparse.Namespace, symbol: str) -> int:
    """One account by its sealed key; that it cannot be asked holds up no other."""
    try:
        wish = bootstrap.sealed_wish(loaded, number, symbol, asked.url)
        return _asked(loaded, wish, orders=asked.orders)
    except Halt as refused:
        _say(f"account {number}: {refused}")
        return 1


def _asked(loaded: settings.Settings, wish: PreflightWish, *, orders: bool) -> int:
    """Ask the cards of one account; the exit status."""
    whose = f" · account {wish.account_id}" if wish.account_id else ""
    _say(f"{wish.venue} · {wish.symbol} · {bootstrap.preflight_url(loaded, wish)}{whose}")
    run, evidence = asyncio.run(bootstrap.ask_preflight(loaded, wish, _told, lambda: orders and _may_trade(wish)))
    _say(f"evidence: {evidence}")
    _say(f"{sum(row.passed for row in run.results)} of {len(run.results)} cards passed")
    return int(not run.is_flawless)


def _arguments(words: list[str] | None) -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="preflight", description=__doc__, formatter_class=form)
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--venue", choices=VENUES)
    whose.add_argument("--account", type=_number, help=f"an account's number here, or {EVERY_REAL}")
    parser.add_argument("--symbol", default="", help="default: the first of SYMBOLS")
    parser.add_argument("--url", default="", help="a simulator on this machine instead of the venue's own host")
    parser.add_argument("--read-only", action="store_true", help="the cards that change nothing")
    parser.add_argument("--orders", action="store_true", help="with --account: the order cards too, after typed words")
    asked = parser.parse_args(words)
    if asked.orders and (asked.read_only or asked.account in (None, EVERY_REAL)):
        parser.error("--orders goes with the number of one account")
    return asked


def _number(text: str) -> str:
    if text != EVERY_REAL and not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"an account's number, or {EVERY_REAL}")
    return text


def _settings() -> settings.Settings:
    """Those of the deployment here, or of the environment alone where there is none yet."""
    try:
        return deployment()
    except Halt:
        return settings.load()


def _key() -> ApiKey:
    ask = getpass.getpass if sys.stdin.isatty() else _line
    api_key, api_secret = ask("API key: ").strip(), ask("API secret: ").strip()
    if not api_key or not api_secret:
        raise Halt("type the API key and its secret when asked")
    return ApiKey(api_key, api_secret)


def _line(prompt: str) -> str:
    return sys.stdin.readline()


def _may_trade(wish: PreflightWish) -> bool:
    real = CAPABILITIES[wish.venue].has_real_money
    if not real and not wish.account_id:
        return True
    whose = f" on account {wish.account_id}" if wish.account_id else ""
    words = f"{CONSENT if real else TRY_ORDERS} {wish.account_id or ''}".strip()
    money = " WITH REAL MONEY: fees and price moves are its owner's" if real else ""
    _say(f"The order cards trade the smallest {wish.symbol} order twice{whose}{money}.")
    _say(f"Type {words} to go on; anything else leaves them out.")
    return sys.stdin.readline().strip() == words


def _told(result: CardResult) -> None:
    sign = "✓" if result.passed else "✗"
    for language in LANGUAGES:
        asks, got = said(result.asks, language), said(result.got, language)
        wants = "" if result.passed else f" [{said(result.expects, language)}]"
        _say(f"{sign if language == LANGUAGES[0] else ' '} {asks}: {got}{wants}")


def _say(line: str) -> None:
    sys.stdout.write(log.redact(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with last_line("preflight"):
        sys.exit(main())
