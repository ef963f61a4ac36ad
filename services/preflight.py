"""
`make preflight VENUE=demo|testnet|mainnet`: the acceptance cards asked by machine, and the evidence kept.

Reading cards first; where all of them pass the order cards, which trade the smallest order there is and leave nothing
open. On real money the order cards are asked only after a consent that is typed. The key is typed too: it stands in no
command line, no environment and no file. Exit status 0 when every card that was asked passed, else 1.
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

CONSENT = "REAL MONEY"
LANGUAGES = ("ko", "en")


def main(words: list[str] | None = None) -> int:
    """Ask the cards of the command line; the exit status."""
    asked = _arguments(words)
    log.setup("preflight", "text", "CRITICAL")
    loaded = _settings()
    venue = cast("Venue", asked.venue)
    wish = PreflightWish(venue, asked.symbol or loaded.symbols[0], _key(), asked.url)
    _say(f"{venue} · {wish.symbol} · {bootstrap.preflight_url(loaded, wish)}")
    run, evidence = asyncio.run(bootstrap.preflight(loaded, wish, _told, lambda: _may_trade(wish, asked.read_only)))
    _say(f"evidence: {evidence}")
    _say(f"{sum(row.passed for row in run.results)} of {len(run.results)} cards passed")
    return int(not run.is_flawless)


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="preflight", description=__doc__)
    parser.add_argument("--venue", choices=VENUES, required=True)
    parser.add_argument("--symbol", default="", help="default: the first of SYMBOLS")
    parser.add_argument("--url", default="", help="a simulator on this machine instead of the venue's own host")
    parser.add_argument("--read-only", action="store_true", help="the cards that change nothing")
    return parser.parse_args(words)


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


def _may_trade(wish: PreflightWish, read_only: bool) -> bool:
    if read_only:
        return False
    if not CAPABILITIES[wish.venue].has_real_money:
        return True
    _say(
        f"The order cards trade the smallest {wish.symbol} order twice WITH REAL MONEY: fees and price moves are yours."
    )
    _say(f"Type {CONSENT} to go on; anything else leaves them out.")
    return sys.stdin.readline().strip() == CONSENT


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
