"""Records reach a real broker once and in order, and whoever publishes waits when the broker is slow, stopped or gone."""

import asyncio
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from infra import topics as broker
from infra.embedded import running
from infra.settings import Settings
from producers.columns import Columns
from producers.publish import IN_FLIGHT, Publisher, PublishError
from producers.tail import partition_of
from schemas import codec, topics
from schemas.market import Book, DeadLetter, Funding, Mark, Notice, OpenInterest, Quote, Trades, VenueCandle
from tests.producers.kafka import PUBLISHED, messages, records
from tests.producers.live import until
from tests.producers.toy import BTC, START, trade

pytestmark = pytest.mark.broker

RECEIVED = (START + 60_000) * 1000


def _record(number: int, watermark: int | None = None) -> Trades:
    (record,) = Columns(BTC, "live").records([trade(number)], RECEIVED, START + number if watermark is None else watermark)
    return record


@pytest.fixture
def own(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Iterator[Settings]:
    made = Settings(kafka_bootstrap=kafka_bootstrap, prefix=topic_prefix, state=tmp_path)
    broker.create(made, PUBLISHED)
    yield made
    broker.delete(made, topic_prefix)


async def test_a_record_goes_to_its_topic_under_its_key_at_its_own_time(own: Settings):
    one = Decimal(1)
    quote = Quote("toy", "BTC/USDT", START + 5, RECEIVED, one, one, one, one)
    ahead = _record(2, START + 120_000)
    letter = DeadLetter("toy#0", None, None, "why", b"\x00\xff", RECEIVED)
    publisher = Publisher(own)
    for record in (BTC, _record(1), ahead, quote, letter):
        await publisher.publish(record)
    assert await publisher.flush(10) == 0
    trades = messages(own, topics.TRADES)
    assert [codec.decode(message.value()) for message in trades] == [_record(1), ahead]
    assert {(message.key(), message.partition()) for message in trades} == {(b"toy|BTC/USDT", partition_of(b"toy|BTC/USDT", 12))}
    # A broker refuses what claims to be far in the future: never later than it was received.
    assert [message.timestamp()[1] for message in trades] == [START + 1, START + 60_000]
    assert records(own, topics.QUOTES) == [quote]
    assert records(own, topics.DEAD_LETTERS) == [letter]
    assert records(own, topics.INSTRUMENTS) == [BTC]


ONE = Decimal(1)
OTHERS = {
    topics.BOOKS: (Book("toy", "BTC/USDT", START + 1, RECEIVED, 1), START + 1),
    topics.MARK: (Mark("toy", "BTC/USDT", START + 2, RECEIVED, ONE), START + 2),
    topics.FUNDING: (Funding("toy", "BTC/USDT", START + 3, RECEIVED, ONE), START + 3),
    topics.OPEN_INTEREST: (OpenInterest("toy", "BTC/USDT", START + 4, RECEIVED, ONE), START + 4),
    topics.VENUE_CANDLES: (
        VenueCandle("toy", "BTC/USDT", START, RECEIVED, ONE, ONE, ONE, ONE, ONE, None, None, closed=True),
        START,
    ),
    topics.NOTICES: (Notice("toy", RECEIVED, "closing", "1", "soon"), RECEIVED // 1000),
}


async def test_everything_else_that_a_venue_tells_goes_to_the_topic_of_its_kind(own: Settings):
    publisher = Publisher(own)
    await publisher.room()
    publisher.put(record for record, _ in OTHERS.values())
    assert await publisher.flush(10) == 0
    for topic, (record, at) in OTHERS.items():
        (message,) = messages(own, topic)
        assert codec.decode(message.value()) == record
        assert (message.key(), message.timestamp()[1]) == (topics.key(record), at)


async def test_our_partitioner_is_kafka_s(own: Settings):
    """Keys of every length modulo four, since those are mixed in differently."""
    publisher = Publisher(own)
    for length in range(40):
        await publisher.publish(DeadLetter("x" * length, None, None, "", b"", RECEIVED))
        symbol = f"{'A' * length}/USDT"
        await publisher.publish(Quote("okx", symbol, START, RECEIVED, Decimal(1), Decimal(1), Decimal(1), Decimal(1)))
    assert await publisher.flush(10) == 0
    found = messages(own, topics.QUOTES)
    assert len(found) == 40
    assert all(message.partition() == partition_of(message.key(), topics.QUOTES.partitions) for message in found)


async def test_a_record_that_the_broker_refuses_for_good_ends_the_process(own: Settings):
    publisher = Publisher(own)
    letter = DeadLetter("toy#0", None, None, "too large", b"\x00" * 2_000_000, RECEIVED)
    with pytest.raises(PublishError, match="too large"):
        await publisher.publish(letter)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Path]]:
    """A broker of this module's own, to be stopped and killed."""
    state = tmp_path_factory.mktemp("broker")
    with running(Settings(state=state, database_url="postgresql://none"), Console(stderr=True)) as settings:
        yield settings, state


def _java(state: Path) -> psutil.Process:
    """The broker's process: the one that was told of a file in its folder."""
    return next(
        one
        for one in psutil.process_iter(["name", "cmdline"])
        if any(str(state) in part for part in one.info["cmdline"] or []) and "java" in one.info["name"]
    )


async def test_publishing_waits_while_the_broker_stands_still_and_goes_on_after(apart: tuple[Settings, Path]):
    settings = apart[0].model_copy(update={"prefix": "still."})
    broker.create(settings, PUBLISHED)
    publisher = Publisher(settings)
    total, sent = 3 * IN_FLIGHT, 0

    async def publish() -> None:
        nonlocal sent
        for number in range(total):
            await publisher.publish(_record(number + 1))
            sent += 1

    await publisher.publish(_record(0))
    assert await publisher.flush(10) == 0
    java = _java(apart[1])
    java.suspend()
    try:
        task = asyncio.create_task(publish())
        await until(lambda: publisher.in_flight == IN_FLIGHT)
        stood = sent
        begun = time.monotonic()
        await until(lambda: time.monotonic() - begun > 1)
        assert (sent, publisher.in_flight) == (stood, IN_FLIGHT)
    finally:
        java.resume()
    await task
    assert await publisher.flush(30) == 0
    assert [record.ids for record in records(settings, topics.TRADES)] == [(number,) for number in range(total + 1)]


async def test_nothing_is_lost_nor_doubled_when_the_broker_is_killed_and_comes_back(apart: tuple[Settings, Path]):
    settings = apart[0].model_copy(update={"prefix": "killed."})
    broker.create(settings, PUBLISHED)
    publisher = Publisher(settings)
    for number in range(500):
        await publisher.publish(_record(number))
    _java(apart[1]).kill()
    for number in range(500, 4_000):
        await publisher.publish(_record(number))
    assert await publisher.flush(90) == 0
    assert [record.ids for record in records(settings, topics.TRADES)] == [(number,) for number in range(4_000)]
