"""Rows into PostgreSQL: one transaction for all that is handed over, and an answer for each way it can go wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from consumers.storage import merge
from consumers.storage.tables import Row, Table
from sql.migrate import migrate

# A server that has gone silent must not hold the consumer until the broker gives its partitions to another.
_CONNECTION: Final[dict[str, Any]] = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "tapeflow storage",
}
_LOCK_TIMEOUT: Final = "SET lock_timeout = '10s'"

# The row is at fault: a value out of range, a broken constraint, an index entry too long.
_REFUSALS: Final = (errors.DataError, errors.IntegrityError, errors.ProgramLimitExceeded)
# The database is: gone, starting, full, a deadlock, a lock held too long, a standby that only reads.
_OUTAGES: Final = (errors.OperationalError, errors.InterfaceError, errors.ReadOnlySqlTransaction)


class OutageError(Exception):
    """The database takes no rows now; the same rows may be handed over again. The message is one line that says why."""

    def __init__(self, cause: psycopg.Error) -> None:
        super().__init__(_explain(cause))


@dataclass(frozen=True)
class Origin:
    """The record that rows came from, with its Kafka timestamp (epoch ms)."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    payload: bytes


Staged = tuple[Row, Origin]


@dataclass(frozen=True)
class Refused:
    """A row that the database does not take, and why."""

    origin: Origin
    reason: str


class Database:
    """One connection, opened when it is needed; the first time, the tables are brought up to date."""

    def __init__(self, url: str) -> None:
        self._conninfo = {**_CONNECTION, **conninfo_to_dict(url)}
        self._connection: psycopg.Connection | None = None
        self._migrated = False

    def connect(self) -> psycopg.Connection:
        """The open connection. Raises OutageError, and UserError when the tables cannot be brought up to date."""
        if self._connection is None:
            try:
                if not self._migrated:
                    migrate(psycopg.conninfo.make_conninfo(**self._conninfo))
                    self._migrated = True
                self._connection = psycopg.connect(**self._conninfo, autocommit=True)
                self._connection.execute(_LOCK_TIMEOUT)
            except _OUTAGES as error:
                self.close()
                raise OutageError(error) from error
        return self._connection

    def close(self) -> None:
        """Let go of the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def store(self, staged: Mapping[Table, Sequence[Staged]]) -> list[Refused]:
        """Store all but the rows that the database refuses, in one transaction. Raises OutageError: then nothing is stored."""
        connection = self.connect()
        try:
            with connection.transaction():
                refused: list[Refused] = []
                for table, rows in staged.items():
                    connection.execute(merge.stage(table).encode())
                    refused += _store(connection, table, rows)
                return refused
        except _OUTAGES as error:
            self.close()
            raise OutageError(error) from error


def _store(connection: psycopg.Connection, table: Table, rows: Sequence[Staged]) -> list[Refused]:
    """All rows at once; when the database refuses them, each half by itself, down to the row at fault."""
    try:
        with connection.transaction():  # a savepoint
            _copy_and_merge(connection, table, rows)
    except _REFUSALS as error:
        if len(rows) == 1:
            return [Refused(rows[0][1], f"{table.name}: {_explain(error)}")]
        middle = len(rows) // 2
        return _store(connection, table, rows[:middle]) + _store(connection, table, rows[middle:])
    return []


def _copy_and_merge(connection: psycopg.Connection, table: Table, rows: Sequence[Staged]) -> None:
    with connection.cursor() as cursor:
        with cursor.copy(merge.copy(table).encode()) as copy:
            for row, _ in rows:
                copy.write_row(row)
        for statement in merge.merge(table):
            cursor.execute(statement.encode())


def _explain(error: psycopg.Error) -> str:
    """One line; with the row at fault, where PostgreSQL shows it."""
    told = str(error).partition("\n")[0] or type(error).__name__
    return f"{told}: {error.diag.message_detail}" if error.diag.message_detail else told
