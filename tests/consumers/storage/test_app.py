"""Storage as the process it is: fed by a real broker, killed and cut off."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from infra import topics as broker
from infra.embedded import child, postgres
from infra.settings import Settings
from schemas import codec, topics
from schemas.codec import Record, decode_as
from schemas.market import DeadLetter
from tests.consumers.storage.records import ONE_OF_EACH, candle, everything, held, trades

pytestmark = [pytest.mark.broker, pytest.mark.database]

RUN = "from infra.settings import load_settings; from consumers.storage.app import run; run(load_settings())"
# Dies when the rows are in the database and their offsets are not yet in Kafka.
DIE_AFTER_STORING = f"""
import os, signal
from consumers.storage.database import Database
store = Database.store
def store_and_die(self, staged):
    refused = store(self, staged)
    if staged:
        os.kill(os.getpid(), signal.SIGKILL)
    return refused
Database.store = store_and_die
{RUN}
"""


class Storage:
    """The process, its log and the broker it reads from."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.settings = settings
        self.log = log
        self.producer = Producer({"bootstrap.servers": settings.kafka_bootstrap, "linger.ms": 0})
        self.process: subprocess.Popen[bytes] | None = None
        tables = [topics.topic_of(record) for record in ONE_OF_EACH]
        broker.create(settings, (*tables, topics.DEAD_LETTERS))

    def start(self, program: str = RUN) -> None:
        assert self.settings.kafka_bootstrap
        assert self.settings.database_url
        environment = {
            "KAFKA_BOOTSTRAP": self.settings.kafka_bootstrap,
            "DATABASE_URL": self.settings.database_url,
            "TAPEFLOW_STATE": str(self.settings.state),
            "TAPEFLOW_PREFIX": self.settings.prefix,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-c", program], env=os.environ | environment, stderr=log)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Its exit code, within the 5 seconds that a part has."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(5)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def publish(self, *records: Record | tuple[topics.Topic, bytes], spread: bool = False) -> None:
        """To the first partition, or `spread` over all of them."""
        for index, record in enumerate(records):
            topic, value = record if isinstance(record, tuple) else (topics.topic_of(record), codec.encode(record))
            self.producer.produce(
                broker.name(self.settings, topic),
                value,
                b"okx|BTC/USDT",
                partition=index if spread else 0,
                timestamp=1_700_000_000_000,
            )
        assert self.producer.flush(10) == 0

    def dead_letters(self) -> list[DeadLetter]:
        consumer = Consumer(
            {"bootstrap.servers": self.settings.kafka_bootstrap, "group.id": "none", "enable.partition.eof": True}
        )
        consumer.assign([TopicPartition(broker.name(self.settings, topics.DEAD_LETTERS), 0, 0)])
        letters = []
        while (message := consumer.poll(10)) is not None and message.error() is None:
            letters.append(decode_as(DeadLetter, message.value() or b""))
        consumer.close()
        return letters

    def committed(self, topic: topics.Topic) -> int:
        """The offset that the group will go on from in partition 0."""
        consumer = Consumer({"bootstrap.servers": self.settings.kafka_bootstrap, "group.id": f"{self.settings.prefix}storage"})
        (partition,) = consumer.committed([TopicPartition(broker.name(self.settings, topic), 0)], timeout=10)
        consumer.close()
        return partition.offset

    def members(self) -> int:
        """How many processes share the partitions among them."""
        group = f"{self.settings.prefix}storage"
        client = broker.admin(self.settings)
        described = client.describe_consumer_groups([group])[group].result(10)
        return sum(1 for member in described.members if member.assignment.topic_partitions)

    def await_(self, query: str, expected: int) -> None:
        """Until a count in the database is what it should become."""
        assert self.settings.database_url
        url = self.settings.database_url
        until(lambda: held(url, "SELECT to_regclass('v_refusals')")[0]["to_regclass"] is not None)
        until(lambda: held(url, f"SELECT ({query}) AS found")[0]["found"] == expected)


def until(true: Callable[[], bool], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def storage(settings: Settings, tmp_path: Path) -> Iterator[Storage]:
    made = Storage(settings, tmp_path / "storage.log")
    yield made
    made.kill()


def test_what_is_published_is_stored(storage: Storage) -> None:
    """One row of each kind; what is none of them and what the database refuses is in the dead letters; SIGTERM ends it."""
    refused = trades(8, amounts=(-1,))
    storage.publish(*ONE_OF_EACH, trades(), (topics.CANDLES, b"rubbish"), refused, trades(9))
    storage.start()
    storage.await_("SELECT count(*) FROM trades", 2)
    url = storage.settings.database_url
    assert url is not None
    assert {name: len(rows) for name, rows in everything(url).items()} == {
        **dict.fromkeys(("instruments", "candles", "signals", "orders", "fills", "positions", "refusals"), 1),
        "trades": 2,
        "candle_revisions": 0,
    }
    until(lambda: len(storage.dead_letters()) == 2)
    assert {letter.payload for letter in storage.dead_letters()} == {b"rubbish", codec.encode(refused)}
    assert (storage.settings.state / "run" / "storage.ready").exists()
    assert storage.stop() == 0
    assert storage.committed(topics.TRADES) == 4


def test_killed_between_the_rows_and_the_offsets(storage: Storage) -> None:
    """The next process reads the same records again and changes nothing by it."""
    storage.publish(*(trades(*range(10 * n, 10 * n + 10)) for n in range(50)), candle(0), candle(1), *ONE_OF_EACH)
    storage.start(DIE_AFTER_STORING)
    assert storage.process is not None
    assert storage.process.wait(30) == -signal.SIGKILL
    assert storage.committed(topics.TRADES) < 0
    url = storage.settings.database_url
    assert url is not None
    before = everything(url)
    assert before["trades"]
    storage.start()
    until(lambda: storage.committed(topics.TRADES) == 51)
    until(lambda: storage.committed(topics.REFUSALS) == 1)
    assert storage.stop() == 0
    after = everything(url)
    assert len(after["trades"]) == 500
    assert [row["revision"] for row in after["candles"] + after["candle_revisions"]] == [1, 0]
    assert all(row in after[name] for name, rows in before.items() for row in rows)


def test_a_database_that_comes_late_and_goes_away(storage: Storage, tmp_path: Path) -> None:
    """Storage waits for it, and what is published meanwhile is stored when it is back: once, and with one warning an outage."""
    place = tmp_path / "private"
    server = postgres.start(place)
    try:
        child.await_ready([server])
        storage.settings = storage.settings.model_copy(update={"database_url": server.address})
        child.stop([server])
        storage.publish(trades(1, 2), candle(0))
        storage.start()
        until(lambda: b"the database takes no rows" in storage.log.read_bytes())
        server = postgres.start(place)
        child.await_ready([server])
        storage.await_("SELECT count(*) FROM trades", 2)
        child.stop([server])
        storage.publish(*(trades(n, n + 1) for n in range(2, 40)), candle(1))
        until(lambda: storage.log.read_bytes().count(b"the database takes no rows") == 2)
        server = postgres.start(place)
        child.await_ready([server])
        storage.await_("SELECT count(*) FROM trades", 40)
        storage.await_("SELECT revision FROM candles", 1)
        assert storage.stop() == 0
    finally:
        child.stop([server])
    lines = [line.partition(" consumers.storage.sink: the database takes ")[2] for line in storage.log.read_text().splitlines()]
    assert [line.partition(" ")[0] for line in lines if line] == ["no", "rows", "no", "rows"]


def test_a_second_process_joins_while_the_database_is_away(storage: Storage, tmp_path: Path) -> None:
    """The partitions that each has after the rebalance go on when the database is back, also those it had waited on before."""
    place = tmp_path / "private"
    server = postgres.start(place)
    second = Storage(storage.settings, tmp_path / "second.log")
    try:
        child.await_ready([server])
        storage.settings = second.settings = storage.settings.model_copy(update={"database_url": server.address})
        markets = [f"C{number}/USDT" for number in range(topics.PARTITIONS)]
        storage.publish(*(trades(1, symbol=market) for market in markets), spread=True)
        storage.start(f"from consumers.storage import sink; sink.FIRST_RETRY_S = 5.0; {RUN}")  # still waiting when
        storage.await_("SELECT count(*) FROM trades", len(markets))
        child.stop([server])
        storage.publish(*(trades(2, symbol=market) for market in markets), spread=True)
        until(lambda: b"the database takes no rows" in storage.log.read_bytes())
        second.start()  # the other joins
        until(lambda: storage.members() == 2)
        server = postgres.start(place)
        child.await_ready([server])
        storage.publish(*(trades(3, symbol=market) for market in markets), spread=True)
        storage.await_("SELECT count(*) FROM trades", 3 * len(markets))
        assert [storage.stop(), second.stop()] == [0, 0]
    finally:
        second.kill()
        child.stop([server])


def test_it_ends_while_the_database_is_away(storage: Storage) -> None:
    """SIGTERM does not wait for the database; what was not stored is read again next time."""
    url = storage.settings.database_url
    storage.settings = storage.settings.model_copy(update={"database_url": "postgresql://127.0.0.1:1/none"})
    storage.publish(trades(1))
    storage.start()
    until(lambda: b"the database takes no rows" in storage.log.read_bytes())
    assert storage.stop() == 0
    assert storage.committed(topics.TRADES) < 0
    storage.settings = storage.settings.model_copy(update={"database_url": url})
    storage.start()
    storage.await_("SELECT count(*) FROM trades", 1)
    assert storage.stop() == 0
