"""The only producer: records to Kafka, in order, each of them acknowledged. Who reads waits for room before reading on."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from infra import topics as broker
from infra.settings import Settings
from schemas import codec, topics
from schemas.market import Book, Candle, DeadLetter, Funding, Mark, Notice, OpenInterest, Quote, Trades, VenueCandle

IN_FLIGHT: Final = 2_000  # records not acknowledged yet, above which nobody should bring more
_WAIT_S: Final = 0.005
_POLL_S: Final = 0.05


class PublishError(Exception):
    """Kafka has refused a record for good. The process has to end: its successor goes on from what was published."""


class Publisher:
    """Idempotent, `acks=all`, retried for ever: a record is never dropped while the process lives."""

    def __init__(self, settings: Settings) -> None:
        self._names = {topic.record: broker.name(settings, topic) for topic in topics.TOPICS}
        self._failure: KafkaError | None = None
        self._producer = Producer(
            {
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2",
                "compression.type": "lz4",
                "linger.ms": 0,
                "message.timeout.ms": 0,
                "reconnect.backoff.max.ms": 1_000,
                "delivery.report.only.error": True,
                "log_level": 3,  # errors: of a broker that is gone it warns many times a second
                **settings.librdkafka(),
            },
            logger=logging.getLogger("kafka"),
        )

    @property
    def in_flight(self) -> int:
        """Records that Kafka has not acknowledged yet."""
        return len(self._producer)

    @property
    def full(self) -> bool:
        """Whether nobody should bring more just now."""
        return self.in_flight >= IN_FLIGHT

    async def room(self) -> None:
        """Wait until there is room for a burst. Raises PublishError."""
        self._poll()
        while self.full:
            await asyncio.sleep(_WAIT_S)
            self._poll()

    def put(self, records: Iterable[codec.Record]) -> None:
        """Hand over records, after `room`. Raises PublishError."""
        produce = self._producer.produce
        try:
            for record in records:
                produce(
                    self._names[type(record)],
                    value=codec.encode(record),
                    key=topics.key(record),
                    timestamp=_timestamp(record),
                    on_delivery=self._delivered,
                )
        except KafkaException as error:
            raise PublishError(f"Kafka refuses a record: {error.args[0].str()}") from error
        self._poll()

    async def publish(self, record: codec.Record) -> None:
        """Hand over one record when there is room for it. Raises PublishError."""
        await self.room()
        self.put((record,))

    async def serve(self) -> None:
        """Take acknowledgements while nothing is published. Raises PublishError."""
        while True:
            self._poll()
            await asyncio.sleep(_POLL_S)

    async def flush(self, seconds: float) -> int:
        """Wait for the acknowledgements; returns how many are still due."""
        return int(await asyncio.to_thread(self._producer.flush, seconds))

    def _poll(self) -> None:
        self._producer.poll(0)
        if self._failure is not None:
            raise PublishError(f"Kafka has refused a record: {self._failure.str()}")

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        self._failure = error or self._failure


def _timestamp(record: Any) -> int:
    """The record's event time in epoch ms, never later than it was received: a broker refuses the future. 0 is now."""
    match record:
        case Trades():
            return min(record.watermark, record.received // 1000)
        case Quote() | Book() | Mark() | Funding() | OpenInterest():
            return min(record.time, record.received // 1000)
        case VenueCandle() | Candle():
            return min(record.open_time, record.received // 1000)
        case DeadLetter() | Notice():
            return record.received // 1000
    return 0
