"""Storage as a quixstreams application: eight topics into one sink."""

import logging
from typing import Any, Final

from quixstreams import Application
from quixstreams.kafka import Producer

from consumers.storage.database import Database
from consumers.storage.sink import DatabaseSink
from consumers.storage.tables import TABLES
from infra import stream
from infra.settings import Settings, UserError
from infra.topics import name
from schemas import codec, topics
from schemas.market import DeadLetter

PART: Final = "storage"
_ACKNOWLEDGED_WITHIN_S: Final = 10


def build(app: Application, settings: Settings, producer: Producer) -> None:
    """Every topic that has a table goes to the sink; what it cannot store goes to the dead letters."""
    if settings.database_url is None:
        raise UserError("no database: set DATABASE_URL, or start with `tapeflow up` or `tapeflow demo`")
    dead_letters = name(settings, topics.DEAD_LETTERS)

    def set_aside(letters: list[DeadLetter]) -> None:
        for letter in letters:
            producer.produce(dead_letters, codec.encode(letter), key=topics.key(letter))
        if letters and producer.flush(_ACKNOWLEDGED_WITHIN_S):
            raise TimeoutError(f"Kafka does not acknowledge {dead_letters}")

    by_topic = {name(settings, table.topic): table for table in TABLES}
    sink = DatabaseSink(Database(settings.database_url), by_topic, set_aside)
    for table in TABLES:
        app.dataframe(stream.topic(app, settings, table.topic)).sink(sink)
    _resume_at_rebalance(app)


def _resume_at_rebalance(app: Application) -> None:
    """At a rebalance quixstreams forgets which partitions wait for the database, and librdkafka does not: they would for ever."""
    consumer: Any = app._consumer  # noqa: SLF001 - there is no public way to hear of a rebalance
    forget = consumer.reset_backpressure

    def resume_and_forget() -> None:
        waiting = list(consumer.backpressured_tps)
        if waiting:  # none is left when the consumer is closed, which must not be touched any more
            consumer.resume(waiting)
        forget()

    consumer.reset_backpressure = resume_and_forget


def run(settings: Settings) -> None:
    """Store until told to stop by SIGTERM or SIGINT. Raises UserError without a database or when its tables cannot be made."""
    app = stream.application(settings, PART, topics.TRADES)
    logging.getLogger("quixstreams.checkpointing.checkpoint").addFilter(_not_a_retry)
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # a connection lost is told by the sink, once
    with app.get_producer() as producer:
        build(app, settings, producer)
        stream.ready(settings, PART)
        app.run()


def _not_a_retry(record: logging.LogRecord) -> bool:
    """The sink tells of an outage once; quixstreams would at every retry."""
    return not record.getMessage().startswith("Backpressure for sink")
