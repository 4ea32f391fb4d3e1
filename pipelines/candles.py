"""One-minute candles from the tape.

A minute closes when the feed's watermark reaches its end, never by a clock. Until then its bar takes trades in any batching: the
result depends on the trades and the watermarks alone.

- A minute in which a complete feed had no trades is `synthetic`: flat at the last close.
- A minute that an open gap touches when it closes is `partial`; a gap that was closed before leaves no trace. A minute that a gap
  touches and of which no trade is known gives no candle at all, and nothing is made up from the last close until the next trade.
- The first minute is `partial` unless we know the feed from its very start.
- When one record jumps more than a day without trades, the time between stays empty and the instrument starts afresh.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

from pipelines import intake
from pipelines.bar import Bar, Closed, Columns, flat, of_trades
from pipelines.continuity import Continuity
from pipelines.timeframes import DAY, MINUTE
from schemas.market import HistoryCandle, Trades


class Folded(NamedTuple):
    """What one record led to: minutes in order of time, trades that count, trades turned away."""

    closed: list[Closed]
    columns: Columns
    rejected: list[intake.Rejected]


_NOTHING = Columns((), (), (), (), (), ())


class Candles(Struct, array_like=True):
    """The open minutes of one instrument. All times are epoch ms of the venue.

    `closed_until`: minutes before it are closed; 0 before the first record. `covered_until`: minutes before it are the venue's
    own. `known_from`: a minute that starts before it is partial. `last_close`: what a minute without trades would repeat, None
    when a hole or a long silence lies in between. `bars`: in order of time; usually one, two when trades run ahead of the
    watermark. `begun`: a minute was closed, or the venue's own were taken.
    """

    seen: Continuity
    closed_until: int = 0
    covered_until: int = 0
    known_from: int = 0
    last_close: Decimal | None = None
    bars: list[Bar] = []
    begun: bool = False

    def fold(self, record: Trades) -> Folded:
        """Add one record, which must not be `intake.broken`."""
        if record.kind == "history":
            return Folded(self._venue(record.history), _NOTHING, [])
        if not self.closed_until:
            self._start(record)
        if record.gap is not None:
            self.seen.note(record.gap, self.closed_until)
        columns, rejected = intake.take(record, self.seen, self.closed_until, self.covered_until)
        for open_time, part in _minutes(columns):
            self._add(of_trades(open_time, part, record))
        return Folded(list(self._close(record.watermark)), columns, rejected)

    def _start(self, record: Trades) -> None:
        known_from = intake.start(record)
        if known_from is not None:
            self.known_from = known_from
            self.closed_until = known_from - known_from % MINUTE

    def _venue(self, history: tuple[HistoryCandle, ...]) -> list[Closed]:
        """The venue's own minutes, as far as they come before everything we know. They may come after the first trades."""
        end = self.bars[0].open_time if self.bars else history[-1].open_time + MINUTE if history else 0
        since = self.closed_until if self.begun else 0
        told = [candle for candle in history if since <= candle.open_time < end]
        if told:
            self.begun = True
            self.closed_until = self.covered_until = self.known_from = told[-1].open_time + MINUTE
            self.last_close = told[-1].close
        return [
            Closed(
                Bar(item.open_time, item.open, item.high, item.low, item.close, item.volume, item.quote_volume),
                "complete",
                "venue",
            )
            for item in told
        ]

    def _add(self, bar: Bar) -> None:
        for open_bar in reversed(self.bars):
            if open_bar.open_time == bar.open_time:
                open_bar.merge(bar)
                return
        self.bars.append(bar)
        self.bars.sort(key=lambda each: each.open_time)

    def _close(self, watermark: int) -> Iterator[Closed]:
        end = watermark - watermark % MINUTE
        self.begun = self.begun or self.closed_until < end
        while self.closed_until < end:
            bar = self.bars.pop(0) if self.bars and self.bars[0].open_time < end else None
            yield from self._quiet(end if bar is None else bar.open_time)
            if bar is not None:
                partial = bar.open_time < self.known_from or self.seen.touches(bar.open_time)
                self.closed_until = bar.open_time + MINUTE
                self.last_close = bar.close
                yield Closed(bar, "partial" if partial else "complete")

    def _quiet(self, until: int) -> Iterator[Closed]:
        """The minutes up to `until`, in which nothing is known to have been traded."""
        if until - self.closed_until > DAY:
            self.last_close, self.known_from = None, until + 1
        for open_time in range(self.closed_until, until, MINUTE):
            if self.last_close is None:
                break
            if self.seen.touches(open_time):
                self.last_close = None
            else:
                yield Closed(flat(open_time, self.last_close), "synthetic")
        self.closed_until = max(self.closed_until, until)


def _minutes(columns: Columns) -> Iterator[tuple[int, Columns]]:
    """Runs of trades of one minute, with the minute's open time."""
    times = columns.times
    if not times:
        return
    first, last = min(times) // MINUTE, max(times) // MINUTE
    if first == last:
        yield first * MINUTE, columns
        return
    minutes = [time // MINUTE for time in times]
    starts = [0, *(at for at, (before, after) in enumerate(pairwise(minutes), 1) if before != after), len(minutes)]
    for start, end in pairwise(starts):
        yield minutes[start] * MINUTE, columns.part(start, end)
