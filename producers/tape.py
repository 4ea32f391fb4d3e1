"""What one stream publishes: trades, gaps and heartbeats, in the order in which they come, under one rising watermark."""

from collections.abc import Sequence
from typing import Final

from producers.columns import Columns
from producers.dialect import Trade
from producers.outcome import Counts, Outcome
from schemas import codec
from schemas.market import DeadLetter, Gap, HistoryCandle, Instrument, TradesKind

MINUTE: Final = 60_000
HEARTBEAT_MS: Final = 10_000  # of venue time between heartbeats that close no candle


class Tape:
    """`watermark`: venue time (ms) before which everything is published or given up. `received` is epoch microseconds."""

    def __init__(self, instrument: Instrument, kind: TradesKind, counts: Counts, watermark: int) -> None:
        self.kind: TradesKind = kind
        self._mended: TradesKind = "repair" if kind == "live" else kind
        self._columns = Columns(instrument, kind)
        self._counts = counts
        self._source = f"{instrument.venue}|{instrument.symbol}"
        self.watermark = watermark
        self._told = watermark

    def live(self, out: Outcome, trades: Sequence[Trade], received: int, event_time: int, watermark: int) -> None:
        """Trades as they came; with the last of them the watermark is reached."""
        before, self.watermark = self.watermark, max(self.watermark, watermark)
        self._told = self.watermark
        self._counts.trades += len(trades)
        out.records.extend(self._columns.records(trades, received, before, reached=self.watermark, event_time=event_time))

    def mended(self, out: Outcome, trades: Sequence[Trade], received: int) -> None:
        """Trades that came another way, or late."""
        self._counts.trades += len(trades)
        self._counts.repaired += len(trades)
        out.records.extend(self._columns.records(trades, received, self.watermark, kind=self._mended))

    def state(self, out: Outcome, gap: Gap, received: int) -> None:
        """A gap as it is now."""
        self._told = self.watermark
        out.records.append(self._columns.bare(received, self.watermark, kind=self._mended, gap=gap))

    def history(self, out: Outcome, candles: tuple[HistoryCandle, ...], received: int) -> None:
        """The venue's own minutes."""
        out.records.append(self._columns.bare(received, self.watermark, kind="history", history=candles))

    def beat(self, out: Outcome, received: int) -> None:
        """A record without trades when the watermark has passed the end of a minute, or has moved far."""
        if self.watermark // MINUTE > self._told // MINUTE or self.watermark - self._told >= HEARTBEAT_MS:
            self._counts.heartbeats += 1
            self._told = self.watermark
            out.records.append(self._columns.bare(received, self.watermark))

    def set_aside(self, out: Outcome, trade: Trade, reason: str, received: int) -> None:
        """A trade that must not become part of the stream: as a record of its own, with the reason."""
        self._counts.set_aside += 1
        for record in self._columns.records([trade], received, self.watermark):
            letter = DeadLetter(self._source, None, None, f"trade {trade.id}: {reason}", codec.encode(record), received)
            out.records.append(letter)
