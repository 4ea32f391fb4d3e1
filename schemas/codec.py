"""Records to bytes and back: Avro single-object encoding (mark, fingerprint of the writer's schema, body).

A reader knows every released schema by its fingerprint and resolves to the current one, so a topic may hold several versions.
"""

import contextlib
import io
import json
from decimal import Decimal
from importlib import resources
from typing import Any, Final, TypeVar

import fastavro
import msgspec
from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas import exact, market, signals, trading

MARK: Final = b"\xc3\x01"
_HEADER: Final = 10  # the mark and eight bytes of fingerprint

Record = (
    market.Trades
    | market.Quote
    | market.Book
    | market.Mark
    | market.Funding
    | market.OpenInterest
    | market.VenueCandle
    | market.Notice
    | market.Instrument
    | market.Candle
    | market.Indicators
    | market.Move
    | market.DeadLetter
    | signals.Signal
    | trading.Command
    | trading.Input
    | trading.Intent
    | trading.Order
    | trading.Fill
    | trading.Position
    | trading.Refusal
)

T = TypeVar("T", bound=Record)

SCHEMA_FILES: Final[dict[type[Record], str]] = {
    market.Trades: "trades",
    market.Quote: "quote",
    market.Book: "book",
    market.Mark: "mark",
    market.Funding: "funding",
    market.OpenInterest: "open_interest",
    market.VenueCandle: "venue_candle",
    market.Notice: "notice",
    market.Instrument: "instrument",
    market.Candle: "candle",
    market.Indicators: "indicators",
    market.Move: "move",
    market.DeadLetter: "dead_letter",
    signals.Signal: "signal",
    trading.Command: "command",
    trading.Input: "input",
    trading.Intent: "intent",
    trading.Order: "order",
    trading.Fill: "fill",
    trading.Position: "position",
    trading.Refusal: "refusal",
}


class DecodeError(ValueError):
    """Bytes that are no record of ours: says why."""


def schema_fingerprint(schema: Any) -> bytes:
    """Eight bytes, little-endian, of the schema's parsing canonical form (CRC-64-AVRO)."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def _load() -> tuple[dict[type[Record], tuple[Any, bytes]], dict[bytes, tuple[Any, type[Record]]]]:
    folder = resources.files("schemas") / "avro"
    released = sorted((file for file in (folder / "released").iterdir()), key=lambda file: file.name)
    writers: dict[type[Record], tuple[Any, bytes]] = {}
    readers: dict[bytes, tuple[Any, type[Record]]] = {}
    for record, name in SCHEMA_FILES.items():
        current = json.loads((folder / f"{name}.avsc").read_text())
        writers[record] = fastavro.parse_schema(current), MARK + schema_fingerprint(current)
        for file in released:
            if file.name.rpartition(".")[0].rpartition(".")[0] == name:
                old = json.loads(file.read_text())
                readers[MARK + schema_fingerprint(old)] = fastavro.parse_schema(old), record
        readers[writers[record][1]] = writers[record][0], record
    return writers, readers


_WRITERS, _READERS = _load()
_AS_IT_IS: Final = frozenset((str, int, bool, float, bytes, dict, type(None)))


def _datum(record: msgspec.Struct) -> dict[str, Any]:
    """The record as fastavro takes it: decimals as plain digits, nested records as dictionaries."""
    datum: dict[str, Any] = msgspec.structs.asdict(record)
    for name, value in datum.items():
        if type(value) in _AS_IT_IS:
            continue
        if isinstance(value, Decimal):
            datum[name] = exact.plain(value)
        elif isinstance(value, msgspec.Struct):
            datum[name] = _datum(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
            datum[name] = [_datum(item) for item in value]
    return datum


def encode(record: Record) -> bytes:
    """One record as Avro single-object bytes."""
    schema, header = _WRITERS[type(record)]
    buffer = io.BytesIO()
    buffer.write(header)
    fastavro.schemaless_writer(buffer, schema, _datum(record))
    return buffer.getvalue()


def decode(raw: bytes) -> Record:
    """The record in `raw`, whichever released version wrote it. Raises DecodeError."""
    found = _READERS.get(raw[:_HEADER])
    if found is None:
        raise DecodeError(f"unknown schema fingerprint {raw[:_HEADER].hex() or 'in no bytes at all'}")
    writer, record = found
    buffer = io.BytesIO(raw)
    buffer.seek(_HEADER)
    try:
        datum = fastavro.schemaless_reader(buffer, writer, _WRITERS[record][0])
        if buffer.tell() != len(raw):
            raise DecodeError(f"{len(raw) - buffer.tell()} bytes left over after {record.__name__}")
        return msgspec.convert(datum, record)
    except DecodeError:
        raise
    except (EOFError, ValueError, TypeError, IndexError, KeyError, OverflowError, msgspec.ValidationError) as error:
        raise DecodeError(f"broken {record.__name__}: {error or type(error).__name__}") from error


def decode_as(kind: type[T], raw: bytes) -> T:
    """The record in `raw`, which must be of `kind`. Raises DecodeError."""
    record = decode(raw)
    if not isinstance(record, kind):
        raise DecodeError(f"expected {kind.__name__}, found {type(record).__name__}")
    return record


def to_json(record: Record) -> bytes:
    """For people and pipes: one JSON object, decimals as plain strings, raw bytes as text where they are text."""
    datum = _datum(record)
    return msgspec.json.encode({name: _readable(value) for name, value in datum.items()})


def _readable(value: Any) -> Any:
    """Records inside records are shown decoded, other bytes as text."""
    if isinstance(value, tuple | list):
        return [_readable(item) for item in value]
    if not isinstance(value, bytes):
        return value
    if value[:2] == MARK:
        with contextlib.suppress(DecodeError):  # a dead letter holds what could not be decoded
            return msgspec.Raw(to_json(decode(value)))
    return value.decode("utf-8", "backslashreplace")
