"""The end of one instrument's stream, read in stretches from the newest to older ones, each in order: where the stream stood."""

from operator import attrgetter
from typing import Final

from msgspec import Struct

from producers.dialect import Trade
from producers.outcome import BEING_FETCHED, Position, Unfinished
from schemas import exact
from schemas.market import Gap, Trades

SLACK_MS: Final = 5_000  # how much older a trade may be than one that was published before it
MOST_RECENT: Final = 50_000
_ID: Final = attrgetter("id")


class _Stretch(Struct):
    """Of some records in order: the newest trade, the watermarks, gaps as they were told, trades that may be asked about."""

    last: Trade | None = None
    watermark: int = 0
    earliest: int = exact.INT64_MAX
    oldest: int = exact.INT64_MAX
    gaps: list[Gap] = []
    live: list[Trade] = []
    mended: list[Trade] = []


class Ending:
    """Take every record of a stretch, then `earlier`, until it is `complete`."""

    def __init__(self) -> None:
        self._stretches = [_Stretch()]
        self._watermark = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing of it."""
        return all(not stretch.watermark for stretch in self._stretches)

    @property
    def complete(self) -> bool:
        """Whether nothing before it can matter.

        A gap that is being fetched is told again whenever the watermark moves while it is open, so it is no older than the
        watermark; trades that the watermark has not passed may be.
        """
        earliest = min(stretch.earliest for stretch in self._stretches)
        oldest = min(stretch.oldest for stretch in self._stretches)
        return earliest < self._watermark and oldest < self._watermark - SLACK_MS

    def take(self, record: Trades) -> None:
        """The next record of this stretch."""
        stretch = self._stretches[-1]
        stretch.watermark = max(stretch.watermark, record.watermark)
        stretch.earliest = min(stretch.earliest, record.watermark)
        if record.gap is not None:
            stretch.gaps.append(record.gap)
        if record.ids:
            self._trades(stretch, record)

    def earlier(self) -> None:
        """The stretch is at its end; the next one is older."""
        self._watermark = max(self._watermark, self._stretches[-1].watermark)
        for stretch in self._stretches:
            stretch.live = [trade for trade in stretch.live if trade.time >= self._watermark - SLACK_MS][-MOST_RECENT:]
            stretch.mended = stretch.mended[-MOST_RECENT:]
        self._stretches.append(_Stretch())

    def position(self) -> Position:
        """Where the stream stood."""
        last = max((stretch.last for stretch in self._stretches if stretch.last), key=_ID, default=None)
        live = [trade for stretch in self._stretches for trade in stretch.live]
        mended = [trade for stretch in self._stretches for trade in stretch.mended]
        since = self._watermark - SLACK_MS
        recent = sorted((trade for trade in (*live, *mended) if trade.time >= since), key=_ID)[-MOST_RECENT:]
        return Position(last, self._watermark, tuple(recent), tuple(_unfinished(gap, mended) for gap in self._open()))

    def _open(self) -> list[Gap]:
        fetched: dict[int, Gap] = {}
        for stretch in reversed(self._stretches):
            for gap in stretch.gaps:
                fetched.pop(gap.after_id, None)
                if gap.open and gap.reason == BEING_FETCHED:
                    fetched[gap.after_id] = gap
        return [fetched[after] for after in sorted(fetched)]

    def _trades(self, stretch: _Stretch, record: Trades) -> None:
        newest = max(record.ids)
        known = record.kind != "repair" and max(record.times) < self._watermark - SLACK_MS
        if known and stretch.last is not None and newest <= stretch.last.id:
            stretch.oldest = min(stretch.oldest, *record.times)
            return
        trades = _told(record)
        if record.kind == "repair":
            stretch.mended += trades
        else:
            stretch.live += trades
            stretch.oldest = min(stretch.oldest, *record.times)
        if stretch.last is None or newest > stretch.last.id:
            stretch.last = max(trades, key=_ID)


def _told(record: Trades) -> list[Trade]:
    counts = record.counts or (1,) * len(record.ids)
    columns = (record.ids, record.times, record.prices, record.amounts, record.taker_buys, counts)
    return [
        Trade(
            number,
            number,
            time,
            exact.from_scaled(price, record.price_scale),
            exact.from_scaled(amount, record.amount_scale),
            buy,
            count,
        )
        for number, time, price, amount, buy, count in zip(*columns, strict=True)
    ]


def _unfinished(gap: Gap, mended: list[Trade]) -> Unfinished:
    found = [trade for trade in mended if gap.after_id < trade.id < gap.before_id]
    return Unfinished(gap, max(found, key=_ID, default=None))
