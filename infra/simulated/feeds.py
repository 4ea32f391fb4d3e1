"""Cursors: what one channel of one connection has to say now that it has not said yet, and the faults of a stream.

A feed remembers how far it has told and is asked with the time. It keeps no queue: a reader that is slow makes a feed be asked
later, not hold more. How a thing is written is the venue's: each feed is given a function that encodes it.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, TypeVar

import numpy as np

from infra.simulated.bars import MINUTE, Bar
from infra.simulated.book import BookFeed, BookPush
from infra.simulated.faults import Fault, FaultKind
from infra.simulated.feed import REAL_SECONDS, Feed, Frame, Moment
from infra.simulated.tape import Tape, Trades

__all__ = ["BookFeed", "BookPush", "CandleFeed", "Feed", "Frame", "Moment", "StateFeed", "TradesFeed"]

STALE_MS = 20 * 60 * MINUTE  # how old a stale replay is, where the history reaches back so far
_CHUNK = 256  # trades encoded at a time
State = TypeVar("State", bound=Hashable)


EncodeTrades = Callable[[Trades, Moment], Iterable[Frame]]


class TradesFeed:
    """Every trade once, in order, from the subscription on, in as many frames as `encode` makes of those that came together.

    `source` gives the tape, complete through a time: of trades, or of what the venue makes of them. It begins with the
    `opening` last trades there were, written by `snapshot` where the venue marks them.
    """

    of_trades = True
    next_real = 0.0

    def __init__(
        self,
        name: str,
        source: Callable[[int], Tape],
        encode: EncodeTrades,
        now: Moment,
        *,
        opening: int = 0,
        snapshot: EncodeTrades | None = None,
    ) -> None:
        self.name = name
        self.next_ms: float = now.ms
        self._source, self._encode = source, encode
        self._sent = source(now.ms).through(now.ms)
        self._opening: tuple[EncodeTrades, int] | None = (snapshot or encode, opening) if opening else None
        self._again: list[Trades] = []
        self._skipped = self._reversed = 0
        self._held: list[Trades] = []

    def due(self, now: Moment) -> Iterator[Frame]:
        """Yield the opening, what a fault repeats, and every trade through now that was not sent."""
        tape = self._source(now.ms)
        if self._opening is not None:
            (encode, count), self._opening = self._opening, None
            yield from encode(tape.slice(max(0, self._sent - count), self._sent), now)
        while self._again:
            yield from self._encode(self._again.pop(0), now)
        known = tape.through(now.ms)
        while self._sent < known:
            low, self._sent = self._sent, min(known, self._sent + _CHUNK)
            trades = self._struck(tape.slice(low, self._sent))
            if len(trades.ids):
                yield from self._encode(trades, now)
        self.next_ms = int(tape.slice(known, known + 1).times[0]) if len(tape) > known else float("inf")

    def forget(self, now: Moment) -> None:
        """Count everything through now as sent."""
        self._sent = max(self._sent, self._source(now.ms).through(now.ms))
        self._opening = None

    def strike(self, fault: Fault, now: Moment) -> None:
        """Skip, repeat, reorder, or begin with what is stale."""
        tape = self._source(now.ms)
        match fault.kind:
            case FaultKind.SKIP:
                self._skipped += fault.count
            case FaultKind.REORDER:
                self._reversed += fault.count
            case FaultKind.DUPLICATE:
                self._again.append(tape.slice(max(0, self._sent - fault.count), self._sent))
            case FaultKind.STALE:
                old = tape.before(now.ms - STALE_MS)
                self._again.append(tape.slice(old, min(self._sent, old + fault.count)))
            case _:
                return
        self.next_ms = 0.0

    def clear(self) -> None:
        """Neither skip nor reorder what is still to come; what is held back is sent in the order it has."""
        self._again += self._held
        self._skipped = self._reversed = 0
        self._held = []
        self.next_ms = 0.0

    def _struck(self, trades: Trades) -> Trades:
        """Leave out what is to be skipped, and turn round what is to be reordered once enough of it has come."""
        skipped = min(self._skipped, len(trades.ids))
        self._skipped -= skipped
        trades = _part(trades, skipped, None)
        if not self._reversed:
            return trades
        held = min(self._reversed, len(trades.ids))
        self._reversed -= held
        self._held.append(_part(trades, 0, held))
        if self._reversed:
            return _part(trades, held, None)
        turned = [_part(one, None, None, -1) for one in reversed(self._held)]
        self._held = []
        return Trades(*map(np.concatenate, zip(*turned, _part(trades, held, None), strict=True)))


class StateFeed(Generic[State]):
    """What is true now, when it has changed and not more often than every `pace_ms`: quotes, tickers, marks.

    `state` tells what there is to tell (None: nothing yet), and `encode` writes it.
    """

    of_trades = False

    def __init__(
        self,
        name: str,
        pace_ms: int,
        state: Callable[[Moment], State | None],
        encode: Callable[[State, Moment], Iterable[Frame]],
    ) -> None:
        self.name = name
        self.next_ms = self.next_real = 0.0
        self._pace_ms, self._state, self._encode = pace_ms, state, encode
        self._told: State | None = None

    def due(self, now: Moment) -> Iterator[Frame]:
        """Yield what the present is, once."""
        if now.ms < self.next_ms or now.real < self.next_real:
            return
        state = self._state(now)
        self.next_ms, self.next_real = now.ms + self._pace_ms, now.real + REAL_SECONDS
        if state is None or state == self._told:
            return
        self._told = state
        yield from self._encode(state, now)

    def forget(self, now: Moment) -> None:
        """Nothing to lose: what is due is always the present."""

    def strike(self, fault: Fault, now: Moment) -> None:
        """No fault of streams concerns it."""

    def clear(self) -> None:
        """No fault of streams concerns it."""


class CandleFeed:
    """The open bar when it changes, at most once a market second, and every bar once more when it closes.

    `bars` gives those that open from one time to another, of trades until a third; `opening` says when the bar opened
    that holds a time. Where a venue tells no bars without trades, `bars` has none.
    """

    of_trades = False

    def __init__(
        self,
        name: str,
        length: int,
        bars: Callable[[int, int, int], list[Bar]],
        encode: Callable[[Bar, bool, Moment], Iterable[Frame]],
        now: Moment,
        opening: Callable[[int], int] | None = None,
    ) -> None:
        self.name = name
        self.next_ms = self.next_real = 0.0
        self._length, self._bars, self._encode = length, bars, encode
        self._opening = opening or (lambda time: time // length * length)
        self._open = self._opening(now.ms)
        self._told = -1

    def due(self, now: Moment) -> Iterator[Frame]:
        """Yield the bars that have closed, then the open one."""
        current = self._opening(now.ms)
        if current == self._open and (now.ms < self.next_ms or now.real < self.next_real):
            return
        for bar in self._bars(self._open, current, now.ms):
            closed = bar.open_time + self._length <= now.ms
            if closed or bar.lots != self._told:
                self._told = -1 if closed else bar.lots
                yield from self._encode(bar, closed, now)
        self._open = current
        self.next_ms, self.next_real = min(now.ms + 1000, current + self._length), now.real + REAL_SECONDS

    def forget(self, now: Moment) -> None:
        """Skip the bars that have closed meanwhile."""
        self._open = self._opening(now.ms)

    def strike(self, fault: Fault, now: Moment) -> None:
        """No fault of streams concerns it."""

    def clear(self) -> None:
        """No fault of streams concerns it."""


def _part(trades: Trades, low: int | None, high: int | None, step: int = 1) -> Trades:
    return Trades(*(column[low:high:step] for column in trades))
