"""The pipeline as a real process on a real broker, killed in the middle of a record."""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from msgspec import structs

from infra import topics as broker_topics
from infra.settings import Settings
from pipelines.app import OUTPUTS, config_of
from pipelines.instrument import step
from schemas import codec, topics
from schemas.market import DeadLetter, Move, Trades
from schemas.signals import Signal
from tests.pipelines.test_instrument import batches, walk

pytestmark = pytest.mark.broker

DEADLINE_S = 90
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
# Runs the pipeline; after COUNT records it is killed inside the next one, with outputs of earlier ones on their way.
DOOMED = """
import os, signal, sys
from infra.settings import load_settings
from pipelines import app

left, step = int(sys.argv[1]), app.step
def counted(*arguments):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(*arguments)
app.step = counted
app.run(load_settings())
"""
UNTIL_STOPPED = 10**9


@pytest.fixture
def own(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings for this test alone, without a database."""
    settings = Settings(kafka_bootstrap=kafka_bootstrap, prefix=topic_prefix, state=tmp_path / "state")
    broker_topics.create(settings, (topics.TRADES, *OUTPUTS))
    yield settings
    broker_topics.delete(settings, topic_prefix)


@contextmanager
def pipeline(settings: Settings, count: int) -> Iterator[subprocess.Popen[bytes]]:
    """The pipeline as its own process, with `count` records to live."""
    env = {
        **os.environ,
        "KAFKA_BOOTSTRAP": str(settings.kafka_bootstrap),
        "KAFKA_GROUP_INSTANCE_ID": "the-one",  # a killed member that comes back is let in at once
        "TAPEFLOW_PREFIX": settings.prefix,
        "TAPEFLOW_STATE": str(settings.state),
    }
    with subprocess.Popen([sys.executable, "-c", DOOMED, str(count)], env=env) as process:
        try:
            yield process
        finally:
            process.kill()


def records(symbol: str, seed: int) -> list[Trades]:
    """Ten hours of an instrument in records of seven trades."""
    return [structs.replace(each, symbol=symbol) for each in batches(walk(600, seed), 7)]


def produce(settings: Settings, tapes: list[list[Trades]]) -> None:
    """The instruments interleaved, with a message that is no record and one with another market's key among them."""
    producer = Producer({**settings.librdkafka(), "partitioner": "murmur2"})
    name = broker_topics.name(settings, topics.TRADES)
    for row, several in enumerate(zip(*tapes, strict=True)):
        if row == 100:
            producer.produce(name, b"no record", topics.key(several[0]), timestamp=several[0].watermark)
            producer.produce(name, codec.encode(several[0]), topics.key(several[1]), timestamp=several[0].watermark)
        for one in several:
            producer.produce(name, codec.encode(one), topics.key(one), timestamp=one.watermark)
        producer.poll(0)
    assert producer.flush(30) == 0


def read_until(settings: Settings, moves: int) -> dict[tuple[str, bytes], list[tuple[int, bytes]]]:
    """(timestamp, bytes) of every output by topic and key, once so many different moves are there. Fails at the deadline."""
    consumer = Consumer({**settings.librdkafka(), "group.id": "none", "enable.auto.commit": False})
    consumer.assign(
        [
            TopicPartition(broker_topics.name(settings, topic), partition, 0)
            for topic in OUTPUTS
            for partition in range(topic.partitions)
        ]
    )
    found: dict[tuple[str, bytes], list[tuple[int, bytes]]] = defaultdict(list)
    seen: set[bytes] = set()
    deadline = time.monotonic() + DEADLINE_S
    quiet = False
    while len(seen) < moves or not quiet:
        assert time.monotonic() < deadline, f"{len(seen)} of {moves} moves after {DEADLINE_S} s"
        messages = consumer.consume(1000, timeout=0.5)
        quiet = not messages
        for message in messages:
            assert message.error() is None
            topic = message.topic().removeprefix(settings.prefix)
            found[topic, message.key()].append((message.timestamp()[1], message.value()))
            if topic == topics.MOVES.name:
                seen.add(message.value())
    consumer.close()
    return found


def undisturbed(settings: Settings, offsets: dict[tuple[str, int], int], tape: list[Trades]) -> dict[str, list[bytes]]:
    """What the pure step says of one instrument's records at these offsets, by topic."""
    state, said = None, defaultdict(list)
    for each in tape:
        raw, at = codec.encode(each), offsets[each.symbol, each.watermark]
        state, outputs = step(state, each, raw, at, config_of(settings))
        for output in outputs:
            said[topics.topic_of(output).name].append(codec.encode(output))
    return said


def offsets_of(moves: list[bytes]) -> dict[tuple[str, int], int]:
    """Where each record stood, by symbol and watermark, as its move tells."""
    decoded = [codec.decode_as(Move, raw) for raw in moves]
    return {(move.symbol, codec.decode_as(Trades, move.trades).watermark): move.offset for move in decoded}


def test_killed_inside_a_record_it_says_the_same_as_undisturbed(own: Settings):
    """Killed twice with records unread, then restarted: repeated outputs are equal byte for byte, none is missing or new."""
    tapes = [records(symbol, seed) for seed, symbol in enumerate(SYMBOLS)]
    total = sum(map(len, tapes))
    produce(own, tapes)
    for count in (400, 700):
        with pipeline(own, count) as process:
            assert process.wait(DEADLINE_S) == -signal.SIGKILL
    with pipeline(own, UNTIL_STOPPED) as process:
        found = read_until(own, total)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0

    repeated = 0
    for tape in tapes:
        key = topics.key(tape[0])
        once = {name: list(dict.fromkeys(found[name, key])) for name in (topic.name for topic in OUTPUTS)}
        repeated += sum(len(found[name, key]) - len(once[name]) for name in once)
        expected = undisturbed(own, offsets_of([raw for _, raw in once[topics.MOVES.name]]), tape)
        assert {name: [raw for _, raw in rows] for name, rows in once.items() if rows} == expected
        for time_ms, raw in once[topics.SIGNALS.name]:
            assert codec.decode_as(Signal, raw).time == time_ms
    assert repeated > 0, "no kill fell between outputs and state"


def test_what_is_no_record_is_set_aside_and_the_feed_goes_on(own: Settings):
    """Rubbish and a record under another market's key become dead letters with their bytes and place; moves go on behind them."""
    tapes = [records(symbol, seed)[:110] for seed, symbol in enumerate(SYMBOLS)]
    produce(own, tapes)
    with pipeline(own, UNTIL_STOPPED):
        found = read_until(own, sum(map(len, tapes)))

    letters = [codec.decode_as(DeadLetter, raw) for _, raw in found[topics.DEAD_LETTERS.name, topics.TRADES.name.encode()]]
    assert {letter.payload for letter in letters} == {b"no record", codec.encode(tapes[0][100])}
    assert all(letter.partition is not None and letter.offset is not None for letter in letters)
