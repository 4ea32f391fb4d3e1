"""Server-sent events: what is published while a client listens reaches it, in order, and nothing else does."""

import asyncio
import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from confluent_kafka import Producer
from fastapi.sse import ServerSentEvent

from consumers.api import events
from consumers.api.events import Subscriber
from infra import topics as broker
from infra.settings import Settings
from schemas import codec, topics
from schemas.codec import Record
from tests.consumers.api.conftest import serving
from tests.consumers.storage.records import ORDER, SIGNAL, T0, candle

Publish = Callable[..., None]


@pytest.fixture
def publish(settings: Settings) -> Publish:
    """Puts records and raw bytes where they belong."""
    broker.create(settings, (topics.CANDLES, topics.SIGNALS, topics.ORDERS))
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap, "linger.ms": 0})

    def put(*records: Record | bytes) -> None:
        for record in records:
            topic = topics.CANDLES if isinstance(record, bytes) else topics.topic_of(record)
            value = record if isinstance(record, bytes) else codec.encode(record)
            producer.produce(broker.name(settings, topic), value, b"okx|BTC/USDT", partition=3)
        assert producer.flush(10) == 0

    return put


@pytest.fixture
def streamed(settings: Settings, publish: Publish) -> Iterator[httpx.Client]:
    """A client of an API that has started after two records were published."""
    publish(candle(7), SIGNAL)
    with serving(settings) as client:
        yield client


def listen(client: httpx.Client) -> httpx.Response:
    """An open stream of everything."""
    return client.send(client.build_request("GET", "/v1/stream"), stream=True)


def read(lines: Iterator[str], count: int) -> list[dict[str, str]]:
    """The next events, comments left out."""
    found: list[dict[str, str]] = []
    fields: dict[str, str] = {}
    while len(found) < count:
        name, _, value = next(lines).partition(": ")
        if name:
            fields |= {name: value} if name in {"event", "id", "data"} else {}
        elif fields:
            found.append(fields)
            fields = {}
    return found


@pytest.mark.broker
@pytest.mark.database
def test_what_is_published_now_is_streamed(streamed: httpx.Client, publish: Publish) -> None:
    """Only what was asked for, only from now on, with its digits; what nobody can read is left to the dead letters."""
    with streamed.stream("GET", "/v1/stream") as both, streamed.stream("GET", "/v1/stream?topics=signals") as signals:
        assert both.headers["content-type"].startswith("text/event-stream")
        lines, of_signals = both.iter_lines(), signals.iter_lines()
        assert next(lines) == next(of_signals) == ": listening"
        publish(b"rubbish", candle(0), ORDER, candle(1))
        told = read(lines, 2)
        publish(SIGNAL)
        told += read(lines, 1)
        (signal,) = read(of_signals, 1)
    assert [(event["event"], event["id"]) for event in told] == [
        ("candles", "candles-3-2"),
        ("candles", "candles-3-3"),
        ("signals", "signals-3-1"),
    ]
    assert signal == told[2]
    first = json.loads(told[0]["data"])
    assert (first["open_time"], first["revision"], first["low"], first["high"]) == (T0, 0, "0.000000454", "1000000000000000")
    assert json.loads(signal["data"])["price"] == "64250.10"


@pytest.mark.broker
@pytest.mark.database
def test_a_client_that_leaves_is_forgotten(streamed: httpx.Client, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place is free for another."""
    monkeypatch.setattr(events, "CLIENTS", 1)
    with streamed.stream("GET", "/v1/stream") as response:
        lines = response.iter_lines()  # held: the connection lasts as long
        assert next(lines) == ": listening"
        assert streamed.get("/v1/stream").json() == {"detail": "1 clients are listening already; try again later"}
    response = listen(streamed)
    while response.status_code == 503:
        response.close()
        response = listen(streamed)
    lines = response.iter_lines()
    assert next(lines) == ": listening"
    publish(candle(0))
    assert read(lines, 1)[0]["event"] == "candles"
    response.close()


@pytest.mark.database
@pytest.mark.parametrize(
    ("asked", "status", "detail"),
    [
        ("trades", 422, "topics: unknown stream 'trades': allowed are candles, signals"),
        ("", 422, "topics: unknown stream '': allowed are candles, signals"),
        ("candles", 503, "Kafka does not answer or its topics are missing"),
    ],
)
def test_what_cannot_be_streamed(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, asked: str, status: int, detail: str
) -> None:
    """One sentence before the stream begins; this API's broker is missing."""
    monkeypatch.setattr(events, "_POSITIONED_S", 0.1)
    answer = client.get("/v1/stream", params={"topics": asked})
    assert (answer.status_code, answer.json()) == (status, {"detail": detail})


def test_a_client_that_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent what it had room for and told that it is behind, instead of missing events without knowing."""

    async def scenario() -> list[ServerSentEvent]:
        subscriber = Subscriber(frozenset({"candles"}))
        for number in range(events.WAITING + 5):
            subscriber.offer(ServerSentEvent(id=str(number)))
        return [event async for event in subscriber.events()]

    told = asyncio.run(scenario())
    assert told[0].comment == "listening"
    assert [event.id for event in told[1:-1]] == [str(number) for number in range(events.WAITING)]
    assert told[-1].event == "behind"


@pytest.mark.broker
@pytest.mark.database
def test_streams_end_with_the_server(settings: Settings, publish: Publish) -> None:
    """The server does not wait for its clients, and cuts none off in the middle."""
    with httpx.Client(timeout=15) as listener:
        with serving(settings) as client:
            listener.base_url = client.base_url
            lines = listen(listener).iter_lines()
            assert next(lines) == ": listening"
            publish(candle(0))
            assert read(lines, 1)[0]["event"] == "candles"
        assert list(lines) == []
