"""A sequence of candles for who can tell the one at a place: none is made before it is looked at."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import overload

from lib.domain.candle import Candle


class CandleRun(Sequence[Candle]):
    """Its parts are lists; a place before the start or past the end is an IndexError."""

    @abstractmethod
    def at(self, place: int) -> Candle:
        """The candle at *place*, from 0 to its length less one."""

    @overload
    def __getitem__(self, index: int) -> Candle: ...
    @overload
    def __getitem__(self, index: slice) -> list[Candle]: ...
    def __getitem__(self, index: int | slice) -> Candle | list[Candle]:
        places = range(len(self))[index]
        return [self.at(place) for place in places] if isinstance(places, range) else self.at(places)
