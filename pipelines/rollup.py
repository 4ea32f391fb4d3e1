"""Longer candles from one-minute ones, aligned to UTC: equal to candles made from the trades themselves.

A bucket closes with the minute that ends it or, when that minute never came, before the first minute after it. It is `partial`
when a part is partial or missing and `synthetic` when all parts are. Synthetic minutes add no price to a bucket that has trades.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct, structs

from pipelines.bar import Bar, Closed
from pipelines.timeframes import MINUTE, SPANS
from schemas.market import CandleStatus


class Bucket(Struct, array_like=True):
    """One open bucket; `bar` is None before the first minute."""

    bar: Bar | None = None
    parts: int = 0
    partial: bool = False
    synthetic: bool = True
    venue: bool = False

    def add(self, minute: Closed, open_time: int) -> None:
        """Add the next minute of the bucket at `open_time`."""
        synthetic = minute.status == "synthetic"
        if self.bar is None or (self.synthetic and not synthetic):
            self.bar = structs.replace(minute.bar, open_time=open_time)
        elif not synthetic:
            self.bar.append(minute.bar)
        self.parts += 1
        self.partial |= minute.status == "partial"
        self.synthetic &= synthetic
        self.venue |= minute.source == "venue"

    def closed(self, bar: Bar, span: int) -> Closed:
        """The bucket as it stands, `span` ms long."""
        partial = self.partial or self.parts * MINUTE != span
        status: CandleStatus = "partial" if partial else "synthetic" if self.synthetic else "complete"
        return Closed(bar, status, "venue" if self.venue else "trades")


class Rollup(Struct, array_like=True):
    """The open buckets of one instrument, by timeframe."""

    buckets: dict[str, Bucket] = {}

    def add(self, minute: Closed, timeframes: Iterable[str]) -> list[tuple[str, Closed]]:
        """The buckets that this minute closes, in the order of `timeframes`."""
        return [(frame, closed) for frame in timeframes for closed in self._one(frame, SPANS[frame], minute)]

    def _one(self, frame: str, span: int, minute: Closed) -> Iterator[Closed]:
        open_time = minute.bar.open_time - minute.bar.open_time % span
        bucket = self.buckets.get(frame) or Bucket()
        if bucket.bar is not None and bucket.bar.open_time != open_time:
            yield bucket.closed(bucket.bar, span)
            bucket = Bucket()
        bucket.add(minute, open_time)
        self.buckets[frame] = bucket
        if bucket.bar is not None and minute.bar.open_time + MINUTE == open_time + span:
            yield bucket.closed(bucket.bar, span)
            self.buckets[frame] = Bucket()
