"""`tapeflow replay capture`: a recording through the real parsers, Kafka and the pipeline, in topics of its own."""

import asyncio
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from confluent_kafka import Consumer, TopicPartition

from infra import topics as broker
from infra.settings import Settings, Timeframe, UserError
from infra.supervisor import Supervisor
from producers import capture
from producers.dialects import DIALECTS
from producers.publish import Publisher
from schemas import codec, topics
from schemas.market import Candle
from schemas.topics import Topic
from tapeflow import candle_csv
from tapeflow.lag import Lags
from tapeflow.parts import command

_REPLAYED: Final = (
    topics.INSTRUMENTS,
    topics.TRADES,
    topics.QUOTES,
    topics.BOOKS,
    topics.MARK,
    topics.FUNDING,
    topics.OPEN_INTEREST,
    topics.VENUE_CANDLES,
    topics.NOTICES,
    topics.CANDLES,
    topics.INDICATORS,
    topics.SIGNALS,
    topics.MOVES,
    topics.DEAD_LETTERS,
)
_PATIENCE_S: Final = 120
_ALL: Final = "all"


@dataclass(frozen=True)
class Replay:
    """What to replay and what to write."""

    file: Path
    venue: str
    instruments: Path
    candles: Path | None
    timeframe: str
    speed: float | None = None

    def check(self) -> None:
        """Raises UserError for what no replay can come of, before anything is started."""
        if self.venue not in DIALECTS:
            raise UserError(f"unknown venue {self.venue!r}; there are {', '.join(DIALECTS)}")
        allowed = (*get_args(Timeframe), _ALL)
        if self.timeframe not in allowed:
            raise UserError(f"unknown timeframe {self.timeframe!r}; there are {', '.join(allowed)}")
        if not self.file.exists():
            raise UserError(f"there is no recording {self.file}")
        if not self.instruments.is_file():
            raise UserError(f"there is no instrument list {self.instruments}; name one with --instruments")
        if self.candles is not None and not self.candles.absolute().parent.is_dir():
            raise UserError(f"there is no folder {self.candles.absolute().parent} to write {self.candles.name} to")

    def run(self, settings: Settings) -> str:
        """Replay, write the candles, and say in one line what came of it. Leaves neither topics nor state behind."""
        token = f"replay-{secrets.token_hex(4)}"
        own = settings.model_copy(update={"prefix": f"{settings.prefix}{token}.", "state": settings.state / token})
        try:
            broker.create(own, _REPLAYED)
            with Supervisor({"pipeline": command("pipeline")}, own.state, own.environment()) as supervisor:
                counts = asyncio.run(self._publish(own))
                _wait_until_read(own, supervisor)
                candles = [candle for candle in _candles(own) if self.timeframe in (candle.timeframe, _ALL)]
                written = candle_csv.write(self.candles, candles) if self.candles else len(candle_csv.newest(candles))
                return f"{written} candles; {counts}"
        finally:
            broker.delete(own, own.prefix)
            shutil.rmtree(own.state, ignore_errors=True)
        sys.exit(130)

    async def _publish(self, settings: Settings) -> str:
        publisher = Publisher(settings)
        serving = asyncio.create_task(publisher.serve())
        try:
            recording = capture.Replay(self.file, self.venue, self.instruments)
            await capture.replay(recording, publisher.publish, self.speed)
            if await publisher.flush(_PATIENCE_S):
                raise UserError("Kafka has not acknowledged the recording")
        finally:
            serving.cancel()
        return recording.tally.line()


def _wait_until_read(settings: Settings, supervisor: Supervisor) -> None:
    """Until the pipeline has committed everything published: what it made of it is there by then."""
    behind = Lags(settings, ("pipeline",))
    deadline = time.monotonic() + _PATIENCE_S
    while any(behind.now().values()):
        supervisor.check()
        if time.monotonic() > deadline:
            raise UserError(f"the pipeline has not read the recording after {_PATIENCE_S} s; see {settings.state / 'logs'}")
        time.sleep(0.1)


def _candles(settings: Settings) -> Iterator[Candle]:
    for record in read_all(settings, topics.CANDLES):
        assert isinstance(record, Candle)
        yield record


def read_all(settings: Settings, topic: Topic) -> Iterator[codec.Record]:
    """Every record that a topic holds now."""
    consumer = Consumer(
        {
            **settings.librdkafka(),
            "group.id": f"{settings.prefix}reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    try:
        name = broker.name(settings, topic)
        ends = {}
        for number in range(topic.partitions):
            low, high = consumer.get_watermark_offsets(TopicPartition(name, number), timeout=15)
            if high > low:
                ends[number] = high
        consumer.assign([TopicPartition(name, number, 0) for number in ends])
        while ends:
            for message in consumer.consume(500, 1.0):
                if message.error() is not None:
                    raise UserError(f"{name} cannot be read: {message.error().str()}")
                yield codec.decode(message.value() or b"")
                if message.offset() + 1 >= ends.get(message.partition(), sys.maxsize):
                    del ends[message.partition()]
    finally:
        consumer.close()
