"""What was published before: the last trade and the watermark of each instrument, read from the ends of its partitions."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from infra import topics as broker
from infra.settings import Settings
from producers.continuity import Position
from producers.dialect import Trade
from schemas import codec, exact, topics
from schemas.market import Instrument, Trades

_FIRST_STRIDE: Final = 1_000  # records; each further stride towards the beginning is four times as long
_TIMEOUT_S: Final = 15.0


def positions(settings: Settings, instruments: Iterable[Instrument]) -> dict[str, Position]:
    """By market id, of the instruments that were ever published. Raises KafkaException when the broker does not answer."""
    wanted = {topics.key(instrument): instrument.market_id for instrument in instruments}
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
    """Reads backwards in growing strides until every key's last trade is found, or the beginning."""
    low, end = _ends(consumer, at)
    found: dict[bytes, Position] = {}
    stride = _FIRST_STRIDE
    while end > low and not all(key in found and found[key].last for key in keys):
        begin = max(low, end - stride)
        stretch: dict[bytes, Position] = {}
        for message in _read(consumer, TopicPartition(at.topic, at.partition, begin), end):
            key = message.key()
            if key in keys:
                with suppress(codec.DecodeError):  # no record of ours: the pipeline sets it aside
                    stretch[key] = _after(stretch.get(key), message)
        for key, older in stretch.items():
            newer = found.get(key)
            found[key] = older if newer is None else Position(newer.last or older.last, max(newer.watermark, older.watermark))
        end, stride = begin, stride * 4
    return found


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


def _after(position: Position | None, message: Message) -> Position:
    record = codec.decode_as(Trades, message.value() or b"")
    last = position.last if position else None
    if record.ids:
        price = exact.from_scaled(record.prices[-1], record.price_scale)
        amount = exact.from_scaled(record.amounts[-1], record.amount_scale)
        last = Trade(record.ids[-1], record.ids[-1], record.times[-1], price, amount, record.taker_buys[-1])
    return Position(last, max(record.watermark, position.watermark if position else 0))


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
