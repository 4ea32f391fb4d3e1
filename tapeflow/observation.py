"""What the system is doing, folded from its topics: the numbers behind the demo's screen and summary.

`Observation` is a plain fold over records; `Watch` feeds it from Kafka in a thread.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from confluent_kafka import OFFSET_END, Consumer, Message, TopicPartition

from infra import topics as broker
from infra.settings import Settings
from schemas import codec, topics
from schemas.codec import Record
from schemas.market import Candle, Indicators, Trades
from schemas.signals import Signal
from schemas.trading import Order, Position
from tapeflow.latency import percentile

WATCHED = (
    topics.TRADES,
    topics.CANDLES,
    topics.INDICATORS,
    topics.SIGNALS,
    topics.ORDERS,
    topics.POSITIONS,
    topics.REFUSALS,
    topics.DEAD_LETTERS,
)
_RATE_WINDOW_S = 5.0


@dataclass
class MarketView:
    """The newest of one market."""

    candle: Candle | None = None
    indicators: Indicators | None = None
    position: Position | None = None


@dataclass
class Observation:
    """Counts and newest records. Times passed in are this machine's epoch microseconds."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys((topic.name for topic in WATCHED), 0))
    trades: int = 0
    markets: dict[str, MarketView] = field(default_factory=dict)
    signals: deque[Signal] = field(default_factory=lambda: deque(maxlen=8))
    latencies_ms: list[float] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    watermark: int = 0
    _recent: deque[tuple[int, int]] = field(default_factory=deque)
    _open: set[tuple[str, str, int]] = field(default_factory=set)
    _signal_ids: set[str] = field(default_factory=set)

    def fold(self, record: Record, now_us: int) -> None:
        """Take one record in, seen at `now_us`."""
        self.counts[topics.topic_of(record).name] += 1
        if isinstance(record, Trades):
            self._fold_trades(record, now_us)
        elif isinstance(record, Candle):
            if record.timeframe == "1m" and record.source == "trades":
                self._market(record).candle = record
        elif isinstance(record, Indicators):
            if record.timeframe == "1m":
                self._market(record).indicators = record
        elif isinstance(record, Signal):
            self._fold_signal(record, now_us)
        elif isinstance(record, Order):
            self.orders[record.client_order_id] = record
        elif isinstance(record, Position):
            self.positions[record.id] = record
            self._market(record).position = record

    def trades_per_second(self, now_us: int) -> float:
        """Of the last five seconds of this machine's time."""
        while self._recent and self._recent[0][0] < now_us - _RATE_WINDOW_S * 1e6:
            self._recent.popleft()
        return sum(count for _, count in self._recent) / _RATE_WINDOW_S

    def latency_ms(self) -> dict[str, float | None]:
        """From receipt of the record that closed a candle to its signal being readable."""
        return {f"p{percent}": _rounded(percentile(self.latencies_ms, percent)) for percent in (50, 99)}

    def realized(self) -> Decimal:
        """Profit and loss of everything closed, after fees, in quote currency."""
        return sum((position.realized for position in self.positions.values()), Decimal(0))

    @property
    def gaps(self) -> int:
        """Gaps that are open now."""
        return len(self._open)

    def _market(self, record: Candle | Indicators | Position) -> MarketView:
        return self.markets.setdefault(f"{record.venue}:{record.symbol}", MarketView())

    def _fold_trades(self, record: Trades, now_us: int) -> None:
        self.trades += len(record.ids)
        if record.gap is not None:
            name = record.venue, record.symbol, record.gap.after_id
            (self._open.add if record.gap.open else self._open.discard)(name)
        self.watermark = max(self.watermark, record.watermark)
        if record.ids:
            self._recent.append((now_us, len(record.ids)))

    def _fold_signal(self, record: Signal, now_us: int) -> None:
        if record.id not in self._signal_ids:
            self._signal_ids.add(record.id)
            self.signals.append(record)
            self.latencies_ms.append((now_us - record.received) / 1000)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


class Watch:
    """Reads every watched topic, from its beginning or its end on, and folds it, in a thread of its own."""

    def __init__(self, settings: Settings, *, from_end: bool = False) -> None:
        self.observation = Observation()
        self.lock = threading.Lock()
        self._stop = threading.Event()
        self._consumer = Consumer(
            {
                **settings.librdkafka(),
                "group.id": f"{settings.prefix}watch",  # required by the client; nothing is ever committed
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",  # where retention has taken the first records
                "fetch.wait.max.ms": 10,
                "fetch.queue.backoff.ms": 1,
                "log_level": 3,
            }
        )
        self._consumer.assign(
            [
                TopicPartition(broker.name(settings, topic), partition, OFFSET_END if from_end else 0)
                for topic in WATCHED
                for partition in range(topic.partitions)
            ]
        )
        self._thread = threading.Thread(target=self._read, name="watch", daemon=True)

    @contextmanager
    def running(self) -> Iterator["Watch"]:
        """Read until the block ends."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()
            self._consumer.close()

    def _read(self) -> None:
        while not self._stop.is_set():
            first = self._consumer.poll(0.05)
            if first is None:
                continue
            # Only what is there already: waiting to fill a batch would be measured as latency.
            messages = [first, *self._consumer.consume(500, timeout=0)]
            now_us = time.time_ns() // 1000
            records = [record for record in map(_record, messages) if record is not None]
            with self.lock:
                for record in records:
                    self.observation.fold(record, now_us)


def _record(message: Message) -> Record | None:
    """None for what is no record of ours: the stage that reads it sets it aside."""
    try:
        return codec.decode(message.value() or b"") if message.error() is None else None
    except codec.DecodeError:
        return None
