"""The pipeline's shell: one quixstreams application that folds each instrument's trades and publishes what every stage says."""

from collections.abc import Callable
from typing import Any, Final

from quixstreams import Application, message_context
from quixstreams.state import State

from infra import stream
from infra.settings import Settings, UserError
from pipelines.config import Config
from pipelines.instrument import StateError, dead_letter, step
from schemas import codec, topics
from schemas.codec import Record
from schemas.market import Candle, Indicators, Trades
from schemas.signals import Signal

PART: Final = "pipeline"
OUTPUTS: Final = (topics.CANDLES, topics.INDICATORS, topics.SIGNALS, topics.MOVES, topics.DEAD_LETTERS)
_ENTRY: Final = "instrument"
_COMMIT_INTERVAL_S: Final = 2.5  # a signal that meets a checkpoint waits for it: meet few


def config_of(settings: Settings) -> Config:
    """What the pipeline takes from the system's settings."""
    return Config(settings.timeframes, settings.rsi_oversold, settings.rsi_overbought, settings.signal_ttl_ms)


def build(app: Application, settings: Settings) -> None:
    """Trades in; candles, indicators, signals, moves, dead letters out."""
    trades = app.dataframe(stream.topic(app, settings, topics.TRADES))
    outputs = trades.apply(_folding(config_of(settings)), stateful=True, expand=True, metadata=True)
    outputs = outputs.set_timestamp(lambda output, _key, arrived, _headers: _time(output, arrived))
    stream.publish(app, settings, outputs, OUTPUTS)


def run(settings: Settings) -> None:
    """Fold until told to stop by SIGTERM or SIGINT. Raises UserError for state that this version cannot read."""
    app = stream.application(settings, PART, topics.TRADES, _COMMIT_INTERVAL_S)
    build(app, settings)
    stream.ready(settings, PART)
    try:
        app.run()
    except StateError as error:
        raise UserError(str(error)) from error


def _folding(config: Config) -> Callable[[bytes | None, bytes | None, int, Any, State[Any, Any]], list[Record]]:
    """The step on the state of the instrument in the message's key. What cannot be read is set aside and changes nothing."""

    def fold(value: bytes | None, key: bytes | None, timestamp: int, _headers: Any, state: State[Any, Any]) -> list[Record]:
        context, raw = message_context(), value or b""
        try:
            record = _read(raw, key)
        except codec.DecodeError as error:
            return [dead_letter(raw, str(error), timestamp * 1000, context.offset, context.partition)]
        before = state.get_bytes(_ENTRY)
        after, outputs = step(before, record, raw, context.offset, config, context.partition)
        if after is not before:
            state.set_bytes(_ENTRY, after)
        return outputs

    return fold


def _read(raw: bytes, key: bytes | None) -> Trades:
    record = codec.decode_as(Trades, raw)
    if topics.key(record) != key:
        raise codec.DecodeError(f"its key is {key!r}, not {topics.key(record)!r}")
    return record


def _time(output: Record, arrived: int) -> int:
    """The Kafka timestamp: a candle's open time, a signal's own, of anything else that of the record of market.trades."""
    if isinstance(output, Candle | Indicators):
        return output.open_time
    return output.time if isinstance(output, Signal) else arrived
