"""`tapeflow tail TOPIC`: the decoded records of one topic, one JSON object a line."""

import difflib
import itertools
import sys
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from infra import topics as broker
from infra.embedded import found
from infra.settings import Settings, UserError
from schemas import codec
from schemas.topics import TOPICS, Topic


def topic_named(text: str) -> Topic:
    """The topic of that name. Raises UserError naming the nearest."""
    names = {topic.name: topic for topic in TOPICS}
    if text in names:
        return names[text]
    near = difflib.get_close_matches(text, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    raise UserError(f"there is no topic {text!r}; {hint}")


def tail(configured: Settings, topic: Topic, *, beginning: bool, count: int) -> None:
    """Print records as they come until `count` of them (0: for ever). From the end, or from the beginning. Raises UserError."""
    settings = found(configured)
    if settings.kafka_bootstrap is None:
        raise UserError(f"nothing runs on {settings.state}: `tapeflow up` starts it; or set KAFKA_BOOTSTRAP")
    broker.admin(settings)
    messages = _messages(settings, topic, beginning=beginning)
    for message in itertools.islice(messages, count or None):
        sys.stdout.write(_line(message) + "\n")
        sys.stdout.flush()


def _messages(settings: Settings, topic: Topic, *, beginning: bool) -> Iterator[Message]:
    consumer = Consumer(
        {**settings.librdkafka(), "group.id": f"{settings.prefix}tail", "enable.auto.commit": False, "log_level": 3}
    )
    try:
        name = broker.name(settings, topic)
        partitions = [TopicPartition(name, number) for number in range(topic.partitions)]
        for tp in partitions:
            try:
                low, high = consumer.get_watermark_offsets(tp, timeout=15)
            except KafkaException as error:
                raise UserError(f"{name} cannot be read: {error.args[0].str()}; `tapeflow topics --create` makes it") from None
            tp.offset = low if beginning else high
        consumer.assign(partitions)
        while True:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                yield message
    finally:
        consumer.close()


def _line(message: Message) -> str:
    raw = message.value() or b""
    try:
        return codec.to_json(codec.decode(raw)).decode()
    except codec.DecodeError as error:
        return f'{{"undecodable": "{error}", "partition": {message.partition()}, "offset": {message.offset()}}}'
