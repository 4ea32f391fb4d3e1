"""Forwarding: an input says where it came from, and is the same bytes every time."""

import pytest

from consumers.sequencer.app import forward
from schemas import codec, topics
from schemas.market import DeadLetter, Move
from schemas.trading import Command, Input

MOVE = codec.encode(Move("okx", "BTC/USDT:USDT", 7, b"trades", (b"signal",)))
COMMAND = codec.encode(Command("c1", "okx", "BTC/USDT:USDT", "paper", "rsi-trend", "stop", 1, "me"))
KEY = b"okx|BTC/USDT:USDT"


@pytest.mark.parametrize(("topic", "raw", "kind"), [(topics.MOVES, MOVE, "move"), (topics.COMMANDS, COMMAND, "command")])
def test_forward(topic: topics.Topic, raw: bytes, kind: str) -> None:
    """The payload is carried as it came, under an id of where it stood."""
    made = forward(KEY, raw, topic, 3, 41, 1_700_000_000_000)
    assert made == Input(f"{topic.name}-3-41", "okx", "BTC/USDT:USDT", kind, topic.name, 3, 41, 1_700_000_000_000, raw)
    assert topics.key(made) == KEY
    assert codec.encode(made) == codec.encode(forward(KEY, raw, topic, 3, 41, 1_700_000_000_000))


@pytest.mark.parametrize(
    ("key", "raw", "topic", "reason"),
    [
        (KEY, b"", topics.MOVES, "unknown schema fingerprint"),
        (KEY, b"rubbish", topics.COMMANDS, "unknown schema fingerprint"),
        (KEY, MOVE[:-3], topics.MOVES, "broken Move"),
        (KEY, MOVE, topics.COMMANDS, "expected Command, found Move"),
        (b"okx|ETH/USDT", COMMAND, topics.COMMANDS, "its key is"),
        (None, COMMAND, topics.COMMANDS, "its key is None"),
    ],
)
def test_what_is_no_input_is_set_aside(key: bytes | None, raw: bytes, topic: topics.Topic, reason: str) -> None:
    """Its bytes, where it came from and why, at the source record's own time."""
    letter = forward(key, raw, topic, 3, 41, 1_700_000_000_000)
    assert isinstance(letter, DeadLetter)
    assert reason in letter.reason
    assert (letter.source, letter.partition, letter.offset) == (topic.name, 3, 41)
    assert (letter.payload, letter.received) == (raw, 1_700_000_000_000_000)
