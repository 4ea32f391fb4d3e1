"""Continuity of one instrument's trades: which are known, which are missing, and up to when the feed is complete.

Venue times are epoch milliseconds, `received` is epoch microseconds, `now` seconds of a clock that never runs back.
"""

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import Final

from msgspec import Struct, field

from producers import columns
from producers.dialect import Ticker, Trade
from producers.silence import Silence
from schemas.market import Gap, HistoryCandle, Instrument, Trades, TradesKind

MINUTE: Final = 60_000
HEARTBEAT_MS: Final = 10_000  # of venue time between heartbeats that close no candle
ABSENT: Final = "the venue does not have these trades"


class Counts(Struct):
    """What happened since the start, for the log."""

    trades: int = 0
    quotes: int = 0
    heartbeats: int = 0
    duplicates: int = 0
    gaps: int = 0
    repairs: int = 0
    probes: int = 0
    dead_letters: int = 0
    reconnects: Counter[str] = field(default_factory=Counter)

    def line(self) -> str:
        """All of it in one line."""
        causes = ", ".join(f"{cause} {count}" for cause, count in sorted(self.reconnects.items())) or "none"
        numbers = (f"{name} {getattr(self, name)}" for name in self.__struct_fields__ if name != "reconnects")
        return ", ".join(numbers) + f", reconnects: {causes}"


class Position(Struct, frozen=True):
    """Where a stream stood when it was last published: its last trade and its watermark."""

    last: Trade | None
    watermark: int


class Repair(Struct, frozen=True):
    """Wanted: trades after `after_id` (where none is known: of times from `since` on) and before `before_id` (or the newest).

    `history`: also the venue's own minutes before `since`, as nothing of this instrument was ever published.
    """

    market_id: str
    after_id: int | None
    before_id: int | None
    since: int
    history: bool = False


class Repaired(Struct, frozen=True):
    """What was found, oldest first; `failure` says why some may be missing.

    `base` is the trade before the first, `since` the time from which trades are complete and at which `history` ends.
    """

    since: int
    trades: tuple[Trade, ...] = ()
    failure: str | None = None
    base: Trade | None = None
    history: tuple[HistoryCandle, ...] = ()


class State(Enum):
    """`JOINING` until the venue has acknowledged the subscription, `REPAIRING` while trades are fetched, `LIVE` otherwise."""

    JOINING = "joining"
    REPAIRING = "repairing"
    LIVE = "live"


class Stream:
    """One instrument. Methods return the records to publish, in order; only a live stream moves its watermark."""

    def __init__(self, instrument: Instrument, kind: TradesKind, position: Position | None, counts: Counts, now: float) -> None:
        self.instrument = instrument
        self.kind: TradesKind = kind
        self.fresh = position is None
        self.last = position.last if position else None
        self.watermark = position.watermark if position else 0
        self.state = State.JOINING
        self.silence = Silence(now)
        self.pending: list[Trade] = []
        self._counts = counts
        self._told = self.watermark
        self._target: int | None = None

    def join(self, server_time: int, now: float) -> None:
        """A connection begins at a venue time. What waited is dropped: all of it will be fetched."""
        self.state = State.JOINING
        self.pending.clear()
        self.silence.restart(now)
        if self.fresh and not self.watermark:
            self.watermark = server_time // MINUTE * MINUTE

    def repair(self) -> Repair:
        """Begin to fetch what is missing before the first trade that waits, or up to the newest."""
        self.state = State.REPAIRING
        head, last_id = (self.pending[0] if self.pending else None), (self.last.id if self.last else None)
        self._target = None if head is None or last_id is None else _end(last_id, head)
        return Repair(self.instrument.market_id, last_id, self._target, self.watermark, self.fresh)

    def arrived(self, trades: Sequence[Trade], received: int, now: float) -> tuple[list[Trades], Repair | None]:
        """Live trades of one burst: the records they make, and the repair that comes first when ids are missing."""
        self.silence.arrived(now)
        self.pending = sorted([*self.pending, *trades], key=lambda trade: trade.id)
        return self._drain(received) if self.state is State.LIVE else ([], None)

    def repaired(self, found: Repaired, received: int) -> tuple[list[Trades], Repair | None]:
        """A repair ended. What it did not find is a gap in the stream, once a later trade shows that there was something."""
        if found.failure and not found.trades and not self.pending:
            return [], self.repair()
        reason = found.failure or ABSENT
        made = self._begin(found, received) if self.fresh else []
        made += self._take(found.trades, "repair", received, reason)[0]
        given_up = self.pending if found.failure else [one for one in self.pending if one.first_id <= (self._target or 0)]
        head = next((trade for trade in given_up if self.last and trade.id > self.last.id), None)
        if head and self.last and head.first_id != self.last.id + 1:
            self.pending.remove(head)
            made += self._take([head], self.kind, received, reason)[0]
        self.state = State.LIVE
        live, repair = self._drain(received)
        return made + live, repair

    def ticker(self, ticker: Ticker, margin_ms: int, now: float) -> None:
        """A ticker that knows no trade but ours says that nothing is missing up to its time, less the margin.

        An amount of 0 is what a venue tells in a ticker that it repeats without a new trade.
        """
        if self.last is None or self.state is not State.LIVE or ticker.time <= self.last.time:
            return
        told_as_one = self.last.first_id != self.last.id
        known = ticker.last == self.last.price and (told_as_one or ticker.last_amount in {0, self.last.amount})
        self.silence.told(now, known=known)
        if known and not self.silence.suspected:
            self.watermark = max(self.watermark, ticker.time - margin_ms)

    def probed(self, newest_id: int | None, complete_to: int, now: float) -> Repair | None:
        """The venue's newest trade, asked for after its time `complete_to`: ours, or one that we were not sent."""
        if self.state is not State.LIVE:
            return None
        if newest_id is not None and (self.last is None or newest_id > self.last.id):
            self.silence.restart(now)
            return self.repair()
        self.silence.confirmed(now)
        self.watermark = max(self.watermark, complete_to)
        return None

    def heartbeat(self, received: int) -> Trades | None:
        """A record without trades when the watermark has passed the end of a minute, or has moved far."""
        crossed = self.watermark // MINUTE > self._told // MINUTE
        if self.state is State.LIVE and (crossed or self.watermark - self._told >= HEARTBEAT_MS):
            return self._bare(self.kind, received)
        return None

    def close(self, reason: str, received: int) -> Trades | None:
        """The feed ends for good: the minute it was in is as complete as it will ever be."""
        if self.last is None:
            return None
        since = max(self.last.time, self.watermark)
        end = -(-max(self.last.time + 1, self.watermark) // MINUTE) * MINUTE
        gap = Gap(self.last.id, self.last.id + 1, since, end, reason) if since < end else None
        self.watermark = end
        return self._bare(self.kind, received, gap)

    def _begin(self, found: Repaired, received: int) -> list[Trades]:
        """The first record of all: the venue's own minutes up to where our trades begin."""
        self.fresh = False
        self.last, self.watermark = found.base, found.since
        records = [self._bare("history", received, history=found.history)]
        first = next(iter((*found.trades, *self.pending)), None)
        if found.failure and first and self.last is None:
            records.append(self._missing(Gap(0, first.first_id, found.since, first.time + 1, found.failure), received))
        return records

    def _drain(self, received: int) -> tuple[list[Trades], Repair | None]:
        """Publish what waits, up to where ids are missing."""
        records, self.pending = self._take(self.pending, self.kind, received, None)
        return records, self.repair() if self.pending else None

    def _take(
        self, trades: Sequence[Trade], kind: TradesKind, received: int, reason: str | None
    ) -> tuple[list[Trades], list[Trade]]:
        """Records of the trades not known yet, and what waits: all after missing ids, unless a `reason` makes those a gap."""
        made: list[Trades] = []
        run: list[Trade] = []
        for at, trade in enumerate(trades):
            last = run[-1] if run else self.last
            if last and trade.id <= last.id:
                self._counts.duplicates += kind == self.kind
            elif last and trade.first_id != last.id + 1:
                made += self._publish(run, kind, received)
                run = []
                if reason is None:
                    return made, list(trades[at:])
                made.append(self._missing(Gap(last.id, _end(last.id, trade), last.time, trade.time + 1, reason), received))
                if trade.first_id > last.id:
                    run.append(trade)
                else:  # told as one with trades that are known: it cannot be taken apart, so it is part of the gap
                    self.last = trade
            else:
                run.append(trade)
        return made + self._publish(run, kind, received), []

    def _publish(self, trades: Sequence[Trade], kind: TradesKind, received: int) -> list[Trades]:
        made = list(columns.records(self.instrument, kind, received, self.watermark, trades))
        if made:
            self.last = trades[-1]
            self.watermark = self._told = made[-1].watermark
            self._counts.trades += len(trades)
        return made

    def _missing(self, gap: Gap, received: int) -> Trades:
        self._counts.gaps += 1
        return self._bare("repair" if self.kind == "live" else self.kind, received, gap)

    def _bare(self, kind: TradesKind, received: int, gap: Gap | None = None, history: tuple[HistoryCandle, ...] = ()) -> Trades:
        self._told = self.watermark
        return columns.record(self.instrument, kind, received, self.watermark, gap=gap, history=history)


def _end(last_id: int, trade: Trade) -> int:
    """Where the gap before a trade ends: before it, or after it when it was told as one with trades already known."""
    return trade.first_id if trade.first_id > last_id else trade.id + 1
