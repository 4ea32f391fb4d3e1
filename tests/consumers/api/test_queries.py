"""Pages: what is asked for, where the next one begins, and cursors that nobody gave out."""

import pytest

from consumers.api import queries
from consumers.api.queries import CursorError, Source, Wanted, page


def test_every_field_is_read_as_its_type_says() -> None:
    """Numbers as text, times as epoch numbers, all else as it is."""
    columns = queries.FILLS.columns().split(", ")
    assert "v.price::text AS price" in columns
    assert "to_ms(v.time) AS time" in columns
    assert "v.trade_id AS trade_id" in columns
    assert "v.exit_price::text AS exit_price" in queries.POSITIONS.columns()
    assert "v.realized::text AS realized" in queries.POSITIONS.columns()
    assert "to_us(v.received) AS received" in queries.CANDLES.columns()


def test_a_page_asks_for_one_row_more() -> None:
    """To know whether another page follows; filters and times are parameters."""
    statement, parameters = page(queries.TRADES, Wanted(2, {"venue": "okx"}, since=1, until=9, before="5~77"))
    assert statement.partition(" WHERE ")[2] == (
        "v.venue = %(venue)s AND v.time >= from_ms(%(since)s) AND v.time < from_ms(%(until)s)"
        " AND (v.time, v.trade_id) < (from_ms(%(before)s), %(last)s) ORDER BY v.time DESC, v.trade_id DESC LIMIT %(limit)s"
    )
    assert parameters == {"limit": 3, "venue": "okx", "since": 1, "until": 9, "before": 5, "last": 77}


@pytest.mark.parametrize(
    ("source", "row", "cursor"),
    [
        (queries.CANDLES, {"open_time": 5}, "5"),
        (queries.TRADES, {"time": 5, "trade_id": 77}, "5~77"),
        (queries.ORDERS, {"time": 5, "client_order_id": "t~1"}, "5~t~1"),
    ],
)
def test_a_cursor_leads_back_to_its_row(source: Source, row: dict, cursor: str) -> None:
    """The time and, where times may be equal, the id."""
    assert source.cursor(row) == cursor
    assert [value for value in source.position(cursor).values() if value != ""] == list(row.values())


@pytest.mark.parametrize(
    ("source", "cursor"),
    [
        *((queries.CANDLES, cursor) for cursor in ("", "x", "-1", "5~1", "9" * 30, "5.0")),
        *((queries.TRADES, cursor) for cursor in ("5", "5~", "5~x", "~5", "5~7~7")),
        (queries.SIGNALS, "5"),
    ],
)
def test_what_is_no_cursor_is_told(source: Source, cursor: str) -> None:
    """By name, before the database sees it."""
    with pytest.raises(CursorError, match="is not the `next` of a page"):
        source.position(cursor)
