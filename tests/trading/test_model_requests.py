"""The operators' room changes the list of models through the trader: money as it was said, addresses never."""

from dataclasses import replace
from decimal import Decimal

import pytest

from lib.clock import SteppedClock
from lib.domain.model_profile import KeptModel, ModelProfile
from lib.domain.model_wish import ModelWish
from lib.domain.operator_act import OperatorAct
from lib.domain.pricing import AnalystPrices
from lib.ports.models import ModelRegister
from lib.trading.model_requests import MOST_LISTED, ModelRequests

WISH = ModelWish("fast", "Fast", "https://api.example.com/v1/", "gpt-x", "1", "2", "5")
PRICES = AnalystPrices(Decimal(1), Decimal(2))
PROFILE = ModelProfile("fast", "Fast", "https://api.example.com/v1", "gpt-x", PRICES, Decimal(5))
KEPT = KeptModel(PROFILE, 0, "v1.sealed", 3, "9876")


class Register(ModelRegister):
    def __init__(self, *kept: KeptModel) -> None:
        self.rows = {one.profile.name: one for one in kept}

    def listed(self) -> list[KeptModel]:
        return [self.rows[name] for name in sorted(self.rows)]

    def keep(self, kept: KeptModel, now_ms: int) -> None:
        self.rows[kept.profile.name] = kept

    def delete(self, name: str) -> bool:
        raise AssertionError("a terminal's act")


def act(wish: ModelWish) -> OperatorAct:
    return OperatorAct(1, 7, "setting", 0, wish.args | {"why": "cheaper"}, 1)


def requests(register: Register) -> ModelRequests:
    return ModelRequests(register, lambda profile: profile, SteppedClock(1))


def test_a_new_model_is_put_on_the_list_without_a_key() -> None:
    register = Register()
    change = requests(register).change(act(WISH))
    assert change is not None
    assert (change.name, change.before, change.who) == ("model:fast", None, "operator:7")
    assert register.listed() == [replace(KEPT, sealed="", key_version=0, last4="")]


def test_price_budget_and_offer_change_and_the_key_stays() -> None:
    register = Register(KEPT)
    wish = ModelWish("fast", input_usd="0", output_usd="0", offered="no")
    assert requests(register).change(act(wish)) is not None
    [after] = register.listed()
    assert after.profile.prices == AnalystPrices(free=True)
    assert (after.profile.day_usd, after.profile.offered) == (None, False)
    assert (after.sealed, after.last4, after.profile.base_url) == ("v1.sealed", "9876", KEPT.profile.base_url)
    assert requests(register).change(act(wish)) is None, "as it is"


@pytest.mark.parametrize(
    "wish",
    [
        replace(WISH, base_url="https://elsewhere.example.com/v1"),
        replace(WISH, model="another"),
        replace(WISH, input_usd="", output_usd=""),  # a budget that cannot be counted
        replace(WISH, day_usd="-1"),
        replace(WISH, input_usd="x"),
        replace(WISH, name="own/fast"),
    ],
)
def test_what_the_list_may_not_hold_is_refused_and_nothing_is_written(wish: ModelWish) -> None:
    register = Register(KEPT)
    with pytest.raises(ValueError, match=r"\w"):
        requests(register).change(act(wish))
    assert register.listed() == [KEPT]


def test_the_list_has_an_end() -> None:
    many = [replace(KEPT, profile=replace(KEPT.profile, name=f"m{number}")) for number in range(MOST_LISTED)]
    with pytest.raises(ValueError, match="already"):
        requests(Register(*many)).change(act(WISH))
