"""What of what was told has come to Kafka: read from `market.trades` when everything is over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from infra import topics
from infra.settings import Settings
from schemas import codec
from schemas.exact import INT64_MAX
from schemas.market import Trades
from schemas.topics import TRADES

_BATCH: Final = 5_000
_TIMEOUT_S: Final = 30.0


@dataclass
class Ledger:
    """`ids` by the venue's own names. Of each record of live trades: how many, when received (epoch us), appended (ms)."""

    ids: dict[str, list[int]] = field(default_factory=dict)
    open_gaps: int = 0
    trades: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    appended: list[int] = field(default_factory=list)

    def waits(self) -> list[float]:
        """Of each record the microseconds from when it was received until it was appended, to a millisecond."""
        return [appended * 1000 - received for received, appended in zip(self.received, self.appended, strict=True)]

    def check(self, told: Mapping[str, Sequence[int]]) -> str:
        """Say that every id that was told is there once, in order and without a gap. Raises SystemExit where it is not so."""
        wrong = []
        for market_id, (first, last) in told.items():
            found = self.ids.get(market_id, [])
            at = found.index(first) if first in found else len(found)
            if found[at:] != list(range(first, last + 1)):
                wrong.append(f"{market_id}: {len(found) - at} of {last - first + 1}")
        if wrong or self.open_gaps:
            raise SystemExit(f"not everything is there: {', '.join(wrong[:5]) or 'nothing missing'}; open gaps {self.open_gaps}")
        trades = sum(last - first + 1 for first, last in told.values())
        return (
            f"{trades:,} trades of {len(told)} instruments: every id once and in order, no gap, in {len(self.trades):,} records"
        )


def read(settings: Settings) -> Ledger:
    """Everything on the topic."""
    found = Ledger()
    gaps: dict[tuple[str, int], bool] = {}
    for appended, record in _records(settings):
        if record.gap is not None:
            gaps[record.market_id, record.gap.after_id] = record.gap.open
        if record.ids:
            found.ids.setdefault(record.market_id, []).extend(record.ids)
        if record.ids and record.kind == "live":
            found.trades.append(len(record.ids))
            found.received.append(record.received)
            found.appended.append(appended)
    found.open_gaps = sum(gaps.values())
    return found


def _records(settings: Settings) -> Iterator[tuple[int, Trades]]:
    """With the broker's time, epoch ms."""
    consumer = Consumer({**settings.librdkafka(), "group.id": "benchmark", "enable.auto.commit": False})
    try:
        full = topics.name(settings, TRADES)
        parts = [TopicPartition(full, number, 0) for number in range(TRADES.partitions)]
        left = {part.partition: consumer.get_watermark_offsets(part, _TIMEOUT_S)[1] for part in parts}
        left = {number: end for number, end in left.items() if end}
        consumer.assign([part for part in parts if part.partition in left])
        while left:
            for message in consumer.consume(_BATCH, _TIMEOUT_S):
                yield message.timestamp()[1], codec.decode_as(Trades, message.value())
                if message.offset() + 1 >= left.get(message.partition(), INT64_MAX):
                    del left[message.partition()]
    finally:
        consumer.close()
