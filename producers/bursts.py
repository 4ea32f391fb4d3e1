"""Trades as columns: what a dialect may make of a burst of frames at once, where some hundred thousand come a second.

Nothing has to know of it: a run is a sequence of trades like any other, and each of them is made when somebody looks at it.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final, Protocol, overload, runtime_checkable

from producers.dialect import FrameError, Trade

_DIGITS: Final = 18  # what always fits 64 bits as a scaled integer


class Run(Sequence[Trade]):
    """Trades of one instrument in the venue's order, each with an id of its own.

    Prices and amounts are above zero, in units of 10**-places. `event_time`: epoch ms at which the venue sent the last of them.
    """

    __slots__ = ("amount_places", "amounts", "counts", "event_time", "ids", "price_places", "prices", "taker_buys", "times")

    def __init__(
        self,
        ids: list[int],
        times: list[int],
        prices: list[int],
        price_places: int,
        amounts: list[int],
        amount_places: int,
        taker_buys: list[bool],
        counts: list[int],
        event_time: int,
    ) -> None:
        self.ids = ids
        self.times = times
        self.prices = prices
        self.price_places = price_places
        self.amounts = amounts
        self.amount_places = amount_places
        self.taker_buys = taker_buys
        self.counts = counts
        self.event_time = event_time

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> Trade: ...

    @overload
    def __getitem__(self, at: slice) -> "Run": ...

    def __getitem__(self, at: int | slice) -> "Trade | Run":
        if isinstance(at, slice):
            return Run(
                self.ids[at],
                self.times[at],
                self.prices[at],
                self.price_places,
                self.amounts[at],
                self.amount_places,
                self.taker_buys[at],
                self.counts[at],
                self.event_time,
            )
        one = self.ids[at]
        price = Decimal(self.prices[at]).scaleb(-self.price_places)
        amount = Decimal(self.amounts[at]).scaleb(-self.amount_places)
        return Trade(one, one, self.times[at], price, amount, self.taker_buys[at], self.counts[at])

    def continues(self, last: int) -> bool:
        """Whether the ids are those that come next after one, one by one."""
        return self.ids == list(range(last + 1, last + 1 + len(self.ids)))


@runtime_checkable
class Bursting(Protocol):
    """A dialect that takes trades out of many frames at once."""

    def burst(self, frames: Sequence[bytes]) -> tuple[dict[str, Run], list[bytes]]:
        """The trades that frames plainly tell, by the venue's own names, and the frames that want a closer look, in order."""
        ...


def whole(texts: Sequence[str]) -> tuple[list[int], int]:
    """Positive decimals that all have the same number of places, as integers, and that number. Raises FrameError."""
    places = len(texts[0]) - texts[0].find(".") - 1
    joined = ",".join(texts)
    if not 0 < places < _DIGITS or not _plain(places)(joined + ","):
        raise FrameError("not decimals of one kind")
    values = list(map(int, joined.replace(".", "").split(",")))
    if not min(values):
        raise FrameError("a price or amount of zero")
    return values, places


@lru_cache(maxsize=_DIGITS)
def _plain(places: int) -> Callable[[str], object]:
    return re.compile(rf"(?:[0-9]{{1,{_DIGITS - places}}}+\.[0-9]{{{places}}},)*+").fullmatch
