"""
What a person should know before a key leaves the browser: what it changes at the exchange, where it is best made, and
the least equity with which anything can ever be ordered.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import streamlit as st

from app.i18n import md, t
from app.system import system
from app.ui.write import exact, money, percent
from lib.accounts.web import SessionUser
from lib.domain.account import AccountSettings, RiskLevel
from lib.domain.instrument import Instrument
from lib.domain.sizing import MIN_STOP, least_equity

WIDE_STOP = Decimal("0.02")
"""A stop as analysts often set it, beside the nearest there is."""


def before_key(user: SessionUser) -> None:
    """Draw it, for the symbol that keys of this deployment trade."""
    symbol = system().symbols[0]
    st.markdown(f":material/swap_horiz: {md('key.isolated', symbol=symbol)}")
    st.markdown(f":material/account_tree: {t('key.sub_account')}")
    _least(user, symbol)


def _least(user: SessionUser, symbol: str) -> None:
    readings = system().readings
    rules, price = readings.rules(symbol), readings.last_price(symbol)
    if rules is None or price is None:
        return
    chosen = readings.settings(user.user_id)
    settings = AccountSettings() if chosen is None else chosen.settings
    st.markdown(f":material/payments: {md('key.least', symbol=symbol, price=exact(price))}")
    stops = (MIN_STOP, WIDE_STOP)
    rows = [[t(f"risk.{level.value}"), *_amounts(settings, level, rules, price, stops)] for level in RiskLevel]
    names = [t("control.risk_level"), *(t("key.least_stop", stop=percent(stop, places=1)) for stop in stops)]
    st.table([dict(zip(names, row, strict=True)) for row in rows])


def _amounts(
    settings: AccountSettings, level: RiskLevel, rules: Instrument, price: Decimal, stops: Iterable[Decimal]
) -> list[str]:
    """What an entry needs on *level*, for each of *stops*; a dash where no equity would do."""
    return [money(least_equity(replace(settings, risk_level=level), rules, price, stop)) for stop in stops]
