"""Topics on the real broker."""

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import ConfigResource, OffsetSpec, ResourceType

from infra import topics as broker
from infra.settings import Settings, UserError
from schemas import topics


def test_topics_are_made_with_their_settings_and_usable_at_once(settings: Settings) -> None:
    """Twelve partitions where co-partitioned, kept for ever by time, each with a leader; a second time changes nothing."""
    broker.create(settings)
    client = broker.admin(settings)
    wanted = {broker.name(settings, topic): topic for topic in topics.TOPICS}
    partitions = {TopicPartition(name, number) for name, topic in wanted.items() for number in range(topic.partitions)}
    ends = client.list_offsets(dict.fromkeys(partitions, OffsetSpec.latest()))
    assert {future.result(10).offset for future in ends.values()} == {0}
    found = client.list_topics(timeout=10).topics
    assert {name: len(found[name].partitions) for name in wanted} == {name: topic.partitions for name, topic in wanted.items()}
    asked = [ConfigResource(ResourceType.TOPIC, name) for name in wanted]
    for resource, future in client.describe_configs(asked).items():
        told = {name: entry.value for name, entry in future.result(10).items()}
        assert wanted[resource.name].settings().items() <= told.items()
    broker.create(settings)


def test_deleting_a_prefix_leaves_the_others(settings: Settings) -> None:
    """A replay clears up after itself and nothing else."""
    other = settings.model_copy(update={"prefix": f"{settings.prefix}x."})
    broker.create(settings, (topics.SIGNALS,))
    broker.create(other, (topics.SIGNALS,))
    broker.delete(other, other.prefix)
    names = broker.admin(settings).list_topics(timeout=10).topics
    assert broker.name(settings, topics.SIGNALS) in names
    assert broker.name(other, topics.SIGNALS) not in names


def test_a_broker_that_does_not_answer_is_named(settings: Settings) -> None:
    """With the variable to set."""
    gone = settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    with pytest.raises(UserError, match=r"no Kafka broker answers at 127\.0\.0\.1:1: .*; check KAFKA_BOOTSTRAP"):
        broker.create(gone)
