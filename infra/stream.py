"""How this system runs quixstreams: one place for delivery, latency and state settings.

The order at a checkpoint is what exactness rests on: outputs are acknowledged first, then the changelog, then the offsets. After
a crash at any point the state of a key is either behind (its records are processed again and give the same bytes) or ahead of
the committed offset (the fold skips what it has seen, and its outputs were acknowledged before that state was written).
"""

import logging
import sys
from collections.abc import Iterable
from typing import Any

from quixstreams import Application
from quixstreams.dataframe import StreamingDataFrame
from quixstreams.kafka import ConnectionConfig
from quixstreams.models import Serializer
from quixstreams.models import Topic as StreamTopic
from quixstreams.sinks.base import BaseSink
from quixstreams.state.rocksdb import RocksDBOptions

from infra import topics as broker
from infra.settings import Settings
from infra.topics import name
from schemas import codec, topics
from schemas.codec import Record
from schemas.topics import Topic

COMMIT_INTERVAL_S = 1.0
# An application that reads several topics waits this long for each batch; it is latency, not CPU, that a longer wait would cost.
POLL_TIMEOUT_S = 0.002
_STATE = RocksDBOptions(write_buffer_size=4 * 1024 * 1024, target_file_size_base=4 * 1024 * 1024)


class OutputsFirst(BaseSink):
    """A sink that stores nothing: it has the application's producer flushed before the changelog is produced."""

    def __init__(self, app: Application) -> None:
        super().__init__()
        self._app = app

    def add(self, *_: Any, **__: Any) -> None:
        """Take no notice of records: only the checkpoint matters."""

    def flush(self) -> None:
        """Wait until every output so far is acknowledged. Raises the producer's delivery error."""
        producer = self._app._producer  # noqa: SLF001 - quixstreams has no public way to flush before the changelog
        while producer.flush(timeout=10):
            logging.getLogger(__name__).warning("waiting for Kafka to acknowledge outputs")


def application(settings: Settings, group: str, reads: Topic, commit_interval_s: float = COMMIT_INTERVAL_S) -> Application:
    """An at-least-once application that reacts at once, keeps its state under the state directory and reads from the start.

    The state belongs to the very topic it was made from. Offsets of a topic of the same name that was made anew (another cluster,
    a broker whose data was removed) begin at 0 again, and state of the former one would take its records for known.
    """
    configure_logging()
    group = settings.prefix + group
    # quixstreams calculates with some of them.
    given = {key: int(text) if key.endswith(".ms") and text.isdecimal() else text for key, text in settings.kafka.items()}
    return Application(
        broker_address=ConnectionConfig.from_librdkafka_dict(settings.librdkafka(), ignore_extras=True),
        consumer_group=group,
        auto_offset_reset="earliest",
        auto_create_topics=True,  # of changelogs; our own topics exist by then
        commit_interval=commit_interval_s,
        consumer_poll_timeout=POLL_TIMEOUT_S,
        consumer_extra_config={
            "fetch.queue.backoff.ms": 1,
            "fetch.wait.max.ms": 50,  # start-up asks for offsets behind fetches that wait this long
            "queued.min.messages": 20_000,
            "session.timeout.ms": 6_000,  # how long the partitions of a killed process wait for its successor
            "heartbeat.interval.ms": 2_000,
            **given,
        },
        producer_extra_config={
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": "murmur2",
            "compression.type": "lz4",
            "linger.ms": 0,
            **given,
        },
        state_dir=settings.state / "rocksdb" / broker.identity(settings, reads),
        rocksdb_options=_STATE,
        # Deleting state because a topic lost its head would silently start every indicator afresh.
        auto_recover_from_source_offset_out_of_range=False,
        loglevel=None,
    )


def topic(app: Application, settings: Settings, of: Topic) -> StreamTopic:
    """The topic as bytes: records are decoded where they are understood, so that a broken one can be set aside."""
    return app.topic(
        name(settings, of),
        key_deserializer="bytes",
        key_serializer="bytes",
        value_deserializer="bytes",
        value_serializer="bytes",
    )


class _Encoded(Serializer):
    def __call__(self, record: Record, *_: Any, **__: Any) -> bytes:
        return codec.encode(record)


def publish(app: Application, settings: Settings, records: StreamingDataFrame, to: Iterable[Topic]) -> None:
    """Each record to the topic of its kind, under its own key, and acknowledged before state is written.

    One chain without branches: quixstreams copies a value by pickle for each branch.
    """
    published = {of.record: app.topic(name(settings, of), key_serializer="bytes", value_serializer=_Encoded()) for of in to}
    sent = records.to_topic(lambda record, *_: published[type(record)], key=topics.key)
    sent.sink(OutputsFirst(app))


def ready(settings: Settings, part: str) -> None:
    """Tell the supervisor that a part is up."""
    folder = settings.state / "run"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{part}.ready").touch()


def configure_logging() -> None:
    """One line a message on stderr, in UTC."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    logging.getLogger("quixstreams").setLevel(logging.WARNING)
