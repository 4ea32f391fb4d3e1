"""Everything the pipeline knows of one instrument, and the one step that moves it: a record in, records out.

The state is one packed value, written once a record. What only changes when a candle closes (roll-ups, indicators) lies in it as
a blob of its own that most records neither open nor pack again.
"""

import msgspec
from msgspec import Struct

from pipelines import intake
from pipelines.candles import Candles, Folded
from pipelines.config import Config
from pipelines.continuity import Continuity
from pipelines.frames import Digest, Frames
from pipelines.rollup import Rollup
from schemas import codec, topics
from schemas.codec import Record
from schemas.market import DeadLetter, Move, Trades
from schemas.signals import Signal

VERSION = 2


class _Known(Struct, array_like=True):
    version: int
    offset: int
    candles: Candles
    frames: bytes


_ENCODER = msgspec.msgpack.Encoder()
_KNOWN = msgspec.msgpack.Decoder(_Known)
_FRAMES = msgspec.msgpack.Decoder(Frames)


class StateError(ValueError):
    """State that this version of the program cannot read."""


def step(
    state: bytes | None, record: Trades, raw: bytes, offset: int, config: Config, partition: int | None = None
) -> tuple[bytes, list[Record]]:
    """Fold one record of `market.trades` (`raw` are its bytes) into the packed state.

    Out come candles, indicators, signals, dead letters and at most one move, in this order. A record at or below the state's
    offset is known: no outputs, the same state. A move follows when trades of the record count, when it tells of a gap, or when
    its watermark closed a minute; it holds only the trades that count. So a heartbeat within a minute, a record of known trades
    alone and warm-up history give none.
    Raises StateError for state of another version.
    """
    known = _load(state)
    if state is not None and offset <= known.offset:
        return state, []
    known.offset = offset
    reason = intake.broken(record)
    if reason is not None:
        return _ENCODER.encode(known), [dead_letter(raw, reason, record.received, offset, partition)]
    before = known.candles.closed_until
    folded = known.candles.fold(record)
    digest = Digest([], [], [])
    if folded.closed:
        frames = _FRAMES.decode(known.frames)
        digest = frames.digest(folded.closed, record, config)
        known.frames = _ENCODER.encode(frames)
    outputs: list[Record] = [*digest.candles, *digest.indicators, *digest.signals]
    for trade, why in folded.rejected:
        outputs.append(dead_letter(codec.encode(trade), why, record.received, offset, partition))
    tells = folded.columns.ids or record.gap is not None or known.candles.closed_until > before
    if record.kind != "history" and tells:
        outputs.append(_move(record, raw, offset, folded, digest.signals))
    return _ENCODER.encode(known), outputs


def dead_letter(payload: bytes, reason: str, received: int, offset: int, partition: int | None) -> DeadLetter:
    """What could not be used, with where it stood in `market.trades`; `received` in epoch us."""
    return DeadLetter(topics.TRADES.name, partition, offset, reason, payload, received)


def _load(state: bytes | None) -> _Known:
    if state is None:
        return _Known(VERSION, -1, Candles(Continuity()), _ENCODER.encode(Frames(Rollup())))
    try:
        known = _KNOWN.decode(state)
    except msgspec.MsgspecError as error:
        raise StateError(f"the pipeline's state cannot be read ({error}): use an empty state directory and group") from error
    if known.version != VERSION:
        raise StateError(f"the pipeline's state has version {known.version}, this program reads {VERSION}")
    return known


def _move(record: Trades, raw: bytes, offset: int, folded: Folded, signals: list[Signal]) -> Move:
    columns = folded.columns
    if len(columns.ids) < len(record.ids):
        raw = codec.encode(intake.holding(record, columns))
    return Move(record.venue, record.symbol, offset, raw, tuple(codec.encode(signal) for signal in signals))
