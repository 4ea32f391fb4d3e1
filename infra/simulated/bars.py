"""Candles and day statistics, read off a tape: whatever is served for a minute is what its trades say."""

from typing import NamedTuple

import numpy as np

from infra.simulated.listing import Contract, Listing
from infra.simulated.tape import Tape, Trades

MINUTE = 60_000
DAY = 86_400_000
_LOW_BITS = 20


class Bar(NamedTuple):
    """A candle: prices in ticks, `lots` traded, `tick_lots` the sum of price x size, `inverse` the sum of size / price.

    A bar without trades is flat at the last price before it.
    """

    open_time: int
    open: int
    high: int
    low: int
    close: int
    lots: int
    tick_lots: int
    inverse: float


def bars(tape: Tape, listing: Listing, first_open: int, last_open: int, step: int, now_ms: int) -> list[Bar]:
    """Return the bars that open from `first_open` to `last_open`, every `step` ms, oldest first, of trades until now.

    Bars before the first trade of the tape do not exist.
    """
    made: list[Bar] = []
    known = tape.through(now_ms)
    for open_time in range(first_open, min(last_open, now_ms) + 1, step):
        low, high = tape.before(open_time), min(known, tape.before(open_time + step))
        if high > low:
            made.append(bar_of(tape.slice(low, high), listing, open_time))
        elif low:
            flat = int(tape.slice(low - 1, low).prices[0])
            made.append(Bar(open_time, flat, flat, flat, flat, 0, 0, 0.0))
    return made


def bar_of(trades: Trades, listing: Listing, open_time: int) -> Bar:
    """Sum up trades, at least one, in their order."""
    prices, sizes = trades.prices, trades.sizes
    return Bar(
        open_time,
        int(prices[0]),
        int(prices.max()),
        int(prices.min()),
        int(prices[-1]),
        int(sizes.sum()),
        _exact_product(trades),
        float(np.sum(sizes / prices)) if listing.contract is Contract.INVERSE else 0.0,
    )


def joined(older: Bar, newer: Bar) -> Bar:
    """Return the bar over two bars that follow each other."""
    return Bar(
        older.open_time,
        older.open,
        max(older.high, newer.high),
        min(older.low, newer.low),
        newer.close,
        older.lots + newer.lots,
        older.tick_lots + newer.tick_lots,
        older.inverse + newer.inverse,
    )


class DayStatistics:
    """The last 24 hours of one instrument, summed once a minute and completed by the trades since."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._minute = -1
        self._summed: Bar | None = None

    def at(self, tape: Tape, now_ms: int) -> Bar | None:
        """Return one bar over the 24 hours before now, begun on a whole minute; None when nothing was traded."""
        minute = now_ms // MINUTE * MINUTE
        since = tape.before(minute)
        if minute != self._minute:
            self._minute = minute
            begun = tape.before(minute - DAY)
            self._summed = bar_of(tape.slice(begun, since), self._listing, minute - DAY) if since > begun else None
        known = tape.through(now_ms)
        if known <= since:
            return self._summed
        current = bar_of(tape.slice(since, known), self._listing, minute - DAY)
        return current if self._summed is None else joined(self._summed, current)


def _exact_product(trades: Trades) -> int:
    """Sum price x size without overflow: the sizes' high and low bits apart."""
    high = int(np.dot(trades.prices, trades.sizes >> _LOW_BITS))
    low = int(np.dot(trades.prices, trades.sizes & ((1 << _LOW_BITS) - 1)))
    return (high << _LOW_BITS) + low
