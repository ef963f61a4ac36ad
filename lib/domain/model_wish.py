"""
What an operator asks of one model of the list from the room, as text until it is read. Pure.

A new model needs its address and its name at the provider; of one on the list both stay as they are, "" says so: who
runs it runs what they chose, and another address is a terminal's act. No key is in a wish.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation

from lib.domain.model_profile import KeptModel, ModelProfile
from lib.domain.pricing import AnalystPrices

SETTING = "model:"
"""Followed by the model's name: how an act names what it changes."""


@dataclass(frozen=True, slots=True)
class ModelWish:
    """Amounts as typed, USD; prices per million tokens, both "" = known ones; *day_usd* "" = no cap of its own."""

    name: str
    shown: str = ""
    base_url: str = ""
    model: str = ""
    input_usd: str = ""
    output_usd: str = ""
    day_usd: str = ""
    offered: str = "yes"

    @property
    def args(self) -> dict[str, str]:
        """As an act keeps it."""
        told = {one.name: str(getattr(self, one.name)) for one in fields(self) if one.name != "name"}
        said = " ".join(f"{name}={value}" for name, value in told.items() if value)
        return {"setting": f"{SETTING}{self.name}", "value": said, **told}

    def over(self, before: KeptModel | None) -> KeptModel:
        """The model as it would be; *ValueError* with a line that says why not."""
        if before is None:
            profile = ModelProfile(self.name, self.shown or self.model, self.base_url.rstrip("/"), self.model)
            return KeptModel(self._priced(profile), 0, "", 0)
        old = before.profile
        if {self.base_url.rstrip("/"), self.model} - {"", old.base_url, old.model}:
            raise ValueError("the address and the model of one on the list are changed on a terminal")
        return replace(before, profile=self._priced(replace(old, shown=self.shown or old.shown)))

    def _priced(self, profile: ModelProfile) -> ModelProfile:
        asked, said, day = map(_usd, (self.input_usd, self.output_usd, self.day_usd))
        if (asked is None) != (said is None):
            raise ValueError("prices: both, or neither")
        prices = AnalystPrices()
        if asked is not None and said is not None:
            prices = AnalystPrices(asked, said, free=not asked and not said)
        return replace(profile, prices=prices, day_usd=day, offered=self.offered == "yes")


def wish_of(args: Mapping[str, str]) -> ModelWish:
    """The wish that an act keeps."""
    told = {one.name: args.get(one.name, "") for one in fields(ModelWish) if one.name != "name"}
    return ModelWish(args["setting"].removeprefix(SETTING), **told)


def _usd(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:20]} is no amount in USD") from None
    if not found.is_finite():
        raise ValueError(f"{text[:20]} is no amount in USD")
    return found
