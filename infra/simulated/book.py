"""The order book of one instrument: the whole of it at any time, and what has changed between two times.

What lies at a price follows from the price and the time alone, so that whoever joins, whenever, sees the same book: the best
of both sides is the quote, and every other price keeps its size for its own while (1.6 to 102.4 seconds) before it takes
another; now and then nothing lies there. The number of a state is its time: each state has one, and later ones are higher.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from infra.simulated.faults import Fault, FaultKind
from infra.simulated.feed import REAL_SECONDS, Frame, Moment
from infra.simulated.listing import Listing
from infra.simulated.quotes import Level, Quote

Words = npt.NDArray[np.uint64]
_SHORTEST_MS = 1600
_EMPTY = 9  # one price in so many has nothing on it


class View(NamedTuple):
    """Both sides of a book, best first."""

    asks: list[Level]
    bids: list[Level]


def view(listing: Listing, quote: Quote, depth: int, now_ms: int) -> View:
    """Return the book around a quote, `depth` levels a side at most; no price is below one tick."""
    return View(_side(listing, quote.ask, 1, depth, now_ms), _side(listing, quote.bid, -1, depth, now_ms))


def changes(older: Iterable[Level], newer: Iterable[Level]) -> list[Level]:
    """Return what has to be told of one side so that the older becomes the newer: a size of 0 removes a price."""
    known = {level.price: level for level in older}
    changed = [level for level in newer if known.pop(level.price, None) != level]
    return [*changed, *(Level(price, 0, 0) for price in known)]


class BookPush(NamedTuple):
    """What one push of a book says. Sizes are in lots; a size of 0 removes a price.

    `number` is of the state that it leads to and `previous` of the one it follows: market times in ms, so they rise and any
    connection has the same. It is the `nth` push of this connection, from 1. `whole` is the book that it leads to.
    """

    asks: list[Level]
    bids: list[Level]
    snapshot: bool
    previous: int
    number: int
    nth: int
    whole: View


class BookFeed:
    """A book: first the whole of it if there is to be a `snapshot`, then what changes, not more often than every `pace_ms`.

    `book` gives the book at a market time. Without a snapshot, the first push follows the state at the subscription. Where
    snapshots come over REST, `cuts` tells at which times between two some were taken: no push goes beyond one, for what had
    changed before it and was as before after it would be missing from both.
    """

    of_trades = False

    def __init__(
        self,
        name: str,
        pace_ms: int,
        book: Callable[[int], View | None],
        encode: Callable[[BookPush, Moment], Iterable[Frame]],
        now: Moment,
        *,
        snapshot: bool = True,
        cuts: Callable[[int, int], Iterable[int]] = lambda _after, _until: (),
    ) -> None:
        self.name = name
        self.next_ms = self.next_real = 0.0
        self._pace_ms, self._book, self._encode = pace_ms, book, encode
        self._number = now.ms
        self._told: View | None = None
        self._snapshot, self._cuts = snapshot, cuts
        self._told_of = self._breaks = 0

    def due(self, now: Moment) -> Iterator[Frame]:
        """Yield what has changed: one push, or several where it is cut."""
        if now.ms < self.next_ms or now.real < self.next_real:
            return
        self.next_ms, self.next_real = now.ms + self._pace_ms, now.real + REAL_SECONDS
        for until in (*self._cuts(self._number, now.ms), now.ms):
            view = self._book(until)
            push = None if view is None else self._push(view, until)
            if push is None:
                continue
            self._told, self._number, self._snapshot = push.whole, push.number, False
            if self._breaks and not push.snapshot:
                self._breaks -= 1
                continue
            self._told_of += 1
            yield from self._encode(push._replace(nth=self._told_of), now)

    def forget(self, now: Moment) -> None:
        """Lose the changes through now, so that the next ones do not follow what was told."""
        if not self._snapshot:
            self._told, self._number = None, now.ms

    def strike(self, fault: Fault, now: Moment) -> None:  # noqa: ARG002 - part of the contract
        """Leave out changes."""
        if fault.kind is FaultKind.BOOK_BREAK:
            self._breaks += fault.count

    def clear(self) -> None:
        """Leave out none any longer."""
        self._breaks = 0

    def _push(self, view: View, now_ms: int) -> BookPush | None:
        if self._snapshot:
            return BookPush(view.asks, view.bids, True, -1, now_ms, 0, view)  # noqa: FBT003 - a field of a tuple
        told = self._told or self._book(self._number) or View([], [])
        asks, bids = changes(told.asks, view.asks), changes(told.bids, view.bids)
        if not asks and not bids:
            self._told = told
            return None
        return BookPush(asks, bids, False, self._number, now_ms, 0, view)  # noqa: FBT003 - a field of a tuple


def _side(listing: Listing, best: Level, direction: int, depth: int, now_ms: int) -> list[Level]:
    away = np.arange(1, depth + depth // 4 + 16, dtype=np.int64)
    prices = best.price + direction * away
    prices = prices[prices > 0]
    kept = _mixed(prices.astype(np.uint64), np.uint64(0x51ED))
    lasts = np.uint64(_SHORTEST_MS) << ((kept & np.uint64(3)) * np.uint64(2))
    epoch = (np.uint64(now_ms) + kept % lasts) // lasts
    draw = _mixed(prices.astype(np.uint64), epoch)
    there = draw % np.uint64(_EMPTY) != 0
    prices, draw = prices[there][: depth - 1], draw[there][: depth - 1] >> np.uint64(8)
    sizes = np.maximum(1, listing.lots * (1 + (draw % np.uint64(997)).astype(np.int64)) // 100)
    orders = 1 + (draw % np.uint64(7)).astype(np.int64)
    rest = map(Level, prices.tolist(), sizes.tolist(), orders.tolist())
    return [best, *rest]


def _mixed(one: Words, other: Words | np.uint64) -> Words:
    """Scatter two numbers over 64 bits (the finisher of splitmix64), so that neighbours do not look alike."""
    with np.errstate(over="ignore"):
        word = one * np.uint64(0x9E3779B97F4A7C15) + other * np.uint64(0xD1B54A32D192ED03)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    scattered: Words = word ^ (word >> np.uint64(31))
    return scattered
