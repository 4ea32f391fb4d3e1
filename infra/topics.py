"""Topics on the broker: their full names and their creation with the settings of the table in `schemas.topics`."""

import time

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from infra.settings import Settings, UserError
from schemas.topics import TOPICS, Topic

_TIMEOUT_S = 15
_CREATE_S = 60  # a busy little broker takes its time over some two hundred partitions


def name(settings: Settings, topic: Topic) -> str:
    """The topic's name on this broker, behind the configured prefix."""
    return settings.prefix + topic.name


def admin(settings: Settings) -> AdminClient:
    """A client for the broker. Raises UserError when no broker answers."""
    try:
        client = AdminClient({**settings.librdkafka(), "log_level": 0})
    except KafkaException as error:
        raise UserError(
            f"Kafka's client refuses the settings in KAFKA_*: {error.args[0].str()}; allowed are librdkafka's, with _ for ."
        ) from None
    try:
        client.list_topics(timeout=_TIMEOUT_S)
    except KafkaException as error:
        raise UserError(
            f"no Kafka broker answers at {settings.kafka_bootstrap}: {error.args[0].str()}; check KAFKA_BOOTSTRAP"
        ) from None
    return client


def identity(settings: Settings, topic: Topic) -> str:
    """What tells this topic from another of the same name, here or on another broker. Raises UserError when it is not there."""
    full = name(settings, topic)
    client = admin(settings)  # held: its answers come only while it lives
    try:
        found = client.describe_topics(TopicCollection([full]), request_timeout=_TIMEOUT_S)[full].result(_TIMEOUT_S)
    except (KafkaException, TimeoutError):
        raise UserError(f"the broker has no topic {full}; `tapeflow topics --create` makes it") from None
    uuid = found.topic_id
    return f"{uuid.get_most_significant_bits() % 2**64:016x}{uuid.get_least_significant_bits() % 2**64:016x}"


def create(settings: Settings, topics: tuple[Topic, ...] = TOPICS) -> None:
    """Create what is missing; leave what is there. Raises UserError when the broker refuses one."""
    wanted = [NewTopic(name(settings, topic), num_partitions=topic.partitions, config=topic.settings()) for topic in topics]
    client = admin(settings)  # held: its answers come only while it lives
    created = client.create_topics(wanted, operation_timeout=_CREATE_S, request_timeout=_CREATE_S)
    for topic, future in zip(wanted, created.values(), strict=True):
        try:
            future.result(_CREATE_S)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise UserError(f"the broker refuses topic {topic.topic}: {error.args[0].str()}") from None
    _wait_for_leaders(settings, wanted)


def _wait_for_leaders(settings: Settings, topics: list[NewTopic]) -> None:
    """A topic exists before its partitions can be used, also when its broker comes back: wait until each of them answers."""
    silent = {TopicPartition(topic.topic, number) for topic in topics for number in range(topic.num_partitions)}
    deadline = time.monotonic() + _CREATE_S
    while silent:
        # A new client each time: one that has once been told of no leader may go on believing it.
        client = AdminClient({**settings.librdkafka(), "log_level": 0})
        answers = client.list_offsets({tp: OffsetSpec.latest() for tp in silent}, request_timeout=_TIMEOUT_S)
        silent = {tp for tp, future in answers.items() if future.exception(_TIMEOUT_S) is not None}
        if silent and time.monotonic() > deadline:
            raise UserError(f"{len(silent)} partitions have no leader after {_CREATE_S} s, {min(silent).topic} among them")
        time.sleep(0.05 if silent else 0)


def delete(settings: Settings, prefix: str) -> None:
    """Delete every topic of that prefix, changelogs included. For what is short-lived: replays and tests."""
    client = admin(settings)
    doomed = [found for found in client.list_topics(timeout=_TIMEOUT_S).topics if prefix and prefix in found]
    if doomed:
        for future in client.delete_topics(doomed, operation_timeout=_CREATE_S, request_timeout=_CREATE_S).values():
            future.result(_CREATE_S)
