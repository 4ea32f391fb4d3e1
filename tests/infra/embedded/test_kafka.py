"""The embedded broker is a real one, for this machine alone."""

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from rich.console import Console

from infra.embedded import kafka, running
from infra.settings import Settings
from tests.infra.processes import ended, on

pytestmark = pytest.mark.broker
QUIET = {"log_level": 0}


def _store(bootstrap, topic, value):
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "delivery.timeout.ms": 40_000, **QUIET})
    producer.produce(topic, value)
    assert producer.flush(45) == 0


def _read(bootstrap, topic, count):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none", **QUIET})
    consumer.assign([TopicPartition(topic, 0, 0)])
    messages = consumer.consume(count, timeout=40)
    consumer.close()
    return [(message.error(), message.value()) for message in messages]


def _create(bootstrap, topic):
    client = AdminClient({"bootstrap.servers": bootstrap, **QUIET})
    client.create_topics([NewTopic(topic, 1)])[topic].result(15)


def test_every_listener_is_on_loopback(tmp_path):
    """Nobody else on the network reaches it."""
    properties = kafka.properties(tmp_path, 1, 2)
    assert properties["listeners"] == "BROKER://127.0.0.1:1,CONTROLLER://127.0.0.1:2"
    assert properties["advertised.listeners"] == "BROKER://127.0.0.1:1"
    assert properties["auto.create.topics.enable"] == "false"


def test_a_record_comes_back_as_it_was_sent(kafka_bootstrap, topic_prefix):
    """Through the protocol, from the disk."""
    topic = topic_prefix + "topic"
    _create(kafka_bootstrap, topic)
    _store(kafka_bootstrap, topic, b"\x00tape")
    assert _read(kafka_bootstrap, topic, 1) == [(None, b"\x00tape")]


def test_a_topic_nobody_created_is_not_there(kafka_bootstrap, topic_prefix):
    """A misspelt name is an error, not a new topic."""
    client = AdminClient({"bootstrap.servers": kafka_bootstrap, **QUIET})
    metadata = client.list_topics(topic_prefix + "misspelt", timeout=15)
    assert metadata.topics[topic_prefix + "misspelt"].error is not None


def test_a_broker_killed_outright_comes_back_with_its_records(state):
    """At the same address, started by its keeper; and once more after a regular stop."""
    settings = Settings(state=state, database_url="postgresql://none")
    with running(settings, Console(stderr=True)) as found:
        bootstrap = found.kafka_bootstrap
        _create(bootstrap, "topic")
        _store(bootstrap, "topic", b"before")
        broker = next(process for process in on(state) if process.name() == "java")
        broker.kill()
        assert ended([broker], timeout=5)
        _store(bootstrap, "topic", b"after")
        assert _read(bootstrap, "topic", 2) == [(None, b"before"), (None, b"after")]
    assert on(state) == []
    with running(settings, Console(stderr=True)) as found:
        assert found.kafka_bootstrap == bootstrap
        assert _read(bootstrap, "topic", 2) == [(None, b"before"), (None, b"after")]
