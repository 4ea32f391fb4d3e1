"""Rows out of records: nothing is rounded, nothing is forgotten."""

from decimal import Decimal

import msgspec
import psycopg
import pytest

from consumers.storage.tables import HEAD, TABLES, TAIL, TRADES, Table
from schemas import topics
from schemas.codec import Record
from schemas.market import HistoryCandle
from sql.migrate import migrate
from tests.consumers.storage.records import ONE_OF_EACH, T0, US, candle, table_of, trades


def test_every_trade_is_a_row() -> None:
    """Digits stay as they came, their scale becomes an exponent; offset and place in the record are the arrival."""
    record = trades(7, 8, kind="repair", prices=(1, 2_000), price_scale=4)
    assert list(TRADES.rows(record, 41)) == [
        ("okx", "BTC/USDT", "BTC-USDT", 0, 7, T0 + 7, "1e-4", "1000000000000000e-0", "buy", "repair", US, 41),
        ("okx", "BTC/USDT", "BTC-USDT", 1, 8, T0 + 8, "2000e-4", "1000000000000000e-0", "sell", "repair", US, 41),
    ]


@pytest.mark.parametrize(
    "record",
    [
        trades(),
        trades(kind="history", history=(HistoryCandle(T0, *[Decimal(1)] * 6),)),
    ],
)
def test_heartbeats_and_history_are_no_trades(record: Record) -> None:
    """A record without trades gives no rows."""
    assert list(TRADES.rows(record, 0)) == []


def test_a_candle_is_one_row_in_the_order_of_its_columns() -> None:
    """Every column is the field of its name."""
    record = candle(2)
    table = table_of(record)
    (row,) = table.rows(record, 9)
    named = dict(zip([*HEAD, *table.columns, *TAIL], row, strict=True))
    assert named == msgspec.structs.asdict(record) | {"arrival": 9}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_rows_are_as_wide_as_their_table(table: Table) -> None:
    """One value for each staged column."""
    record = next(record for record in ONE_OF_EACH if topics.topic_of(record) is table.topic)
    assert {len(row) for row in table.rows(record, 0)} == {len(HEAD) + len(table.columns) + len(TAIL)}


@pytest.mark.database
def test_the_database_has_a_column_for_every_field(database_url: str) -> None:
    """Whoever gives a record a new field is told here that it wants a migration."""
    migrate(database_url)
    with psycopg.connect(database_url) as connection:
        for table in TABLES:
            columns = {column.name for column in connection.execute(f"SELECT * FROM {table.name}").description or ()}
            assert set(table.columns) <= columns, table.name
