"""The sequencer: a stateless quixstreams application, one input for each move and command."""

from functools import partial
from typing import Any, Final, Literal

from quixstreams import Application, message_context

from infra import stream
from infra.settings import Settings
from schemas import codec, topics
from schemas.market import DeadLetter
from schemas.trading import Input

PART: Final = "sequencer"

KINDS: Final[dict[topics.Topic, Literal["move", "command"]]] = {topics.MOVES: "move", topics.COMMANDS: "command"}


def forward(
    key: bytes | None, raw: bytes, topic: topics.Topic, partition: int, offset: int, timestamp: int
) -> Input | DeadLetter:
    """The input that a source record becomes, or a dead letter when it is no record of its topic for the market in its key.

    Everything comes from the source record (`timestamp` is its Kafka timestamp, epoch ms), so forwarding it again gives the
    same bytes.
    """
    try:
        market = topics.key(codec.decode_as(topic.record, raw))
        if market != key:
            raise codec.DecodeError(f"its key is {key!r}, not {market!r}")
    except codec.DecodeError as error:
        return DeadLetter(topic.name, partition, offset, str(error), raw, timestamp * 1000)
    venue, _, symbol = market.decode().partition("|")
    return Input(
        id=f"{topic.name}-{partition}-{offset}",
        venue=venue,
        symbol=symbol,
        kind=KINDS[topic],
        source=topic.name,
        partition=partition,
        offset=offset,
        recorded=timestamp,
        payload=raw,
    )


def build(app: Application, settings: Settings) -> None:
    """Both sources into one log; the key stays the market's, so a market's inputs stay in one partition."""
    for source in KINDS:
        messages = app.dataframe(stream.topic(app, settings, source))
        forwarded = messages.apply(partial(_forward_message, source), metadata=True)
        stream.publish(app, settings, forwarded, (topics.INPUTS, topics.DEAD_LETTERS))


def run(settings: Settings) -> None:
    """Forward until told to stop by SIGTERM or SIGINT."""
    app = stream.application(settings, PART, topics.MOVES)
    build(app, settings)
    stream.ready(settings, PART)
    app.run()


def _forward_message(
    source: topics.Topic, raw: bytes | None, key: bytes | None, timestamp: int, _headers: Any
) -> Input | DeadLetter:
    context = message_context()
    return forward(key, raw or b"", source, context.partition, context.offset, timestamp)
