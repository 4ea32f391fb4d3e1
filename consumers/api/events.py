"""What happens now, as server-sent events: one consumer for the process, read from Kafka's end, one bounded queue a client."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Annotated, Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from consumers.api.models import problems
from infra.settings import Settings
from infra.topics import name
from schemas import codec, topics
from schemas.topics import Topic

STREAMED: Final[dict[str, Topic]] = {"candles": topics.CANDLES, "signals": topics.SIGNALS}
CLIENTS: Final = 64
WAITING: Final = 1000  # events that a client may be behind
_POLL_S: Final = 0.1
_ANSWER_S: Final = 2.0
_RETRY_S: Final = 0.5
_POSITIONED_S: Final = 5.0


class Subscriber:
    """One client: the streams it asked for and what it has not read yet; None ends it."""

    def __init__(self, streams: frozenset[str]) -> None:
        self.streams = streams
        self.waiting: asyncio.Queue[ServerSentEvent | None] = asyncio.Queue(WAITING)
        self.behind = False

    def offer(self, event: ServerSentEvent | None) -> None:
        """Take what comes next. A client that is too far behind is given up: it would miss events without knowing."""
        if self.behind:
            return
        try:
            self.waiting.put_nowait(event)
        except asyncio.QueueFull:
            self.behind = True

    async def events(self) -> AsyncIterator[ServerSentEvent]:
        """What the client is sent, until the server ends or the client is too far behind."""
        yield ServerSentEvent(comment="listening")
        while not (self.behind and self.waiting.empty()):
            event = await self.waiting.get()
            if event is None:
                return
            yield event
        yield ServerSentEvent(
            event="behind", data={"detail": f"more than {WAITING} events unread: connect again, and read history"}
        )


class Events:
    """Reads the streamed topics and hands each record to the clients that asked for it. Joins no group, commits nothing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._streams = {name(settings, topic): stream for stream, topic in STREAMED.items()}
        self._loop = asyncio.get_running_loop()
        self._positioned = asyncio.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._read, name="events")
        self.subscribers: set[Subscriber] = set()

    def start(self) -> None:
        """Begin to read, in a thread of its own; Kafka may come later."""
        self._thread.start()

    def end_streams(self) -> None:
        """Let every client go."""
        for subscriber in self.subscribers:
            subscriber.offer(None)

    async def stop(self) -> None:
        """Stop reading."""
        self._ending.set()
        await asyncio.to_thread(self._thread.join)

    async def positioned(self) -> bool:
        """Whether records published from now on will be seen; waits a little for Kafka."""
        try:
            await asyncio.wait_for(self._positioned.wait(), _POSITIONED_S)
        except TimeoutError:
            return False
        return True

    def _read(self) -> None:
        consumer = Consumer(
            {
                "group.id": f"{self._settings.prefix}api-events",  # asked for by the client library, never joined
                "enable.auto.commit": False,
                "auto.offset.reset": "latest",
                "fetch.queue.backoff.ms": 1,
                "log_level": 2,
                **self._settings.librdkafka(),
            }
        )
        try:
            while not self._position(consumer):
                if self._ending.wait(_RETRY_S):
                    return
            self._loop.call_soon_threadsafe(self._positioned.set)
            while not self._ending.is_set():
                for message in consumer.consume(WAITING, _POLL_S):
                    self._pass_on(message)
        finally:
            consumer.close()

    def _position(self, consumer: Consumer) -> bool:
        """At the end of every partition as it is now; false while Kafka or a topic is missing."""
        ends = []
        try:
            for topic in self._streams:
                found = consumer.list_topics(topic, timeout=_ANSWER_S).topics[topic]
                for partition in found.partitions:
                    _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ANSWER_S)
                    ends.append(TopicPartition(topic, partition, end))
                if found.error is not None:
                    return False
        except KafkaException:
            return False
        consumer.assign(ends)
        return True

    def _pass_on(self, message: Message) -> None:
        """To the clients' loop. What cannot be read is not repeated here: storage sets it aside with its bytes."""
        if message.error() is not None or not self.subscribers:
            return
        stream = self._streams[message.topic()]
        try:
            data = codec.to_json(codec.decode(message.value() or b"")).decode()
        except codec.DecodeError:
            return
        place = f"{stream}-{message.partition()}-{message.offset()}"
        event = ServerSentEvent(event=stream, id=place, raw_data=data)
        self._loop.call_soon_threadsafe(self._deliver, stream, event)

    def _deliver(self, stream: str, event: ServerSentEvent) -> None:
        for subscriber in self.subscribers:
            if stream in subscriber.streams:
                subscriber.offer(event)


router = APIRouter(prefix="/v1", tags=["events"], responses=problems(422, 503))


async def subscribed(
    request: Request,
    topics: Annotated[str, Query(description="any of candles, signals; separated by commas")] = "candles,signals",
) -> AsyncIterator[Subscriber]:
    """A subscriber that lives as long as the request."""
    streams = frozenset(part.strip() for part in topics.split(","))
    unknown = sorted(streams - set(STREAMED))
    if unknown:
        raise HTTPException(422, f"topics: unknown stream {unknown[0]!r}: allowed are {', '.join(STREAMED)}")
    events: Events = request.app.state.events
    if not await events.positioned():
        raise HTTPException(503, "Kafka does not answer or its topics are missing")
    if len(events.subscribers) >= CLIENTS:
        raise HTTPException(503, f"{CLIENTS} clients are listening already; try again later")
    subscriber = Subscriber(streams)
    events.subscribers.add(subscriber)
    try:
        yield subscriber
    finally:
        events.subscribers.discard(subscriber)


@router.get("/stream", response_class=EventSourceResponse)
async def stream(subscriber: Annotated[Subscriber, Depends(subscribed)]) -> AsyncIterator[ServerSentEvent]:
    """Candles and signals as they are published: `event` is the stream, `data` the record, and a comment now and then."""
    async for event in subscriber.events():
        yield event
