"""What a venue would show of its market, by its own names: whatever the channels and the REST answers are read off."""

from collections.abc import Mapping

from infra.simulated.bars import Bar, DayStatistics, bars
from infra.simulated.book import View, view
from infra.simulated.figures import Figures
from infra.simulated.listing import Listing
from infra.simulated.market import Market
from infra.simulated.marks import Mark, funding_rate, mark_at, open_interest
from infra.simulated.quotes import Quote
from infra.simulated.tape import Tape


class Board:
    """One market by one venue's names. Methods raise KeyError for a name that is not listed."""

    def __init__(self, market: Market, listings: Mapping[str, Listing]) -> None:
        self.market = market
        self.listings = listings
        self.figures = {name: Figures(listing) for name, listing in listings.items()}
        self._days = {name: DayStatistics(listing) for name, listing in listings.items()}

    def tape(self, name: str, now_ms: int) -> Tape:
        """Return the tape of an instrument, complete through now. It may hold later trades too: ask by time."""
        return self.market.tape(self.listings[name], now_ms)

    def quote(self, name: str, now_ms: int) -> Quote | None:
        """Return the best bid and ask; None before anything was traded."""
        return self.market.quote(self.listings[name], now_ms)

    def book(self, name: str, depth: int, now_ms: int) -> View | None:
        """Return the book, `depth` levels a side at most; None before anything was traded."""
        quote = self.quote(name, now_ms)
        return None if quote is None else view(self.listings[name], quote, depth, now_ms)

    def day(self, name: str, now_ms: int) -> Bar | None:
        """Return the last 24 hours as one bar; None when nothing was traded within them."""
        return self._days[name].at(self.tape(name, now_ms), now_ms)

    def bars(self, name: str, first_open: int, last_open: int, length: int, now_ms: int) -> list[Bar]:
        """Return bars of `length` ms that open from `first_open` to `last_open`, oldest first."""
        return bars(self.tape(name, now_ms), self.listings[name], first_open, last_open, length, now_ms)

    def mark(self, name: str, now_ms: int) -> Mark | None:
        """Return the mark and index prices; None before anything was traded."""
        quote = self.quote(name, now_ms)
        return None if quote is None else mark_at(self.listings[name], quote, now_ms)

    def funding(self, name: str, now_ms: int) -> float:
        """Return the funding rate of the interval that holds a time, as it was known then."""
        return funding_rate(self.listings[name], now_ms)

    def interest(self, name: str, now_ms: int) -> int:
        """Return the open interest in lots."""
        return open_interest(self.listings[name], now_ms)
