"""What was published before: where each instrument's stream stood, read from the ends of its partitions."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from infra import topics as broker
from infra.settings import Settings
from producers.ending import Ending
from producers.outcome import Position
from schemas import codec, topics
from schemas.market import Instrument, Trades

_FIRST_STRIDE: Final = 1_000  # records; each further stride towards the beginning is four times as long
_TIMEOUT_S: Final = 15.0


def positions(settings: Settings, instruments: Iterable[Instrument]) -> dict[str, Position]:
    """By symbol, of a venue's instruments that were ever published. Raises KafkaException when the broker does not answer."""
    wanted = {topics.key(instrument): instrument.symbol for instrument in instruments}
    name = broker.name(settings, topics.TRADES)
    consumer = Consumer(
        {**settings.librdkafka(), "group.id": "positions", "enable.partition.eof": True, "enable.auto.commit": False}
    )
    try:
        count = len(consumer.list_topics(name, timeout=_TIMEOUT_S).topics[name].partitions)
        by_partition: dict[int, set[bytes]] = defaultdict(set)
        for key in wanted:
            by_partition[partition_of(key, count)].add(key)
        found: dict[bytes, Position] = {}
        for partition, keys in by_partition.items():
            found |= _last(consumer, TopicPartition(name, partition), keys)
    finally:
        consumer.close()
    return {wanted[key]: position for key, position in found.items()}


def _last(consumer: Consumer, at: TopicPartition, keys: set[bytes]) -> dict[bytes, Position]:
    """Reads backwards in growing strides until nothing older can matter of any key, or to the beginning."""
    low, end = _ends(consumer, at)
    found = {key: Ending() for key in keys}
    searched = set(keys)
    stride = _FIRST_STRIDE
    while end > low and searched:
        begin = max(low, end - stride)
        for message in _read(consumer, TopicPartition(at.topic, at.partition, begin), end):
            key = message.key()
            if key in searched:
                with suppress(codec.DecodeError):  # no record of ours: the pipeline sets it aside
                    found[key].take(codec.decode_as(Trades, message.value() or b""))
        for key in searched:
            found[key].earlier()
        searched = {key for key in searched if not found[key].complete}
        end, stride = begin, stride * 4
    return {key: ending.position() for key, ending in found.items() if not ending.empty}


@retry(retry=retry_if_exception_type(KafkaException), stop=stop_after_delay(_TIMEOUT_S), wait=wait_fixed(0.1), reraise=True)
def _ends(consumer: Consumer, at: TopicPartition) -> tuple[int, int]:
    """A partition that was made just now has no leader for a moment."""
    low, end = consumer.get_watermark_offsets(at, timeout=_TIMEOUT_S)
    return low, end


def _read(consumer: Consumer, begin: TopicPartition, end: int) -> Iterable[Message]:
    consumer.assign([begin])
    while True:
        message = consumer.poll(_TIMEOUT_S)
        if message is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"no records from {begin.topic}"))  # noqa: SLF001 - its public name
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                return
            raise KafkaException(error)
        if message.offset() >= end:
            return
        yield message
        if message.offset() == end - 1:
            return


def partition_of(key: bytes, partitions: int) -> int:
    """Where Kafka's murmur2 partitioner puts a key."""
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    digest = (0x9747B28C ^ len(key)) & mask
    whole = len(key) // 4 * 4
    for at in range(0, whole, 4):
        word = int.from_bytes(key[at : at + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        digest = digest * multiplier & mask ^ word
    if len(key) > whole:
        digest = (digest ^ int.from_bytes(key[whole:], "little")) * multiplier & mask
    digest = (digest ^ digest >> 13) * multiplier & mask
    return ((digest ^ digest >> 15) & 0x7FFFFFFF) % partitions
