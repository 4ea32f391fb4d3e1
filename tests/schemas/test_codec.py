"""Records to bytes and back, and across versions of their schemas."""

import copy
import io
import json
import typing
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import msgspec
import pytest
from fastavro.utils import generate_many
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec, market, topics
from schemas.codec import Record

AVRO = Path(__file__).parents[2] / "schemas" / "avro"
CURRENT = sorted(AVRO.glob("*.avsc"))
RELEASED = sorted((AVRO / "released").glob("*.avsc"))
RECORDS = sorted(codec.SCHEMA_FILES, key=lambda record: record.__name__)


def load(file: Path) -> dict:
    return json.loads(file.read_text())


def current_of(released: Path) -> Path:
    return AVRO / f"{released.name.split('.')[0]}.avsc"


def converts(writer: dict, reader: dict, count: int = 20) -> bool:
    """Whether data of the one schema is read by the other."""
    write, read = fastavro.parse_schema(copy.deepcopy(writer)), fastavro.parse_schema(copy.deepcopy(reader))
    for datum in generate_many(write, count):
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, write, datum)
        buffer.seek(0)
        try:
            fastavro.schemaless_reader(buffer, write, read)
        except Exception:  # noqa: BLE001 - fastavro raises many kinds; here any of them means no
            return False
    return True


SCALARS = {
    int: st.integers(0, 2**31 - 1),
    str: st.text(max_size=20),
    bool: st.booleans(),
    bytes: st.binary(max_size=20),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**15), max_value=10**15),
    type(None): st.none(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    if kind in SCALARS:
        return SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return records(kind)
    arguments = typing.get_args(kind)
    match typing.get_origin(kind):
        case typing.Literal:
            return st.sampled_from(arguments)
        case origin if origin is dict:
            return st.dictionaries(*(values(argument) for argument in arguments), max_size=3)
        case origin if origin is tuple:
            return st.lists(values(arguments[0]), max_size=3).map(tuple)
    return st.one_of(*(values(argument) for argument in arguments))


def records(kind: Any) -> st.SearchStrategy[Any]:
    """Records of one kind, every field drawn."""
    return st.builds(kind, **{name: values(hint) for name, hint in typing.get_type_hints(kind).items()})


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_record_survives_its_bytes(kind: type[Record], data: st.DataObject) -> None:
    """Decoding what was encoded gives an equal record, and encoding is deterministic."""
    record = data.draw(records(kind))
    raw = codec.encode(record)
    assert codec.decode(raw) == record
    assert codec.encode(codec.decode(raw)) == raw


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_the_record_and_its_schema_name_the_same_fields(kind: type[Record]) -> None:
    """In the same order, so that both can be read side by side."""
    schema = load(AVRO / f"{codec.SCHEMA_FILES[kind]}.avsc")
    assert [field["name"] for field in schema["fields"]] == list(kind.__struct_fields__)
    assert schema["name"] == kind.__name__


def test_all_fingerprints_differ() -> None:
    """Every released version and every current one that differs from it can be told apart by its first ten bytes."""
    released = {codec.schema_fingerprint(load(file)) for file in RELEASED}
    assert len(released) == len(RELEASED)
    assert len({codec.schema_fingerprint(load(file)) for file in CURRENT}) == len(CURRENT)


def test_every_schema_was_released() -> None:
    """What is current stands among the released ones too: changing a schema means releasing a version of it."""
    released = {codec.schema_fingerprint(load(file)) for file in RELEASED}
    missing = [file.name for file in CURRENT if codec.schema_fingerprint(load(file)) not in released]
    assert missing == []


@pytest.mark.parametrize("released", RELEASED, ids=lambda file: file.stem)
def test_old_and_new_readers_understand_each_other(released: Path) -> None:
    """Backward: the current schema reads what was written. Forward: the old one reads what is written now."""
    old, new = load(released), load(current_of(released))
    assert converts(old, new), f"the current {new['name']} cannot read {released.name}"
    assert converts(new, old), f"{released.name} cannot read the current {new['name']}"


def test_the_evolution_check_can_fail() -> None:
    """A field added without a default breaks reading what is already written."""
    old = load(AVRO / "quote.avsc")
    new = copy.deepcopy(old)
    new["fields"].append({"name": "added", "type": "long"})
    assert not converts(old, new)
    new["fields"][-1]["default"] = 0
    assert converts(old, new)
    assert converts(new, old)


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_broken_bytes_are_named(kind: type[Record], data: st.DataObject) -> None:
    """Cut, flipped or lengthened bytes give a record or one DecodeError, never anything else."""
    raw = bytearray(codec.encode(data.draw(records(kind))))
    cut = data.draw(st.integers(0, len(raw)))
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= data.draw(st.integers(1, 255))
    for broken in (bytes(raw), bytes(raw[:cut]), bytes(raw) + b"\x00"):
        try:
            codec.decode(broken)
        except codec.DecodeError as error:
            assert str(error)  # noqa: PT017 - either outcome is right; an error must say something


def test_an_unknown_schema_is_named() -> None:
    """So is the wrong record."""
    with pytest.raises(codec.DecodeError, match="unknown schema fingerprint c3010000000000000000"):
        codec.decode(codec.MARK + bytes(8))
    letter = codec.encode(market.DeadLetter("okx", None, None, "why", b"x", 1))
    with pytest.raises(codec.DecodeError, match="expected Candle, found DeadLetter"):
        codec.decode_as(market.Candle, letter)


def test_people_read_json() -> None:
    """Raw bytes are shown as text, records inside records decoded, decimals as plain digits."""
    letter = market.DeadLetter("okx", None, 7, "broken", b'{"a":1}', 1)
    move = market.Move("okx", "BTC/USDT", 9, codec.encode(letter))
    assert json.loads(codec.to_json(move)) == {
        "venue": "okx",
        "symbol": "BTC/USDT",
        "offset": 9,
        "trades": {"source": "okx", "partition": None, "offset": 7, "reason": "broken", "payload": '{"a":1}', "received": 1},
        "signals": [],
    }


def test_every_record_has_one_topic() -> None:
    """And every topic a record and a name of its own."""
    assert {topic.record for topic in topics.TOPICS} == set(RECORDS)
    assert len({topic.name for topic in topics.TOPICS}) == len(topics.TOPICS)
