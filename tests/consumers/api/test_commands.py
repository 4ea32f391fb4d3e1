"""Commands: whoever has the token is heard, and what they say is in the log."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition

from consumers.api import token
from infra import topics as broker
from infra.settings import Settings
from schemas import topics
from schemas.codec import decode_as
from schemas.trading import Command
from tests.consumers.api.conftest import serving
from tests.consumers.storage.records import INSTRUMENT

pytestmark = [pytest.mark.broker, pytest.mark.database]

MARKET = {"venue": "okx", "symbol": "BTC/USDT"}
STOP = "/v1/strategies/rsi-trend/stop"


@pytest.fixture
def commanded(settings: Settings, store: Callable[..., None]) -> Iterator[httpx.Client]:
    """A client of an API with broker, database and one market; it has no token yet."""
    broker.create(settings, (topics.COMMANDS, topics.CANDLES, topics.SIGNALS))
    store(INSTRUMENT)
    with serving(settings) as client:
        yield client


def holder(settings: Settings, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.load(settings.state)}", **headers}


def published(settings: Settings) -> list[tuple[bytes | None, Command]]:
    """Keys and records, of all partitions."""
    consumer = Consumer({"bootstrap.servers": settings.kafka_bootstrap, "group.id": "none", "enable.partition.eof": True})
    name = broker.name(settings, topics.COMMANDS)
    consumer.assign([TopicPartition(name, partition, 0) for partition in range(topics.PARTITIONS)])
    found, ended = [], 0
    while ended < topics.PARTITIONS:
        message = consumer.poll(10)
        assert message is not None
        if message.error() is not None:
            ended += 1
        else:
            found.append((message.key(), decode_as(Command, message.value() or b"")))
    consumer.close()
    return found


def test_a_command_is_published(commanded: httpx.Client, settings: Settings) -> None:
    """Under the market's key, as it was answered, each with an id of its own."""
    headers = holder(settings)
    answers = [commanded.post(STOP, json=MARKET, headers=headers) for _ in range(3)]
    answers.append(commanded.post("/v1/strategies/rsi-trend/start", json=MARKET, headers=headers))
    assert [answer.status_code for answer in answers] == [202] * 4
    told = [answer.json() for answer in answers]
    records = published(settings)
    assert {key for key, _ in records} == {b"okx|BTC/USDT"}
    assert [
        MARKET
        | {"id": record.id, "account": record.account, "strategy": record.strategy}
        | {"action": record.action, "requested": record.requested}
        for _, record in records
    ] == told
    assert [(item["action"], item["account"], item["strategy"]) for item in told] == [
        *[("stop", "paper", "rsi-trend")] * 3,
        ("start", "paper", "rsi-trend"),
    ]
    assert len({item["id"] for item in told}) == 4
    assert {record.by for _, record in records} == {"api"}


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "a bearer token is needed"),
        ({"Authorization": "Bearer wrong"}, "this is not the token"),
        ({"Authorization": "Basic dTpw"}, "a bearer token is needed"),
        ({"Authorization": "Bearer"}, "a bearer token is needed"),
    ],
)
def test_without_the_token_nothing_happens(client: httpx.Client, headers: dict[str, str], detail: str) -> None:
    """401 with what to send, before anything else is looked at."""
    answer = client.post(STOP, json={}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["detail"].startswith(detail)


@pytest.mark.parametrize(
    ("path", "body", "status", "detail"),
    [
        ("/v1/strategies/grid/stop", MARKET, 404, "unknown strategy 'grid': known are rsi-trend"),
        ("/v1/strategies/rsi-trend/pause", MARKET, 422, "action: input should be 'start' or 'stop'"),
        (STOP, MARKET | {"venue": "okex"}, 404, "unknown venue 'okex': known are okx"),
        (STOP, MARKET | {"symbol": "X/USDT"}, 404, "unknown symbol 'X/USDT' of okx: known are BTC/USDT"),
        (STOP, {"venue": "okx"}, 422, "symbol: field required"),
        (STOP, MARKET | {"account": "mine"}, 422, "account: extra inputs are not permitted"),
        (STOP, MARKET, 503, "Kafka did not take the command: "),
    ],
)
def test_what_cannot_be_commanded(
    client: httpx.Client,
    store: Callable[..., None],
    database_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    body: dict[str, Any],
    status: int,
    detail: str,
) -> None:
    """One sentence that names it and what is allowed; a broker that does not answer is told as such."""
    store(INSTRUMENT)
    answer = client.post(path, json=body, headers=holder(database_settings))
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(detail)
