"""What OKX would show of the market: looked up by its names, and written by its rules."""

from collections.abc import Mapping

from infra.simulated.bars import MINUTE, Bar, DayStatistics, bars
from infra.simulated.listing import Listing
from infra.simulated.market import Market
from infra.simulated.okx.encoding import Numbers, ticker_row
from infra.simulated.okx.naming import by_inst_id
from infra.simulated.quotes import Quote
from infra.simulated.tape import Tape

_HOUR, _DAY = 60 * MINUTE, 24 * 60 * MINUTE
_CHINA = 16 * _HOUR  # 6H and longer bars open at UTC+8 midnights, so 16 hours into a UTC day, unless named `utc`
_MONDAY = 4 * _DAY  # the epoch was a Thursday

# Bars by name: how long they are, and how long after the epoch one of them opens.
BARS: Mapping[str, tuple[int, int]] = {
    "1s": (1000, 0),
    **{f"{count}m": (count * MINUTE, 0) for count in (1, 3, 5, 15, 30)},
    **{f"{count}H": (count * _HOUR, 0) for count in (1, 2, 4)},
    **{f"{count}H": (count * _HOUR, _CHINA) for count in (6, 12)},
    **{f"{count}D": (count * _DAY, _CHINA) for count in (1, 2, 3)},
    "1W": (7 * _DAY, _MONDAY - 8 * _HOUR),
    **{f"{count}Hutc": (count * _HOUR, 0) for count in (6, 12)},
    **{f"{count}Dutc": (count * _DAY, 0) for count in (1, 2, 3)},
    "1Wutc": (7 * _DAY, _MONDAY),
}


class Board:
    """One market by OKX's instrument names. Methods raise KeyError for a name that is not listed."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.listings: Mapping[str, Listing] = by_inst_id(market.listings)
        self.numbers = {name: Numbers(listing) for name, listing in self.listings.items()}
        self._days = {name: DayStatistics(listing) for name, listing in self.listings.items()}

    def tape(self, name: str, now_ms: int) -> Tape:
        """Return the tape of an instrument, complete through now."""
        return self.market.tape(self.listings[name], now_ms)

    def quote(self, name: str, now_ms: int) -> Quote | None:
        """Return the best bid and ask; None before anything was traded."""
        return self.market.quote(self.listings[name], now_ms)

    def ticker(self, name: str, now_ms: int) -> dict[str, str] | None:
        """Return the ticker's row; None before anything was traded within a day."""
        tape, quote = self.tape(name, now_ms), self.quote(name, now_ms)
        day = self._days[name].at(tape, now_ms)
        return None if quote is None or day is None else ticker_row(self.numbers[name], tape, quote, day, now_ms)

    def bars(self, name: str, bar: str, first_open: int, last_open: int, now_ms: int) -> list[Bar]:
        """Return bars that open from `first_open` to `last_open`, both openings of such bars, oldest first."""
        tape = self.tape(name, now_ms)
        return bars(tape, self.listings[name], first_open, last_open, BARS[bar][0], now_ms)


def opening(bar: str, time_ms: int) -> int:
    """Return when the bar of that name that holds a time opened."""
    length, offset = BARS[bar]
    return (time_ms - offset) // length * length + offset
