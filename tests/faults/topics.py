"""What lies in Kafka, read while it comes."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace

from confluent_kafka import Consumer, TopicPartition

from infra import topics as broker
from infra.settings import Settings
from schemas import codec
from schemas.codec import Record
from schemas.market import Book, DeadLetter, Notice, Trades
from tests.producers.kafka import PUBLISHED

_PARTITIONS = 2  # so that instruments share them
TOPICS = tuple(replace(topic, partitions=min(topic.partitions, _PARTITIONS)) for topic in PUBLISHED)
_READ = (Trades, Book, Notice, DeadLetter)


class Published:
    """Everything that the producer has published so far, in Kafka's order, of the kinds that a test looks at."""

    def __init__(self) -> None:
        self.trades: dict[tuple[str, str], list[tuple[int, bytes, Trades]]] = defaultdict(list)
        """By venue and symbol: offset, bytes and record."""
        self.books: dict[tuple[str, str], list[Book]] = defaultdict(list)
        self.notices: list[Notice] = []
        self.dead: list[DeadLetter] = []

    def records(self, venue: str, symbol: str) -> list[Trades]:
        return [record for _, _, record in self.trades[venue, symbol]]

    def take(self, offset: int, raw: bytes, record: Record) -> None:
        match record:
            case Trades():
                self.trades[record.venue, record.symbol].append((offset, raw, record))
            case Book():
                self.books[record.venue, record.symbol].append(record)
            case Notice():
                self.notices.append(record)
            case DeadLetter():
                self.dead.append(record)


@contextlib.asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[Published]:
    """Read from the beginning on, for as long as the block lasts."""
    published = Published()
    consumer = Consumer({**settings.librdkafka(), "group.id": "faults", "fetch.wait.max.ms": 20, "log_level": 3})
    names = [(broker.name(settings, topic), topic.partitions) for topic in TOPICS if topic.record in _READ]
    consumer.assign([TopicPartition(name, partition, 0) for name, partitions in names for partition in range(partitions)])

    ended = asyncio.Event()

    async def read() -> None:
        while not ended.is_set():
            for message in await asyncio.to_thread(consumer.consume, 1_000, 0.05):
                assert message.error() is None, message.error()
                raw = message.value()
                published.take(message.offset(), raw, codec.decode(raw))

    task = asyncio.create_task(read())
    try:
        yield published
    finally:
        ended.set()
        try:
            await task
        finally:
            consumer.close()
