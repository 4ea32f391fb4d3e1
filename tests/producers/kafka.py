"""What is on the broker, read back."""

from confluent_kafka import Consumer, Message, TopicPartition

from infra import topics as broker
from infra.settings import Settings
from schemas import codec
from schemas.topics import (
    BOOKS,
    DEAD_LETTERS,
    FUNDING,
    INSTRUMENTS,
    MARK,
    NOTICES,
    OPEN_INTEREST,
    QUOTES,
    TRADES,
    VENUE_CANDLES,
    Topic,
)

# What producers write to.
PUBLISHED = (INSTRUMENTS, TRADES, QUOTES, BOOKS, MARK, FUNDING, OPEN_INTEREST, VENUE_CANDLES, NOTICES, DEAD_LETTERS)


def messages(settings: Settings, topic: Topic) -> list[Message]:
    """Everything in a topic: partition by partition, each in its order."""
    consumer = Consumer({**settings.librdkafka(), "group.id": "reader", "enable.partition.eof": True})
    name = broker.name(settings, topic)
    consumer.assign([TopicPartition(name, partition, 0) for partition in range(topic.partitions)])
    found, ended = [], set()
    while len(ended) < topic.partitions:
        message = consumer.poll(15)
        assert message is not None, f"no answer from {name}"
        if message.error():
            ended.add(message.partition())
        else:
            found.append(message)
    consumer.close()
    return sorted(found, key=lambda message: (message.partition(), message.offset()))


def records(settings: Settings, topic: Topic) -> list:
    """The same, decoded."""
    return [codec.decode(message.value()) for message in messages(settings, topic)]
