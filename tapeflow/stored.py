"""What the database holds, counted."""

from decimal import Decimal
from typing import Final

import psycopg
from psycopg import sql

from infra.settings import Settings, UserError

Trade = tuple[int, Decimal, str]
"""Time (epoch ms), price and the taker's side: what venues tell as one trade, or as several, agrees in these."""

COUNTED: Final = ("trades", "candles", "signals", "orders", "fills", "positions", "refusals")


def counts(settings: Settings) -> dict[str, int]:
    """Rows by table. Raises UserError when the database does not answer."""
    with connect(settings) as connection:
        try:
            return {table: _count(connection, table) for table in COUNTED}
        except psycopg.errors.UndefinedTable:
            raise UserError("the database has no tables yet: `tapeflow migrate` makes them") from None


def warm_markets(settings: Settings) -> int:
    """Markets of which the venue's own history is stored."""
    with connect(settings) as connection:
        row = connection.execute("SELECT count(DISTINCT instrument_id) FROM candles WHERE source = 'venue'").fetchone()
    return int(row[0]) if row else 0


def amounts(settings: Settings) -> dict[str, dict[Trade, Decimal]]:
    """By venue:symbol, what was traded in native units at each time (epoch ms), price and side."""
    query = """
        SELECT i.venue || ':' || i.symbol, (extract(epoch FROM t.time) * 1000)::bigint, t.price, t.taker_side, sum(t.amount)
        FROM trades t JOIN instruments i ON i.id = t.instrument_id GROUP BY 1, 2, 3, 4"""
    found: dict[str, dict[Trade, Decimal]] = {}
    with connect(settings) as connection:
        for market, time, price, side, amount in connection.execute(query):
            found.setdefault(market, {})[time, price, side] = amount
    return found


def connect(settings: Settings) -> psycopg.Connection:
    """A connection to the database. Raises UserError when there is none."""
    try:
        return psycopg.connect(settings.database_url or "", connect_timeout=5)
    except psycopg.OperationalError as error:
        raise UserError(f"the database does not answer: {str(error).splitlines()[0]}; check DATABASE_URL") from None


def _count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return int(row[0]) if row else 0
