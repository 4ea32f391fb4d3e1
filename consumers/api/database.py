"""Reads from PostgreSQL: a pool of connections, and what it means when none is to be had."""

from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from consumers.api.queries import Source, Wanted, page

_CONNECTION: Final[dict[str, Any]] = {"autocommit": True, "row_factory": dict_row, "connect_timeout": 2}
_WAIT_S: Final = 2.0
_LIMIT: Final = "SET statement_timeout = '10s'"

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


class UnknownError(Exception):
    """A market that nothing is known of; the message names those that are."""


def pool(url: str) -> Pool:
    """Not open yet. A connection that broke while it was idle is replaced before it is handed out."""
    return AsyncConnectionPool(
        url,
        kwargs=_CONNECTION,
        open=False,
        min_size=1,
        max_size=8,
        timeout=_WAIT_S,
        reconnect_timeout=_WAIT_S,
        configure=_configure,
        check=AsyncConnectionPool.check_connection,
    )


async def _configure(connection: AsyncConnection[DictRow]) -> None:
    await connection.execute(_LIMIT)


async def answers(pool: Pool) -> None:
    """Raises what psycopg raises when the database does not answer."""
    async with pool.connection() as connection:
        await connection.execute("SELECT 1")


async def rows(pool: Pool, source: Source[Any], wanted: Wanted) -> tuple[list[DictRow], str | None]:
    """One page and the cursor of the next. Raises CursorError."""
    statement, parameters = page(source, wanted)
    async with pool.connection() as connection:
        found = await (await connection.execute(statement.encode(), parameters)).fetchall()
    more = len(found) > wanted.limit
    items = found[: wanted.limit]
    return items, source.cursor(items[-1]) if more else None


async def require_market(pool: Pool, venue: str, symbol: str | None = None) -> None:
    """Raises UnknownError for a venue, or a symbol of it, that the database has no instrument of."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT bool_or(symbol = %(symbol)s) AS found, array_agg(symbol ORDER BY symbol) AS symbols"
            " FROM instruments WHERE venue = %(venue)s",
            {"venue": venue, "symbol": symbol},
        )
        known = await cursor.fetchone()
        assert known is not None  # an aggregate always gives a row
        if known["symbols"] is None:
            venues = await (await connection.execute("SELECT DISTINCT venue FROM instruments ORDER BY venue")).fetchall()
            raise UnknownError(f"unknown venue {venue!r}: known are {_some([row['venue'] for row in venues])}")
        if symbol is not None and not known["found"]:
            raise UnknownError(f"unknown symbol {symbol!r} of {venue}: known are {_some(known['symbols'])}")


def _some(names: list[str]) -> str:
    """The names, or the first of many."""
    shown = ", ".join(names[:20]) or "none yet"
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown
