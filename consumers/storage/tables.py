"""What becomes of each topic: its table, the columns its records are staged in, and the rows they turn into."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from operator import attrgetter
from types import UnionType
from typing import Any, Final, get_args, get_origin

import msgspec
from psycopg.types.json import Jsonb

from schemas import topics
from schemas.market import Trades
from schemas.topics import Topic

Row = tuple[Any, ...]

# How a value is staged: a PostgreSQL type, or one of these, which the merge turns into what the table holds.
MS: Final = "epoch ms"
US: Final = "epoch us"
SCALED: Final = "digits and exponent"

# Every staged row begins with the market it belongs to, and ends with the offset of its record.
HEAD: Final = {"venue": "text", "symbol": "text", "market_id": "text"}
TAIL: Final = {"arrival": "bigint"}

_TIMES: Final = {"received": US} | dict.fromkeys(("time", "open_time", "opened", "expires", "expiry", "valid_from"), MS)
_TYPES: Final[dict[Any, str]] = {
    str: "text",
    int: "bigint",
    float: "double precision",
    bool: "boolean",
    Decimal: "numeric",
    dict: "jsonb",
}
_RENAMED: Final = {"values": "indicators"}  # a column of the first name would need quotes wherever it is used


@dataclass(frozen=True, eq=False)
class Table:
    """One table. Of rows with the same `key` the highest `revision` stays or, where there is none, the first to arrive."""

    name: str
    topic: Topic
    columns: dict[str, str]  # between HEAD and TAIL: how each is staged
    rows: Callable[[Any, int], Iterator[Row]]  # of a record and its offset
    key: tuple[str, ...]
    revision: str | None = None
    history: str | None = None  # where superseded revisions go
    keeps_arrival: bool = False  # whether the table holds the place of a row in its topic


def _kind(name: str, hint: Any) -> str:
    """How a field of a record is staged."""
    if get_origin(hint) is UnionType:
        hint = next(part for part in get_args(hint) if part is not type(None))
    return _TIMES.get(name) or _TYPES.get(get_origin(hint) or hint, "text")  # a Literal is text


def _record_rows(getters: list[Callable[[Any], Any]], record: Any, offset: int) -> Iterator[Row]:
    yield record.venue, record.symbol, getattr(record, "market_id", None), *(get(record) for get in getters), offset


def _of_record(
    topic: Topic, *key: str, name: str | None = None, revision: str | None = None, history: str | None = None
) -> Table:
    """A table with one row a record and a column a field."""
    fields = [field for field in msgspec.structs.fields(topic.record) if field.name not in HEAD]
    columns = {_RENAMED.get(field.name, field.name): _kind(field.name, field.type) for field in fields}
    getters = [_getter(field.name, kind) for field, kind in zip(fields, columns.values(), strict=True)]
    return Table(name or topic.name.rpartition(".")[2], topic, columns, partial(_record_rows, getters), key, revision, history)


def _getter(field: str, kind: str) -> Callable[[Any], Any]:
    get = attrgetter(field)
    return (lambda record: Jsonb(get(record))) if kind == "jsonb" else get


def _trade_rows(record: Trades, offset: int) -> Iterator[Row]:
    """One row a trade; heartbeats and history have none. Digits stay as they came, their scale becomes an exponent."""
    head = (record.venue, record.symbol, record.market_id)
    tail = (record.kind, record.received, offset)
    price_scale, amount_scale = f"e-{record.price_scale}", f"e-{record.amount_scale}"
    columns = zip(record.ids, record.times, record.prices, record.amounts, record.taker_buys, strict=True)
    for index, (trade_id, time, price, amount, buy) in enumerate(columns):
        side = "buy" if buy else "sell"
        yield *head, index, trade_id, time, f"{price}{price_scale}", f"{amount}{amount_scale}", side, *tail


TRADES: Final = Table(
    "trades",
    topics.TRADES,
    {
        "arrival_index": "bigint",
        "trade_id": "bigint",
        "time": MS,
        "price": SCALED,
        "amount": SCALED,
        "taker_side": "text",
        "kind": "text",
        "received": US,
    },
    _trade_rows,
    key=("instrument_id", "trade_id"),
    keeps_arrival=True,
)
INSTRUMENTS: Final = _of_record(topics.INSTRUMENTS, "venue", "symbol", revision="valid_from")
CANDLES: Final = _of_record(
    topics.CANDLES, "instrument_id", "timeframe", "open_time", revision="revision", history="candle_revisions"
)
SIGNALS: Final = _of_record(topics.SIGNALS, "id")
ORDERS: Final = _of_record(topics.ORDERS, "client_order_id", revision="revision")
FILLS: Final = _of_record(topics.FILLS, "id")
POSITIONS: Final = _of_record(topics.POSITIONS, "id", revision="revision")
REFUSALS: Final = _of_record(topics.REFUSALS, "id")

TABLES: Final = (INSTRUMENTS, TRADES, CANDLES, SIGNALS, ORDERS, FILLS, POSITIONS, REFUSALS)
