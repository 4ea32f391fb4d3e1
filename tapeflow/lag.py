"""How far each stage is behind: records between what a group has committed and the end of what it reads."""

from collections.abc import Iterable
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

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


class Lags:
    """Looks again and again, with one client a group.

    A consumer that never joins, not an admin client: librdkafka 2.12 crashes the process when an admin client asks for a group's
    offsets while its coordinator moves, as it does on a broker that has just started.
    """

    def __init__(self, settings: Settings, groups: tuple[str, ...] = tuple(READS)) -> None:
        self._admin = broker.admin(settings)
        self._read = {group: [broker.name(settings, topic) for topic in READS[group]] for group in groups}
        self._partitions = {broker.name(settings, topic): topic.partitions for group in groups for topic in READS[group]}
        self._consumers = {group: Consumer(_asking(settings, settings.prefix + group)) for group in groups}

    def now(self) -> dict[str, int]:
        """Records behind, by group. What a group has never committed counts from the beginning. Raises UserError."""
        behind = {}
        for group, consumer in self._consumers.items():
            ends = self._ends(group)
            committed = _committed(consumer, ends)
            behind[group] = sum(max(0, end - committed.get(partition, 0)) for partition, end in ends.items())
        return behind

    def _ends(self, group: str) -> dict[tuple[str, int], int]:
        partitions = [(name, number) for name in self._read[group] for number in range(self._partitions[name])]
        asked = {TopicPartition(name, number): OffsetSpec.latest() for name, number in partitions}
        futures = self._admin.list_offsets(asked, request_timeout=_TIMEOUT_S)
        try:
            return {(tp.topic, tp.partition): future.result(_TIMEOUT_S).offset for tp, future in futures.items()}
        except KafkaException as error:
            raise UserError(
                f"Kafka does not know these topics: {error.args[0].str()}; `tapeflow topics --create` makes them"
            ) from None
        except TimeoutError:
            raise UserError(f"Kafka does not answer within {_TIMEOUT_S} s; check KAFKA_BOOTSTRAP") from None


def _asking(settings: Settings, group: str) -> dict[str, str | int | bool]:
    return {**settings.librdkafka(), "group.id": group, "enable.auto.commit": False, "log_level": 0}


def _committed(consumer: Consumer, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    try:
        found = consumer.committed([TopicPartition(*partition) for partition in partitions], timeout=_TIMEOUT_S)
    except KafkaException:
        return {}  # nobody of that name yet
    return {(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}
