"""Sequencer and execution as real processes on a real broker, killed in the middle of their work."""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

import pytest
from confluent_kafka import Consumer, Producer

from consumers.execution.app import strategy_settings
from infra import topics as broker_topics
from infra.settings import Settings
from schemas import codec, topics
from schemas.trading import Input, Intent
from tests.consumers.execution.scenario import MINUTE, SWAP, Log, fold

pytestmark = pytest.mark.broker

DEADLINE_S = 60
LIVES = 150
SOURCES = (topics.MOVES, topics.COMMANDS, topics.INPUTS, topics.DEAD_LETTERS)
TRADING = (topics.INTENTS, topics.ORDERS, topics.FILLS, topics.POSITIONS, topics.REFUSALS)


def history(symbol: str) -> Log:
    """Positions one after the other, each opened by a signal and stopped or taken; a command now and then."""
    log = Log(symbol)
    for life in range(LIVES):
        at = life * MINUTE
        log.move([(at, "100.0")], [log.signal("long", at=at, name=f"{symbol}-{life}")])
        log.move([(at + 100, "100.0")])
        log.move([(at + 200, "103.0" if life % 2 else "98.0")])
        if life % 10 == 5:
            log.command("stop")
            log.move([(at + 300, "100.0")], [log.signal("short", at=at + 300, name=f"{symbol}-{life}-s")])
            log.command("start")
    return log


@contextmanager
def running(part: str, settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A part as its own process."""
    code = f"from consumers.{part}.app import run; from infra.settings import load_settings; run(load_settings())"
    env = {
        **os.environ,
        "KAFKA_BOOTSTRAP": str(settings.kafka_bootstrap),
        "TAPEFLOW_PREFIX": settings.prefix,
        "TAPEFLOW_STATE": str(settings.state),
    }
    with subprocess.Popen([sys.executable, "-c", code], env=env) as process:
        try:
            yield process
        finally:
            process.kill()


def produce(settings: Settings, logs: list[list[Input]]) -> None:
    """The moves and commands of several markets, interleaved, as their writers would publish them."""
    producer = Producer({**settings.librdkafka(), "partitioner": "murmur2", "enable.idempotence": True})
    for row in range(max(len(log) for log in logs)):
        for one in (log[row] for log in logs if row < len(log)):
            producer.produce(settings.prefix + one.source, one.payload, topics.key(one), timestamp=one.recorded)
    assert producer.flush(30) == 0


class Reader:
    """All records of some topics from the start, by topic and in the order they come."""

    def __init__(self, settings: Settings, wanted: tuple[topics.Topic, ...]) -> None:
        group = {"group.id": f"{settings.prefix}reader-{wanted[0].name}", "auto.offset.reset": "earliest"}
        self.consumer = Consumer({**settings.librdkafka(), **group})
        self.consumer.subscribe([broker_topics.name(settings, topic) for topic in wanted])
        self.records: dict[str, list[bytes]] = defaultdict(list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.consumer.close()

    def seen(self) -> set[bytes]:
        """All contents so far."""
        return {raw for records in self.records.values() for raw in records}

    def wait(self, enough: Callable[[], bool]) -> None:
        """Until that is so. Fails when it does not come to be."""
        deadline = time.monotonic() + DEADLINE_S
        while not enough():
            assert time.monotonic() < deadline, f"only {len(self.seen())} records after {DEADLINE_S} s"
            for message in self.consumer.consume(500, timeout=0.1):
                assert message.error() is None
                self.records[message.topic()].append(message.value())


def test_killed_anywhere_the_orders_are_the_same(settings: Settings) -> None:
    """Both processes are killed at work; what comes out is what folding the log gives: nothing lacks, nothing differs."""
    broker_topics.create(settings, (*SOURCES, *TRADING))
    logs = [history(symbol).inputs for symbol in (SWAP, "ETH/USDT:USDT", "BTC/USDT")]
    sources = sum(len(log) for log in logs)
    later = len(logs[0]) * 3 // 4
    produce(settings, [log[:later] for log in logs])
    with Reader(settings, (topics.INPUTS,)) as forwarded, Reader(settings, TRADING) as traded:
        with running("sequencer", settings) as sequencer, running("execution", settings) as execution:
            forwarded.wait(lambda: len(forwarded.seen()) >= sources // 3)
            sequencer.send_signal(signal.SIGKILL)
            traded.wait(lambda: len(traded.seen()) >= sources // 3)
            execution.send_signal(signal.SIGKILL)
        with running("sequencer", settings) as sequencer, running("execution", settings) as execution:
            produce(settings, [log[later:] for log in logs])
            forwarded.wait(lambda: len(forwarded.seen()) >= sources)
            wanted = replayed(settings, forwarded)
            traded.wait(lambda: len(traded.seen()) >= len(wanted))
            for process in (sequencer, execution):
                process.terminate()
                assert process.wait(5) == 0
        assert len(forwarded.seen()) == sources
        assert traded.seen() == wanted
    assert sum(isinstance(codec.decode(raw), Intent) for raw in wanted) >= 3 * LIVES


def replayed(settings: Settings, forwarded: Reader) -> set[bytes]:
    """What the pure fold makes of the log as it stands, copies and all."""
    markets: dict[str, list[Input]] = defaultdict(list)
    for raw in forwarded.records[broker_topics.name(settings, topics.INPUTS)]:
        one = codec.decode_as(Input, raw)
        markets[one.symbol].append(one)
    return {codec.encode(one) for log in markets.values() for one in fold(log, strategy_settings(settings))}


def test_rubbish_is_set_aside_and_the_rest_goes_on(settings: Settings) -> None:
    """A broken input goes to the dead letters with its bytes and its place; the next one is folded."""
    broker_topics.create(settings, (*SOURCES, *TRADING))
    log = Log()
    log.move([(0, "100.0")], [log.signal("long")])
    producer = Producer({**settings.librdkafka(), "partitioner": "murmur2"})
    for raw in (b"rubbish", codec.encode(log.inputs[0])):
        producer.produce(broker_topics.name(settings, topics.INPUTS), raw, topics.key(log.inputs[0]), timestamp=1000)
    assert producer.flush(10) == 0
    with Reader(settings, (topics.INTENTS, topics.ORDERS, topics.DEAD_LETTERS)) as reader, running("execution", settings):
        reader.wait(lambda: len(reader.seen()) >= 3)
    (letter,) = (codec.decode(raw) for raw in reader.records[broker_topics.name(settings, topics.DEAD_LETTERS)])
    assert (letter.source, letter.offset, letter.payload) == (topics.INPUTS.name, 0, b"rubbish")
    assert len(reader.records[broker_topics.name(settings, topics.INTENTS)]) == 1
