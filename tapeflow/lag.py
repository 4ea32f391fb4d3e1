"""How far each stage is behind: records between what a group has committed and the end of what it reads."""

from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from consumers.storage.tables import TABLES
from infra import topics as broker
from infra.settings import Settings, UserError
from schemas import topics
from schemas.topics import Topic

# The consumer groups in the order of the flow, and what each reads.
READS: Final[dict[str, tuple[Topic, ...]]] = {
    "pipeline": (topics.TRADES,),
    "sequencer": (topics.MOVES, topics.COMMANDS),
    "execution": (topics.INPUTS,),
    "storage": tuple(table.topic for table in TABLES),
}
_TIMEOUT_S: Final = 10


def lags(admin: AdminClient, settings: Settings, groups: tuple[str, ...] = tuple(READS)) -> dict[str, int]:
    """Records behind, by group. What a group has never committed counts from the beginning. Raises UserError."""
    behind = {}
    for group in groups:
        ends = _ends(admin, settings, READS[group])
        committed = _committed(admin, settings.prefix + group)
        behind[group] = sum(max(0, end - committed.get(partition, 0)) for partition, end in ends.items())
    return behind


def _committed(admin: AdminClient, group: str) -> dict[tuple[str, int], int]:
    future = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=_TIMEOUT_S)[group]
    try:
        found = future.result(_TIMEOUT_S).topic_partitions or []
    except (KafkaException, TimeoutError):
        return {}  # nobody of that name yet
    return {(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}


def _ends(admin: AdminClient, settings: Settings, read: tuple[Topic, ...]) -> dict[tuple[str, int], int]:
    partitions = [(broker.name(settings, topic), number) for topic in read for number in range(topic.partitions)]
    asked = {TopicPartition(name, number): OffsetSpec.latest() for name, number in partitions}
    futures = admin.list_offsets(asked, request_timeout=_TIMEOUT_S)
    try:
        return {(tp.topic, tp.partition): future.result(_TIMEOUT_S).offset for tp, future in futures.items()}
    except KafkaException as error:
        raise UserError(
            f"Kafka does not know these topics: {error.args[0].str()}; `tapeflow topics --create` makes them"
        ) from None
    except TimeoutError:
        raise UserError(f"Kafka does not answer within {_TIMEOUT_S} s; check KAFKA_BOOTSTRAP") from None
