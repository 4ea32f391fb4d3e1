"""What the database holds, counted."""

from typing import Final

import psycopg
from psycopg import sql

from infra.settings import Settings, UserError

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


def trade_ids(settings: Settings) -> dict[str, list[int]]:
    """The stored trade ids by the venue's own market name, duplicates included."""
    with connect(settings) as connection:
        rows = connection.execute(
            "SELECT i.market_id, array_agg(t.trade_id) FROM trades t JOIN instruments i ON i.id = t.instrument_id GROUP BY 1"
        ).fetchall()
    return dict(rows)


def connect(settings: Settings) -> psycopg.Connection:
    """A connection to the database. Raises UserError when there is none."""
    try:
        return psycopg.connect(settings.database_url or "", connect_timeout=5)
    except psycopg.OperationalError as error:
        raise UserError(f"the database does not answer: {str(error).splitlines()[0]}; check DATABASE_URL") from None


def _count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return int(row[0]) if row else 0
