"""The sink between checkpoints: what waits, what is stored early, and what an outage takes back."""

import logging

import psycopg
import pytest
from quixstreams.sinks.base import SinkBackpressureError

from consumers.storage import sink as under_test
from consumers.storage.database import Database
from consumers.storage.sink import FIRST_RETRY_S, LONGEST_RETRY_S, DatabaseSink
from consumers.storage.tables import TABLES
from schemas import codec, topics
from schemas.codec import Record
from schemas.market import DeadLetter
from tests.consumers.storage.records import SIGNAL, T0, candle, held, trades

AWAY = "postgresql://127.0.0.1:1/none"


class Fixture:
    """A sink and what it set aside."""

    def __init__(self, url: str) -> None:
        self.letters: list[DeadLetter] = []
        self.url = url
        self.sink = DatabaseSink(Database(url), {table.topic.name: table for table in TABLES}, self.letters.extend)

    def add(self, record: Record | bytes | None, offset: int = 0, topic: topics.Topic | None = None) -> None:
        """As quixstreams does for each record."""
        value = record if isinstance(record, bytes | None) else codec.encode(record)
        if topic is None:
            assert not isinstance(record, bytes | None)
            topic = topics.topic_of(record)
        self.sink.add(value, b"key", T0, [], topic.name, 0, offset)

    def stored(self) -> list[int]:
        """Ids of the stored trades."""
        return [row["trade_id"] for row in held(self.url, "SELECT trade_id FROM trades ORDER BY 1")]


@pytest.fixture
def fixture(database_url: str) -> Fixture:
    made = Fixture(database_url)
    made.sink.setup()
    return made


@pytest.mark.database
def test_rows_wait_for_the_checkpoint(fixture: Fixture) -> None:
    """And are stored by it, heartbeats and deletions of a compacted topic being nothing to store."""
    fixture.add(trades(1, 2))
    fixture.add(trades(), 1)
    fixture.add(None, 0, topics.INSTRUMENTS)
    assert fixture.stored() == []
    fixture.sink.flush()
    assert fixture.stored() == [1, 2]
    assert fixture.letters == []


@pytest.mark.database
def test_a_replay_does_not_pile_up_in_memory(fixture: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is stored as soon as it is too much, without waiting for the checkpoint."""
    monkeypatch.setattr(under_test, "PENDING_BYTES", 2 * len(codec.encode(trades(1, 2))))
    fixture.add(trades(1, 2))
    assert fixture.stored() == []
    fixture.add(trades(3, 4), 1)
    assert fixture.stored() == [1, 2, 3, 4]


@pytest.mark.database
def test_what_cannot_be_stored_is_set_aside(fixture: Fixture) -> None:
    """With its bytes, its place and the reason, at its own time; the rest of its batch is stored."""
    wrong = codec.encode(SIGNAL)
    refused = trades(5, amounts=(-1,))
    fixture.add(b"rubbish", 3, topics.TRADES)
    fixture.add(wrong, 4, topics.TRADES)
    fixture.add(refused, 5)
    fixture.add(trades(6), 6)
    fixture.add(trades(7, 8, prices=(1,)), 7)
    fixture.sink.flush()
    assert fixture.stored() == [6]
    reasons = [letter.reason for letter in fixture.letters]
    assert reasons[0].startswith("unknown schema fingerprint")
    assert reasons[1] == "expected Trades, found Signal"
    assert "shorter" in reasons[2]
    assert "trades_amount_check" in reasons[3]
    places = [(letter.source, letter.partition, letter.offset, letter.received) for letter in fixture.letters]
    assert places == [("market.trades", 0, offset, T0 * 1000) for offset in (3, 4, 7, 5)]
    assert [letter.payload for letter in fixture.letters[:2]] == [b"rubbish", wrong]
    assert fixture.letters[3].payload == codec.encode(refused)


def test_an_outage_takes_the_checkpoint_back(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is met at the checkpoint or before it; the pause grows to its limit, and one line tells of it."""
    away = Fixture(AWAY)
    away.sink.setup()
    pauses = []
    for _ in range(6):
        away.add(candle())
        with pytest.raises(SinkBackpressureError) as raised:
            away.sink.flush()
        pauses.append(raised.value.retry_after)
    monkeypatch.setattr(under_test, "PENDING_BYTES", 1)
    away.add(candle())  # is stored at once, which fails
    away.add(candle(1))
    with pytest.raises(SinkBackpressureError):
        away.sink.flush()
    assert pauses == [FIRST_RETRY_S, 1.0, 2.0, 4.0, LONGEST_RETRY_S, LONGEST_RETRY_S]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "the database takes no rows: connection failed" in caplog.text


@pytest.mark.database
def test_what_was_taken_back_is_stored_when_it_is_read_again(fixture: Fixture, caplog: pytest.LogCaptureFixture) -> None:
    """Once, with all that was in the checkpoint; the line that ends the outage says so."""
    fixture.add(trades(1))
    with psycopg.connect(fixture.url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tapeflow storage'")
    with pytest.raises(SinkBackpressureError) as raised:
        fixture.sink.flush()
    assert raised.value.retry_after == FIRST_RETRY_S
    assert fixture.stored() == []
    for offset in range(2):
        fixture.add(trades(1 + offset), offset)
    fixture.sink.flush()
    assert fixture.stored() == [1, 2]
    assert [record.message.split(":")[0].rpartition(" after ")[0] or "away" for record in caplog.records] == [
        "away",
        "the database takes rows again",
    ]
