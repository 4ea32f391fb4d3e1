"""Applies the numbered files of this folder to a database, each once. Why not a library: docs/decisions/0004-migrations.md."""

import hashlib
import re
from pathlib import Path
from typing import Final

import psycopg
from rich.console import Console

from infra.settings import UserError

FOLDER: Final = Path(__file__).parent
OUTSIDE: Final = "-- transactional: false"
_LOCK: Final = int.from_bytes(b"tapeflow")
_RECORD: Final = "INSERT INTO migrations (name, checksum) VALUES (%s, %s)"


def migrate(database_url: str, console: Console | None = None, folder: Path = FOLDER) -> list[str]:
    """Apply what the database has not seen; the names applied now, in order. A second runner waits for the first.

    Raises UserError when an applied file has changed or one fails, psycopg.OperationalError when the database does not answer.
    """
    with psycopg.connect(database_url, autocommit=True) as connection:
        # Held by the connection, so a runner that is killed holds nothing.
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations"
            " (name text PRIMARY KEY, checksum text NOT NULL, applied timestamptz NOT NULL DEFAULT now())"
        )
        known: dict[str, str] = dict(connection.execute("SELECT name, checksum FROM migrations").fetchall())
        applied = []
        for file in sorted(folder.glob("[0-9]*.sql")):
            if _apply(connection, file, known.get(file.stem)):
                applied.append(file.stem)
                if console is not None:
                    console.print(f"applied {file.stem}", highlight=False)
        return applied


def _apply(connection: psycopg.Connection, file: Path, seen: str | None) -> bool:
    """Whether the file was applied now: false when the database has it already."""
    text = file.read_text()
    checksum = hashlib.sha256(text.encode()).hexdigest()
    if seen is not None:
        if seen != checksum:
            raise UserError(f"{file.name} has changed since it was applied; restore it and put the change into a new file")
        return False
    try:
        if text.startswith(OUTSIDE):
            for statement in re.split(r"\n\s*\n", text):
                _execute(connection, statement)
            connection.execute(_RECORD, (file.stem, checksum))
        else:
            with connection.transaction():
                _execute(connection, text)
                connection.execute(_RECORD, (file.stem, checksum))
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise UserError(f"{file.name} could not be applied: {str(error).splitlines()[0]}") from error
    return True


def _execute(connection: psycopg.Connection, text: str) -> None:
    """One or several statements as they stand, without parameters; comments alone are no statement but do no harm."""
    connection.execute(text.encode())
