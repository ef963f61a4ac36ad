"""The tiles of the dashboard: what is said beside each number."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.i18n import catalogue
from app.ui.tiles import Tile, tile_row, unpaid
from app.ui.write import cost
from lib.domain.books import Charge
from lib.queries import EquityRow, Tiles

ZERO = Decimal(0)
TILES = Tiles(
    equity=Decimal(11_000), balance=Decimal(11_000), paid_in=Decimal(11_000), day_start=Decimal(11_000), today=ZERO,
    open_pnl=ZERO, drawdown=ZERO, win_rate=None, rounds=0, fees=ZERO, funding=ZERO, price=None, curve=(),
    difference=ZERO, checked_ms=1,
)  # fmt: skip


def shown(found: Tiles, language: str = "en") -> dict[str, Tile]:
    return {tile.key: tile for tile in tile_row(found, lambda key: catalogue(language)[key])}


def test_a_deposit_is_neither_profit_nor_loss() -> None:
    tiles = shown(TILES)
    assert (tiles["equity"].note, tiles["today"].note, tiles["today"].tone) == ("", "", "")
    assert shown(replace(TILES, equity=Decimal(11_110)))["equity"].note == "+1.00%"


@pytest.mark.parametrize(
    ("difference", "checked_ms", "note"),
    [
        ("0", 0, ("", "")),
        ("0", 1, ("equals the wallet", "")),
        ("-5", 1, ("wallet differs by -5", "down")),
        ("0.00000001", 1, ("wallet differs by +0.00000001", "down")),
    ],
)
def test_what_wallet_and_books_differ_by_stands_under_the_balance(
    difference: str, checked_ms: int, note: tuple[str, str]
) -> None:
    found = shown(replace(TILES, difference=Decimal(difference), checked_ms=checked_ms))["balance"]
    assert (found.note, found.note_tone) == note


def test_won_stands_under_what_is_money_where_a_rate_is_set() -> None:
    assert not any(tile.won for tile in shown(TILES).values())
    found = replace(TILES, today=Decimal("-12.345"), open_pnl=Decimal("0.5"))
    told = {tile.key: tile.won for tile in tile_row(found, lambda key: catalogue("en")[key], Decimal("1390.5"))}
    assert told == {
        "equity": "≈ ₩15,295,500",
        "today": "≈ -\N{NARROW NO-BREAK SPACE}₩17,166",
        "open_pnl": "≈ ₩695",
        "balance": "≈ ₩15,295,500",
        **dict.fromkeys(("drawdown", "win_rate"), ""),
    }


def test_what_was_paid_out_is_no_fall_of_the_curve() -> None:
    rows = [(10_000, 0), (10_100, 0), (6_100, -4_000), (6_050, -4_000)]
    curve = [EquityRow(n, ZERO, Decimal(e), ZERO, Decimal(paid)) for n, (e, paid) in enumerate(rows)]
    assert unpaid(curve) == [6_000, 6_100, 6_100, 6_050]
    assert unpaid([]) == []


GST = Charge("GST", "USDT", Decimal("0.0594"), Decimal("0.0594"))
MNT = Charge("trading", "MNT", Decimal("2.60041"), Decimal("3.135"))


@pytest.mark.parametrize(
    ("fee", "charges", "text"),
    [
        ("0.33", (), "0.33"),
        ("0", (), "0"),
        ("0.3894", (GST,), "0.33 + GST 0.0594"),
        ("0", (MNT,), "2.60041 MNT (≈ 3.14 USDT)"),
        ("0", (replace(MNT, worth=None),), "2.60041 MNT"),
        ("0.0594", (MNT, GST), "2.60041 MNT (≈ 3.14 USDT) + GST 0.0594"),
        ("-0.1", (), "-0.1"),
    ],
)
def test_a_cost_is_told_in_every_coin_it_was_paid_in(fee: str, charges: tuple[Charge, ...], text: str) -> None:
    assert cost(Decimal(fee), charges) == text
