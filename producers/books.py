"""Order books, pure: snapshots and changes in, the best levels out, and never a book that is silently wrong.

One `Book` keeps one instrument's book on one connection, by its venue's `BookRule`. `apply` takes what the dialect reads, in the
order in which it came, and says how the book stands:

- `WAITING`: there is no book yet. Where the dialect has a `book_request`, ask for it over REST and `apply` the answer with
  `fetched=True`: changes that came meanwhile are kept and follow it. If the book still waits then, the answer was older than what
  is kept: ask again. Elsewhere the venue sends a snapshot by itself after subscribing.
- `LIVE`: `top` is the venue's book. When it is `narrow`, the market is about to leave what a snapshot over REST has shown:
  `keep`, ask for another and `apply` it, and the book goes on without a break.
- `BROKEN`: `reason` says why. `restart` and ask over REST where there is a `book_request`, else subscribe again: a snapshot
  heals.

A book belongs to one subscription on one connection: for another, begin a new one or `restart`.

Prices and amounts are the `Decimal`s of the venue's digits. A `Decimal` keeps the zeros at the end of its text ("0.10" stays
0.10), and checksums are taken over exactly those texts.
"""

import zlib
from bisect import bisect_left
from collections import deque
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import Final

from producers.dialect import BookPushed, BookRule, Level
from schemas import exact, market
from schemas.market import Instrument

TOP: Final = 20
"""Levels a side that are told."""
_KEPT: Final = 1_000
"""Changes kept for a snapshot that is being fetched; the oldest are forgotten, and one that needs them is fetched again."""
_NARROW: Final = 100
"""Levels a side, of those that a snapshot has shown, with fewer of which another is due."""
_LEVELS: Final = 10_000
"""Levels a side that are kept where the venue tells more."""
_CUT: Final = 100
"""A side of so many levels in a snapshot may have been cut off there; a shorter one is the whole side."""


class Status(Enum):
    """How a book stands."""

    WAITING = "waiting"
    LIVE = "live"
    BROKEN = "broken"


class _Side:
    """One side as two lists by rising price: bisection finds a level, and the best are at one end."""

    __slots__ = ("amounts", "bids", "horizon", "prices")

    def __init__(self, levels: tuple[Level, ...], *, bids: bool, cut: bool) -> None:
        held = sorted(level for level in levels if level[1])
        self.prices = [price for price, _ in held]
        self.amounts = [amount for _, amount in held]
        self.bids = bids
        self.horizon = self._worst() if cut and len(held) >= _CUT else None

    def _worst(self) -> Decimal:
        return self.prices[0 if self.bids else -1]

    def set(self, price: Decimal, amount: Decimal) -> bool:
        """Put, replace or remove (amount 0) a level; whether that is among the best."""
        prices = self.prices
        at = bisect_left(prices, price)
        known = at < len(prices) and prices[at] == price
        if not amount:
            if not known:
                return False
            del prices[at], self.amounts[at]
        elif known:
            prices[at], self.amounts[at] = price, amount
        else:
            prices.insert(at, price)
            self.amounts.insert(at, amount)
        return (len(prices) - at if self.bids else at) <= TOP

    def prune(self, depth: int) -> None:
        """Forget all but the best."""
        worst = slice(0, max(0, len(self.prices) - depth)) if self.bids else slice(depth, None)
        del self.prices[worst], self.amounts[worst]

    def bound(self) -> None:
        """Keep memory bounded: what lies behind the horizon then is not known to be complete."""
        if len(self.prices) > _LEVELS:
            self.prune(_LEVELS * 3 // 4)
            self.horizon = self._worst()

    def best(self, depth: int) -> tuple[Level, ...]:
        if not self.bids:
            return tuple(zip(self.prices[:depth], self.amounts[:depth], strict=True))
        return tuple(zip(self.prices[: -depth - 1 : -1], self.amounts[: -depth - 1 : -1], strict=True))

    def is_known(self, depth: int = TOP) -> bool:
        """Whether so many of the best levels lie within what the snapshot showed."""
        if self.horizon is None:
            return True
        if len(self.prices) < depth:
            return False
        return self.prices[-depth] >= self.horizon if self.bids else self.prices[depth - 1] <= self.horizon


class Book:
    """One instrument's book. `time`: of the last change, epoch ms; `sequence`: its number, 0 where it has none.

    `changes` rises whenever one of the best levels may have changed, and with `status`.
    """

    def __init__(self, rule: BookRule) -> None:
        self.rule = rule
        self.changes = 0
        self.restart()

    def restart(self) -> None:
        """Forget everything and wait for a snapshot."""
        self.status = Status.WAITING
        self.reason: str | None = None
        self.time = 0
        self.sequence = 0
        self.changes += 1
        self._last: int | None = None
        self._bids = _Side((), bids=True, cut=False)
        self._asks = _Side((), bids=False, cut=False)
        self._kept: deque[BookPushed] = deque(maxlen=_KEPT)
        self._keeping = False
        self._bridging = 0  # how many more changes may be older than the snapshot

    def top(self, depth: int = TOP) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """The best bids and asks, best first; empty unless live."""
        if self.status is not Status.LIVE:
            return (), ()
        return self._bids.best(depth), self._asks.best(depth)

    @property
    def narrow(self) -> bool:
        """Whether little is left of what a snapshot over REST has shown."""
        return self.status is Status.LIVE and not (self._bids.is_known(_NARROW) and self._asks.is_known(_NARROW))

    def keep(self) -> None:
        """Another snapshot is being fetched."""
        self._keeping = True

    def apply(self, pushed: BookPushed, *, fetched: bool = False) -> Status:
        """Take the next snapshot or change, or an answer over REST (`fetched`); how the book stands now."""
        if pushed.snapshot:
            self._begin(pushed, fetched=fetched)
        elif self.status is Status.LIVE:
            if self._keeping:
                self._kept.append(pushed)
            self._change(pushed)
        elif self.status is Status.WAITING:
            self._kept.append(pushed)
        return self.status

    def _begin(self, snapshot: BookPushed, *, fetched: bool) -> None:
        rule = self.rule
        held = (fetched or rule.continues == "whole") and self.status is Status.LIVE
        # What came before a snapshot on its own connection is older than it; what came before an answer over REST may be newer.
        last = snapshot.last if fetched else None
        newer = [change for change in self._kept if last is not None and change.last is not None and change.last > last]
        if newer and not self._follows(newer[0], last, bridging=True):
            return  # too old: another is needed, and what is kept will follow it
        if held and not newer and _is_older(snapshot, self._last, self.time):
            return
        self.restart()
        self.status, self._bridging = Status.LIVE, _KEPT if fetched else 0
        cut = rule.continues != "whole" and rule.depth is None
        self._bids = _Side(snapshot.bids, bids=True, cut=cut)
        self._asks = _Side(snapshot.asks, bids=False, cut=cut)
        if rule.continues in ("previous", "adjoining", "rising") and snapshot.last is None:
            self._break("a snapshot without its number")
        elif any(first == second for side in (self._bids, self._asks) for first, second in pairwise(side.prices)):
            self._break("a snapshot with one price twice")
        else:
            self._settle(snapshot)
        for change in newer:
            if self.status is Status.LIVE:
                self._change(change)

    def _change(self, change: BookPushed) -> None:
        bridging = self._bridging > 0
        if bridging and change.last is not None and self._last is not None and change.last <= self._last:
            self._bridging -= 1  # told before the answer was given
            if not self._bridging:
                self._break(f"{_KEPT} changes all older than the snapshot")
            return
        self._bridging = 0
        if not self._follows(change, self._last, bridging=bridging):
            came = change.previous if self.rule.continues == "previous" else change.first or change.last
            self._break(f"{came} after {self._last} does not continue the book")
            return
        touched = False
        for price, amount in change.bids:
            touched |= self._bids.set(price, amount)
        for price, amount in change.asks:
            touched |= self._asks.set(price, amount)
        self.changes += touched
        self._settle(change)

    def _follows(self, change: BookPushed, last: int | None, *, bridging: bool) -> bool:
        """Whether nothing is missing between the number `last` and a change; `bridging`: `last` is that of a snapshot.

        Bridging, a change may begin before the snapshot as long as it ends after it (Binance's rule for both its markets).
        """
        rule = self.rule.continues
        if rule == "counted":
            return True
        if rule == "whole" or change.last is None or last is None:
            return False
        if rule == "rising":
            return change.last > last
        if rule == "adjoining":
            return change.first is not None and (
                change.first <= last + 1 <= change.last if bridging else change.first == last + 1
            )
        if change.previous is None:
            return False
        return change.previous == last or (bridging and change.previous <= last < change.last)

    def _settle(self, pushed: BookPushed) -> None:
        """Hold the new book against everything that can be known of it."""
        self.time = pushed.time or self.time
        self._last = pushed.last if pushed.last is not None else self._last
        self.sequence = self._last or 0
        for side in (self._bids, self._asks):
            if self.rule.depth is None:
                side.bound()
            else:
                side.prune(self.rule.depth)
        bids, asks = self._bids.prices, self._asks.prices
        if bids and asks and bids[-1] >= asks[0]:
            self._break(f"crossed: bid {bids[-1]} and ask {asks[0]}")
        elif not (self._bids.is_known() and self._asks.is_known()):
            self._break("the market has left the levels of the snapshot")
        elif self.rule.checksum and pushed.checksum is not None and self.checksum() != pushed.checksum:
            self._break(f"checksum {self.checksum()} instead of {pushed.checksum}")

    def checksum(self) -> int | None:
        """As the venue would take it of this book; None where it takes none."""
        if self.rule.checksum == "kraken":
            return zlib.crc32(_kraken(self._asks.best(10)) + _kraken(self._bids.best(10)))
        if self.rule.checksum == "bitget":
            taken = zlib.crc32(_bitget(self._bids.best(25), self._asks.best(25)))
            return taken - (1 << 32) if taken >> 31 else taken
        return None

    def _break(self, reason: str) -> None:
        self.status, self.reason = Status.BROKEN, reason
        self.changes += 1


def record(instrument: Instrument, book: Book, received: int) -> market.Book:
    """The best levels as they go to `market.books`; `broken` with the reason and no levels unless the book is live.

    `received` in epoch microseconds. Raises ValueError when the levels have too many digits between them for one scale.
    """
    sides = book.top()
    broken = None if book.status is Status.LIVE else book.reason or "waiting for a snapshot"
    prices, amounts = (tuple(tuple(level[part] for level in side) for side in sides) for part in (0, 1))
    price_scale, amount_scale = (
        max((exact.places(value) for side in values for value in side), default=0) for values in (prices, amounts)
    )
    return market.Book(
        venue=instrument.venue,
        symbol=instrument.symbol,
        time=book.time,
        received=received,
        sequence=book.sequence,
        price_scale=price_scale,
        amount_scale=amount_scale,
        bid_prices=tuple(exact.to_scaled(value, price_scale) for value in prices[0]),
        bid_amounts=tuple(exact.to_scaled(value, amount_scale) for value in amounts[0]),
        ask_prices=tuple(exact.to_scaled(value, price_scale) for value in prices[1]),
        ask_amounts=tuple(exact.to_scaled(value, amount_scale) for value in amounts[1]),
        broken=broken,
    )


def _is_older(pushed: BookPushed, last: int | None, time: int) -> bool:
    return pushed.last < last if pushed.last is not None and last is not None else pushed.time < time


def _kraken(levels: tuple[Level, ...]) -> bytes:
    """Price and amount of each level without the point and without zeros before the first digit."""
    return "".join(format(value, "f").replace(".", "").lstrip("0") for level in levels for value in level).encode()


def _bitget(bids: tuple[Level, ...], asks: tuple[Level, ...]) -> bytes:
    """Bid and ask alternate from the best on; where one side ends the other goes on."""
    paired = [side[at] for at in range(max(len(bids), len(asks))) for side in (bids, asks) if at < len(side)]
    return ":".join(format(value, "f") for level in paired for value in level).encode()
