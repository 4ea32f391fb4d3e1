"""One instrument's prices and sizes as exact figures: as decimals, and as venues write them into texts."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np

from infra.simulated.bars import Bar
from infra.simulated.listing import Contract, Listing
from infra.simulated.tape import Tape, Trades


class Volume(NamedTuple):
    """What a bar traded, in base coins and in quote currency."""

    base: Decimal
    quote: Decimal


class Figures:
    """Turns prices in ticks and sizes in lots of one listing into figures. No float is ever on the way."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.price_places = _places(listing.tick)
        self.size_places = _places(listing.lot)
        self._tick = int(listing.tick.scaleb(self.price_places))
        self._lot = int(listing.lot.scaleb(self.size_places))

    def price(self, ticks: int) -> Decimal:
        """A price as a number: 305, in ticks of 0.1, is 30.5."""
        return Decimal(ticks * self._tick).scaleb(-self.price_places)

    def size(self, lots: int) -> Decimal:
        """A size as a number, in the instrument's own unit."""
        return Decimal(lots * self._lot).scaleb(-self.size_places)

    def fixed_price(self, ticks: int) -> str:
        """A price with as many places as the tick is written with: `30.50`."""
        return fixed_text(ticks * self._tick, self.price_places)

    def fixed_size(self, lots: int) -> str:
        """A size with as many places as the lot is written with: `0.100`."""
        return fixed_text(lots * self._lot, self.size_places)

    def short_price(self, ticks: int) -> str:
        """A price without trailing zeros: `30.5`."""
        return short_text(ticks * self._tick, self.price_places)

    def short_size(self, lots: int) -> str:
        """A size without trailing zeros: `0.1`."""
        return short_text(lots * self._lot, self.size_places)

    def volume(self, bar: Bar) -> Volume:
        """What a bar traded; of options the premium paid, in the currency it is paid in.

        The base coins of inverse contracts are no exact figure: they are rounded to 8 places.
        """
        listing = self.listing
        size = bar.lots * listing.lot * listing.contract_size
        if listing.contract is Contract.INVERSE and listing.strike is None:
            return Volume(Decimal(f"{float(listing.lot * listing.contract_size / listing.tick) * bar.inverse:.8f}"), size)
        return Volume(size, bar.tick_lots * listing.tick * listing.lot * listing.contract_size)


def fixed_text(units: int, places: int) -> str:
    """Write units of 10^-places: (3050, 2) is `30.50`."""
    if not places:
        return str(units)
    digits = str(units).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"


def short_text(units: int, places: int) -> str:
    """Write units of 10^-places without trailing zeros: (3050, 2) is `30.5`."""
    written = fixed_text(units, places)
    return written.rstrip("0").rstrip(".") if places else written


def plain(value: Decimal) -> str:
    """Write a number without an exponent and without trailing zeros."""
    written = f"{value:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def prices_before(tape: Tape, trades: Trades) -> list[int]:
    """Return, for each of a tape's trades, the price of the trade before it; of the very first its own."""
    every = tape.slice(0, len(tape))
    positions = np.maximum(np.searchsorted(every.ids, trades.ids) - 1, 0)
    before: list[int] = every.prices[positions].tolist()
    return before


def _places(step: Decimal) -> int:
    """How many places a step is written with: a tick of 0.10 makes prices with two."""
    return max(0, -int(step.as_tuple().exponent))
