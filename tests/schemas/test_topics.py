"""The table of topics."""

import re
from pathlib import Path

import pytest

from schemas import market, topics, trading

ROOT = Path(__file__).parents[2]
SOURCES = [
    file
    for folder in ("producers", "pipelines", "consumers", "sql", "infra", "tapeflow")
    for file in (ROOT / folder).rglob("*.py")
]


def test_what_is_keyed_by_market_or_account_is_co_partitioned() -> None:
    """Twelve partitions each: a key's records meet in one process whatever the topic."""
    assert {topic.partitions for topic in topics.TOPICS if topic.key in (topics.MARKET, topics.ACCOUNT)} == {12}


def test_nothing_is_deleted_by_the_age_of_market_time() -> None:
    """A replayed or simulated past must survive the broker's retention by timestamp."""
    assert [topic.name for topic in topics.TOPICS if not topic.compact and topic.settings()["retention.ms"] != "-1"] == []


def test_keys() -> None:
    """Market data by market, trading by account, dead letters by where they came from."""
    command = trading.Command("c", "okx", "BTC/USDT", "paper", "rsi-trend", "stop", 1, "me")
    refusal = trading.Refusal("r", "okx", "BTC/USDT", "paper", "rsi-trend", "s", "stopped", "", 1)
    letter = market.DeadLetter("okx-1", None, None, "why", b"", 1)
    assert [topics.key(record) for record in (command, refusal, letter)] == [b"okx|BTC/USDT", b"okx|paper", b"okx-1"]
    assert topics.topic_of(refusal) is topics.REFUSALS


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_topic_is_spelled_elsewhere(file: Path) -> None:
    """A name in quotes anywhere but in the table is a second truth."""
    names = "|".join(re.escape(topic.name) for topic in topics.TOPICS if "." in topic.name)
    assert re.findall(rf"[\"'](?:{names})[\"']", file.read_text()) == []
