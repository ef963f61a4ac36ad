"""
`make replay FILE=… USERS=20 DAYS=2`: the real system over a candle file, then the audit and the picture.

DATABASE_URL and REDIS_URL choose the stores (the database must be empty); without them embedded ones are used and
thrown away. Exit status 1 when any promise did not hold.
"""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from lib import bootstrap, log, settings
from lib.bootstrap import Findings, ReplayPlan
from lib.reason_text import outline
from services.process import last_line

CENT = Decimal("0.01")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make replay", description=__doc__)
    parser.add_argument("--file", type=Path, help="one-minute candles: CSV, JSON, feather, parquet; plain or packed")
    parser.add_argument("--users", type=_count, default=20)
    parser.add_argument("--days", type=_count, default=2)
    parser.add_argument("--symbol", type=_symbol, default="BTCUSDT")
    parser.add_argument("--picture", type=Path, default=Path("var/replay.png"))
    return parser.parse_args()


def _count(text: str) -> int:
    if not (text.isdecimal() and len(text) <= 4 and int(text) > 0):
        raise argparse.ArgumentTypeError("a whole number from 1 to 9999")
    return int(text)


def _symbol(text: str) -> str:
    if not (text.isascii() and text.isalnum() and len(text) <= 20):
        raise argparse.ArgumentTypeError("a symbol such as BTCUSDT")
    return text.upper()


def main() -> int:
    """Run, tell, draw; the exit status."""
    asked = _arguments()
    env = settings.inherited()
    loaded = settings.load({**env, "FEED": "synthetic"})
    log.setup("replay", "text", env.get("LOG_LEVEL", "CRITICAL"))
    asked.picture.parent.mkdir(parents=True, exist_ok=True)
    if asked.file is None:
        asked.file = bootstrap.synthetic_file(Path("var"), asked.days, symbol=asked.symbol)
    stores = (loaded.database_url, loaded.redis_url, loaded.redis_tls_verify)
    plan = ReplayPlan(asked.file, asked.users, asked.days, asked.symbol, *stores)
    found = asyncio.run(bootstrap.replay(plan, _progress))
    sys.stdout.write(table(found))
    draw(found, asked.picture)
    sys.stdout.write(f"\npicture: {asked.picture}\n")
    return 0 if found.clean else 1


def _progress(done: int, total: int) -> None:
    if done % 24 == 0 or done == total:
        sys.stderr.write(f"\r{done}/{total} cycles")
        sys.stderr.flush()
        if done == total:
            sys.stderr.write("\n")


def table(found: Findings) -> str:
    """The summary as text."""
    begun = datetime.fromtimestamp(found.first_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        "",
        *(f"file          {note}" for note in found.notes),
        f"stores        {found.database} · Redis {found.redis}",
        f"cycles        {found.cycles} from {begun}: {found.decided} decided, {found.skipped} visibly skipped",
        *(f"              {count} × {outline(code, 'en')}" for code, count in found.skip_reasons.most_common()),
        f"analyst       {found.answers} answers (one per prompt group and cycle)",
        f"log rows      {_counts(found.outcomes)}",
        f"orders        {_counts(found.orders)}",
        f"executions    {found.fills} fills ({found.stops} by stop), {found.funding} funding payments",
        "",
        _row("account", "trades", "start", "realised", "fees", "funding", "balance", "books − exchange"),
    ]
    for person in found.people:
        amounts = (person.start, person.realised, person.fees, person.funding, person.exchange)
        difference = f"{person.books - person.exchange:f}"
        lines.append(
            _row(person.label, str(person.trades), *(str(money.quantize(CENT)) for money in amounts), difference)
        )
    held = found.buy_and_hold[-1][1] if found.buy_and_hold else Decimal(1)
    lines += ["", f"buy and hold  {(held - 1) * 100:+.2f} %", ""]
    for name, problems in (
        ("orders not resolved", found.unresolved),
        ("positions seen without a stop", found.naked),
        ("books unequal to the exchange", found.unequal),
        ("log rows missing", found.missing),
    ):
        lines.append(f"{name:34}{len(problems)}{'  ' + problems[0] if problems else ''}")
    return "\n".join(lines) + "\n"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name.lower()}" for name, count in sorted(counts.items())) or "none"


def _row(label: str, trades: str, *amounts: str) -> str:
    return f"{label:22}{trades:>7}" + "".join(f"{amount:>12}" for amount in amounts[:-1]) + f"  {amounts[-1]:>18}"


def draw(found: Findings, picture: Path) -> None:
    """Everybody's equity beside buying and holding."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import dates
    from matplotlib import pyplot as plt

    def at(t_ms: int) -> datetime:
        return datetime.fromtimestamp(t_ms / 1000, UTC)

    figure, axes = plt.subplots(figsize=(11, 5.5), dpi=140)
    shades = {"low": "#2f9e6e", "medium": "#3b78c9", "high": "#d2803a"}
    for person in found.people:
        level = person.label.split()[1]
        curve = [(at(t_ms), float(equity / person.start * 100)) for t_ms, equity in person.curve]
        axes.plot(*zip(*curve, strict=True), color=shades[level], linewidth=1.1, alpha=0.75)
    held = [(at(t_ms), float(value * 100)) for t_ms, value in found.buy_and_hold]
    axes.plot(*zip(*held, strict=True), color="#222222", linewidth=2, label="buy and hold")
    for level, shade in shades.items():
        axes.plot([], [], color=shade, label=f"risk level {level}")
    axes.set_ylabel("equity, % of the start")
    axes.xaxis.set_major_formatter(dates.DateFormatter("%m-%d %H:%M"))  # type: ignore[no-untyped-call]
    axes.set_title(
        f"{len(found.people)} accounts, {found.cycles} cycles, local rule-based analyst", loc="left", fontsize=11
    )
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="best")
    figure.tight_layout()
    figure.savefig(picture)


if __name__ == "__main__":
    with last_line("replay"):
        sys.exit(main())
