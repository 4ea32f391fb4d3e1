"""Kafka as the API needs it: whether it answers, and one record published and acknowledged."""

import asyncio
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from infra.settings import Settings
from infra.topics import name
from schemas import codec, topics
from schemas.codec import Record

_ANSWER_S: Final = 2.0
_ACKNOWLEDGE_MS: Final = 5000


class UnacknowledgedError(Exception):
    """Kafka has not acknowledged a record; the message says why."""


class Broker:
    """A producer. It connects by itself and again after an outage."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer = Producer(
            {
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2",
                "message.timeout.ms": _ACKNOWLEDGE_MS,
                "log_level": 2,
                **settings.librdkafka(),
            }
        )

    async def answers(self) -> None:
        """Raises KafkaException when no broker answers."""
        await asyncio.to_thread(self._producer.list_topics, timeout=_ANSWER_S)

    async def publish(self, record: Record) -> None:
        """Publish to the record's topic. Raises UnacknowledgedError."""
        await asyncio.to_thread(self._publish, record)

    def _publish(self, record: Record) -> None:
        outcome: list[str] = []  # empty when acknowledged

        def delivered(error: KafkaError | None, _message: Message) -> None:
            outcome.append("" if error is None else error.str())

        topic = name(self._settings, topics.topic_of(record))
        self._producer.produce(topic, codec.encode(record), topics.key(record), on_delivery=delivered)
        self._producer.flush()
        if outcome != [""]:
            raise UnacknowledgedError(*outcome)
