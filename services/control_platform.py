"""
Platform settings on the operator's command line: what holds, and changing it while everything runs.

    settings                                     every setting, what it says, and the newest changes with who and why
    set      registration open|invite|closed     who may become a person with a password
    set      guests follow|open|closed           new guests: as registration is (follow), in any case, not at all
    set      krw_per_usdt RATES|default          won for one USDT, shown beside amounts; default: none are shown but a
                                                 person's own. RATES: 1390, or by date 1390,2026-03-01=1402.5
    set      keep_texts_days DAYS|default        how long the analyst's prompts and answers stay in the database (90;
                                                 0 = for ever): older ones go to files, see services/archive.py
    invite   [--count N] [--days D]              one-time codes, shown here once and stored as hashes
    banner   --ko TEXT --en TEXT | --off         one line for everybody, on every page
    limit    NAME VALUE|default --why TEXT       in place of the environment's; --loosen where it is looser
    set      arena open|closed                   whether people see the arena and may enter it; a season begins by hand
    arena-begin [--days D] [--places N] [--each E] --why TEXT
                                                 a season of the arena, its rules sealed: whole days, entries ever, of
                                                 one person
    arena-end --why TEXT                         its end before its days are over
    real-cap ACCOUNTS EQUITY POSITIONS A_DAY --why TEXT
                                                 real money for a week: accounts, USDT on each, positions open at once,
                                                 USDT of entries a day; the newest one holds

A limit is in force from the trader's next cycle, for entries; what is open stays. "default" takes the row away, so that
the trader's own environment counts. An act answers with lines to print, or
raises *ValueError* with the one line that says why not.
"""

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from lib.accounts.invites import DAY_MS, LONGEST_DAYS, MOST_INVITES, code_sha256, new_code
from lib.bootstrap import PlatformControl
from lib.domain.arena import (
    LEAST_PLACES,
    LEAST_SEASON,
    MOST_EACH,
    MOST_PLACES,
    MOST_SEASON,
    USUAL_DAYS,
    USUAL_EACH,
    USUAL_PLACES,
    Rules,
    Season,
)
from lib.domain.operator_act import ActKind
from lib.domain.platform_settings import (
    ARENA,
    BANNER,
    GUESTS,
    KEEP_TEXTS,
    KRW,
    KRW_PER_USDT,
    LIMIT_BOUNDS,
    REGISTRATION,
    ArenaDoor,
    Banner,
    GuestDoor,
    Invites,
    Registration,
    Rows,
    SettingChange,
    admission,
    is_arena_open,
    keep_texts_days,
    krw_rates,
    limit_overrides,
    read_banner,
)
from lib.domain.real_money import read_cap
from lib.domain.won_rates import LEAST, MOST, WrongRate
from lib.trading.platform_desk import WORDS, said

NEWEST = 10
Act = Callable[[PlatformControl, argparse.Namespace], list[str]]


def add_arguments(acts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The words of these acts."""
    acts.add_parser("settings")
    chosen = acts.add_parser("set")
    chosen.add_argument("setting", choices=sorted((*WORDS, KRW, KEEP_TEXTS)))
    chosen.add_argument("word")
    chosen.add_argument("--why", default="")
    invited = acts.add_parser("invite")
    invited.add_argument("--count", type=int, default=1)
    invited.add_argument("--days", type=int, default=7)
    said = acts.add_parser("banner")
    said.add_argument("--ko", default="")
    said.add_argument("--en", default="")
    said.add_argument("--off", action="store_true")
    limit = acts.add_parser("limit")
    limit.add_argument("name")
    limit.add_argument("value")
    limit.add_argument("--why", required=True)
    limit.add_argument("--loosen", action="store_true", help="yes, more may be risked or spent than before")
    began = acts.add_parser("arena-begin")
    for name, usual in (("days", USUAL_DAYS), ("places", USUAL_PLACES), ("each", USUAL_EACH)):
        began.add_argument(f"--{name}", type=int, default=usual)
    began.add_argument("--why", required=True)
    acts.add_parser("arena-end").add_argument("--why", required=True)
    cap = acts.add_parser("real-cap")
    cap.add_argument("accounts", type=int)
    cap.add_argument("equity", type=Decimal)
    cap.add_argument("positions", type=int)
    cap.add_argument("a_day", type=Decimal)
    cap.add_argument("--why", required=True)


def show(platform: PlatformControl, asked: argparse.Namespace) -> list[str]:
    """`settings`."""
    rows = platform.book.rows()
    doors, banner = admission(rows), read_banner(rows)
    lines = [f"registration      {doors.registration}{_unread(rows, REGISTRATION, Registration)}"]
    lines.append(f"guests            {doors.guests}{_unread(rows, GUESTS, GuestDoor)}")
    lines.append(_invites(platform.book.invites()))
    if BANNER in rows:
        said = (banner.ko, banner.en) if banner else ("CANNOT BE READ: none is shown",)
        lines += [f"banner            {line}" for line in said]
    if KRW_PER_USDT in rows:
        rates = ",".join(map(str, krw_rates(rows)))
        lines.append(f"{KRW:<17} {rates or 'CANNOT BE READ: no won are shown'}")
    lines.append(f"{KEEP_TEXTS:<17} {keep_texts_days(rows) or 'for ever'}")
    lines.append(f"{'arena':<17} {'open' if is_arena_open(rows) else 'closed'}{_unread(rows, ARENA, ArenaDoor)}")
    if (season := platform.seasons.newest()) is not None:
        lines.append(season_line(season))
    lines += _limits(platform, rows)
    changes = platform.book.changes(NEWEST)
    return [*lines, "", "newest changes:", *map(change_line, changes)] if changes else lines


def choose(platform: PlatformControl, asked: argparse.Namespace) -> list[str]:
    """`set`."""
    if asked.setting == KRW:
        return _changed(_rates(platform, asked))
    if asked.setting == KEEP_TEXTS:
        return _changed(platform.desk.keep_texts(asked.word, platform.who, asked.why))
    return _changed(platform.desk.choose(asked.setting, asked.word, platform.who, asked.why))


def _rates(platform: PlatformControl, asked: argparse.Namespace) -> SettingChange | None:
    try:
        return platform.desk.rates(asked.word, platform.who, asked.why)
    except WrongRate as wrong:
        raise ValueError(f"{KRW}: part {wrong.line} must be a number from {LEAST} to {MOST}, or DATE=NUMBER") from None


def invite(platform: PlatformControl, asked: argparse.Namespace) -> list[str]:
    """`invite`."""
    if not (1 <= asked.count <= MOST_INVITES and 1 <= asked.days <= LONGEST_DAYS):
        raise ValueError(f"1 to {MOST_INVITES} invitations for 1 to {LONGEST_DAYS} days")
    codes = [new_code() for _ in range(asked.count)]
    until_ms = platform.clock.now_ms() + asked.days * DAY_MS
    platform.book.add_invites([code_sha256(code) for code in codes], until_ms, platform.who)
    return [f"each good once, until {_moment(until_ms)}; they are not shown again", *codes]


def say(platform: PlatformControl, asked: argparse.Namespace) -> list[str]:
    """`banner`."""
    if asked.off == bool(asked.ko or asked.en):
        raise ValueError("a banner needs --ko and --en, or --off to take it away")
    return _changed(platform.desk.say(None if asked.off else Banner(asked.ko, asked.en), platform.who))


def limit(platform: PlatformControl, asked: argparse.Namespace) -> list[str]:
    """`limit`: strict words, the reason, and `--loosen` wherever more would be let through than before."""
    return _changed(platform.desk.limit(asked.name, asked.value, platform.who, asked.why, may_loosen=asked.loosen))


def real_cap(platform: PlatformControl, asked: argparse.Namespace) -> list[str]:
    """`real-cap`: what may be risked of real money for a week; every other gate still stands before an entry."""
    if not asked.why.strip():
        raise ValueError("say why with --why")
    cap = read_cap(asked.accounts, asked.equity, asked.positions, asked.a_day, f"{platform.who}: {asked.why}")
    platform.caps.write(cap)
    figures = f"{cap.accounts} accounts, {cap.equity} USDT on each, {cap.positions} open, {cap.a_day} USDT a day"
    return [f"real money for a week from now: {figures}"]


def arena_begin(platform: PlatformControl, asked: argparse.Namespace) -> list[str]:
    """`arena-begin`."""
    begun = platform.seasons.begin(_rules(asked), platform.clock.now_ms())
    if begun is None:
        raise ValueError("a season runs: it ends by itself, or by arena-end")
    return [season_line(begun)]


def arena_end(platform: PlatformControl, asked: argparse.Namespace) -> list[str]:
    """`arena-end`."""
    ended = platform.seasons.end(platform.clock.now_ms())
    if ended is None:
        raise ValueError("no season runs")
    return [season_line(ended)]


def _rules(asked: argparse.Namespace) -> Rules:
    rules = Rules(asked.days, asked.places, asked.each)
    if not rules.is_lawful:
        raise ValueError(
            f"a season has {LEAST_SEASON} to {MOST_SEASON} days, {LEAST_PLACES} to {MOST_PLACES} places, "
            f"1 to {MOST_EACH} of them of one person"
        )
    return rules


def season_line(season: Season) -> str:
    """A season as the terminal tells it."""
    rules = season.rules
    span = f"{_moment(season.first_ms)[:10]} to {_moment(season.until_ms)[:10]}"
    return (
        f"arena             season {season.season_id}: {span}, {season.taken} of {rules.places} places taken, "
        f"{rules.each} a person, seal {season.seal[:12]}"
    )


def act_of(asked: argparse.Namespace) -> tuple[ActKind, Mapping[str, str]] | None:
    """How what was *asked* is written among the operators' acts; None for what only looks. No code is in it."""
    if asked.act == "set":
        return "setting", {"setting": asked.setting, "value": asked.word, "why": asked.why}
    if asked.act == "banner":
        return "setting", {"setting": "banner", "ko": asked.ko, "en": asked.en}
    if asked.act == "limit":
        loosen = "yes" if asked.loosen else "no"
        return "setting", {"setting": f"limit:{asked.name}", "value": asked.value, "why": asked.why, "loosen": loosen}
    if asked.act == "real-cap":
        figures = f"{asked.accounts} {asked.equity} {asked.positions} {asked.a_day}"
        return "setting", {"setting": "real-cap", "value": figures, "why": asked.why}
    if asked.act == "arena-begin":
        figures = f"begin {asked.days} {asked.places} {asked.each}"
        return "setting", {"setting": "arena-season", "value": figures, "why": asked.why}
    if asked.act == "arena-end":
        return "setting", {"setting": "arena-season", "value": "end", "why": asked.why}
    if asked.act == "invite":
        return "invite", {"count": str(asked.count), "days": str(asked.days)}
    return None


ACTS: dict[str, Act] = {
    "settings": show,
    "set": choose,
    "invite": invite,
    "banner": say,
    "limit": limit,
    "real-cap": real_cap,
    "arena-begin": arena_begin,
    "arena-end": arena_end,
}


def change_line(change: SettingChange) -> str:
    """One entry of the trail."""
    why = f": {change.why}" if change.why else ""
    return f"{_moment(change.at_ms)}  {change.name} {said(change.before)} → {said(change.after)} · {change.who}{why}"


def _changed(change: SettingChange | None) -> list[str]:
    return ["it says that already"] if change is None else [change_line(change)]


def _invites(known: Invites) -> str:
    return f"invitations       {known.good} good, {known.used} used, {known.over} over"


def _limits(platform: PlatformControl, rows: Rows) -> list[str]:
    overrides = limit_overrides(rows)
    lines = [
        "limits (in force from the next cycle; without a row the trader's environment counts, here this terminal's):"
    ]
    for name in LIMIT_BOUNDS:
        figure = overrides.figures.get(name)
        source = "environment" if figure is None else f"an operator; environment {getattr(platform.limits, name)}"
        lines.append(f"  {name:<16} {getattr(platform.limits, name) if figure is None else figure}  ({source})")
    unread = [f"  {name} CANNOT BE READ: nothing is entered until it is set again" for name in overrides.unreadable]
    return lines + unread


def _unread(rows: Rows, name: str, words: type[Registration] | type[GuestDoor] | type[ArenaDoor]) -> str:
    return f"  ({rows[name]!r} cannot be read)" if name in rows and rows[name] not in set(words) else ""


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
