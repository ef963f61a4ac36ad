"""Charges of an execution as JSON and back: amounts travel as strings, so nothing passes through a float."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from lib.domain.books import Charge


def charges_json(charges: Iterable[Charge]) -> list[dict[str, str | None]] | None:
    """The JSON of column `charges`; None without a charge, as in rows older than the column."""
    return [_told(charge) for charge in charges] or None


def _told(charge: Charge) -> dict[str, str | None]:
    worth = None if charge.worth is None else f"{charge.worth:f}"
    return {"kind": charge.kind, "coin": charge.coin, "amount": f"{charge.amount:f}", "worth": worth}


def read_charges(stored: Iterable[Mapping[str, str | None]] | None) -> tuple[Charge, ...]:
    """The inverse of `charges_json`."""
    return tuple(_read(row) for row in stored or ())


def _read(row: Mapping[str, str | None]) -> Charge:
    worth = row["worth"]
    return Charge(
        str(row["kind"]), str(row["coin"]), Decimal(str(row["amount"])), None if worth is None else Decimal(worth)
    )
