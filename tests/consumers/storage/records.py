"""One record of each kind that is stored, to be varied by the tests, and what the tables hold of them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from consumers.storage.database import Origin, Staged
from consumers.storage.tables import TABLES, Table
from schemas import codec, topics
from schemas.codec import Record
from schemas.market import Candle, Instrument, Trades
from schemas.signals import Signal
from schemas.trading import Fill, Order, Position, Refusal

T0 = 1_700_000_040_000
US = 1_700_000_100_012_345
BTC = ("okx", "BTC/USDT")
TICK = Decimal("0.000000001")


def trades(*ids: int, symbol: str = "BTC/USDT", **varied: Any) -> Trades:
    """One trade an id, a millisecond apart: price 0.000000454, amount 1000000000000000 unless varied."""
    columns: dict[str, Any] = {
        "ids": ids,
        "times": tuple(T0 + id_ for id_ in ids),
        "prices": (454,) * len(ids),
        "amounts": (10**15,) * len(ids),
        "taker_buys": tuple(id_ % 2 == 1 for id_ in ids),
    }
    fixed: dict[str, Any] = {"kind": "live", "received": US, "watermark": T0, "price_scale": 9, "amount_scale": 0}
    market_id = symbol.replace("/", "-")
    one = Decimal(1)
    return Trades(
        "okx", symbol, market_id, contract_size=one, inverse=False, tick_size=one, lot_size=one, **fixed | columns | varied
    )


def candle(revision: int = 0, open_time: int = T0, **varied: Any) -> Candle:
    """Closes at 1.5 + its revision."""
    fixed: dict[str, Any] = {
        "market_id": "BTC-USDT",
        "timeframe": "1m",
        "open_time": open_time,
        "open": Decimal("1.50"),
        "high": Decimal("1E+15"),
        "low": Decimal("0.000000454"),
        "close": Decimal("1.5") + revision,
        "volume": Decimal("1234567890123456789.000000000000000001"),
        "quote_volume": Decimal(2),
        "taker_buy_volume": Decimal(0),
        "trades": 3,
        "status": "complete",
        "revision": revision,
        "source": "trades",
        "received": US,
    }
    return Candle(*BTC, **fixed | varied)


INSTRUMENT = Instrument(
    *BTC,
    *("BTC-USDT", "spot", "BTC", "USDT", None),
    *(Decimal(1), False, Decimal("0.1"), Decimal("0.00000001"), Decimal("0.00001")),
    active=True,
    expiry=None,
    valid_from=T0,
)
SIGNAL = Signal(
    *("s1", *BTC, "1m", T0, 0, 0, "long", "rsi-exit"),
    *({"oversold": "30"}, "hash", 0.1, Decimal("64250.10"), {"rsi_14": 30.1}),
    *(T0 + 60_000, T0 + 120_000, US),
)
_OURS = ("paper", "rsi-trend")
ORDER = Order(
    *("t1", 0, *BTC, *_OURS, "s1", "entry", "buy", "market", "open"),
    *(Decimal("0.015"), None, Decimal(0), None, None, T0),
)
FILL = Fill(
    *("f1", "t1", *BTC, *_OURS, "entry", "buy"),
    *(Decimal("64250.1"), Decimal("0.015"), Decimal("0.9637515"), "USDT", 7, T0),
)
POSITION = Position(
    *("p1", 0, *BTC, *_OURS, "long", "open", Decimal("0.015"), Decimal("64250.1"), None),
    *(Decimal(63607), Decimal(65535), Decimal("-0.9637515"), Decimal("0.9637515"), "s1", None, T0, T0),
)
REFUSAL = Refusal("r1", *BTC, "paper", "rsi-trend", "s1", "position open", "long since 1", T0)

ONE_OF_EACH: tuple[Record, ...] = (INSTRUMENT, trades(7), candle(), SIGNAL, ORDER, FILL, POSITION, REFUSAL)


def table_of(record: Record) -> Table:
    """The table that a record is stored in."""
    return next(table for table in TABLES if table.topic is topics.topic_of(record))


def staged(*records: Record, first: int = 0) -> dict[Table, Sequence[Staged]]:
    """Rows of records that came at the offsets from `first` on."""
    rows: dict[Table, list[Staged]] = {}
    for offset, record in enumerate(records, first):
        table = table_of(record)
        origin = Origin(table.topic.name, 0, offset, T0, codec.encode(record))
        rows.setdefault(table, []).extend((row, origin) for row in table.rows(record, offset))
    return dict(rows)


def held(url: str, query: str) -> list[dict[str, Any]]:
    """What the database answers."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(query.encode()).fetchall()


def everything(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    names = [*(table.name for table in TABLES), "candle_revisions"]
    return {name: held(url, f"SELECT * FROM {name} t ORDER BY t.*::text") for name in names}
