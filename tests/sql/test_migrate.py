"""Migrations: each file once, whole or not at all, whoever runs them."""

import threading
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from rich.console import Console

from infra.settings import UserError
from sql.migrate import FOLDER, migrate

pytestmark = pytest.mark.database

FILES = ["0001_instruments", "0002_market", "0003_trading", "0004_views", "0005_options"]


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)
    return folder


def answer(url: str, query: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_the_files_of_the_project_apply_once(database_url: str) -> None:
    """In the order of their numbers, told one by one; the second time there is nothing to do."""
    told = StringIO()
    assert migrate(database_url, Console(file=told)) == FILES
    assert told.getvalue().splitlines() == [f"applied {name}" for name in FILES]
    assert migrate(database_url) == []
    assert answer(database_url, "SELECT name FROM migrations ORDER BY name") == [(name,) for name in FILES]


def test_numbers_of_the_files_are_consecutive() -> None:
    """So that two people who add a file at once notice it when they merge."""
    assert [int(file.name[:4]) for file in sorted(FOLDER.glob("*.sql"))] == list(range(1, len(FILES) + 1))


def test_without_timescaledb_trade_ids_are_unique_by_themselves(database_url: str) -> None:
    """Plain PostgreSQL holds the same id at another time to be the same trade."""
    migrate(database_url)
    insert = (
        "INSERT INTO trades VALUES (1, 7, from_ms({}), 1, 1, 'buy', 'live', 0, 0, now())"
        " ON CONFLICT DO NOTHING RETURNING to_ms(time)"
    )
    with psycopg.connect(database_url) as connection:
        assert connection.execute(insert.format(1_700_000_000_123).encode()).fetchall() == [(1_700_000_000_123,)]
        assert connection.execute(insert.format(1_700_000_000_124).encode()).fetchall() == []


@pytest.mark.parametrize("ms", [0, 999, 1_700_000_000_001, 4_102_444_799_999])
def test_times_come_back_to_the_millisecond(database_url: str, ms: int) -> None:
    """`from_ms` and `to_ms`, `from_us` and `to_us` lose nothing in either direction."""
    migrate(database_url)
    assert answer(database_url, f"SELECT to_ms(from_ms({ms})), to_us(from_us({ms * 1000 + 1}))") == [(ms, ms * 1000 + 1)]


def test_two_runners_at_once_apply_each_file_once(database_url: str) -> None:
    """The second waits for the first and finds its work done."""
    applied: list[list[str]] = []
    runners = [threading.Thread(target=lambda: applied.append(migrate(database_url))) for _ in range(3)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert sorted(applied) == [[], [], FILES]


def test_a_runner_that_died_blocks_nobody(database_url: str) -> None:
    """The lock ends with the connection of whoever held it."""
    with psycopg.connect(database_url, autocommit=True) as dead:
        dead.execute("SELECT pg_advisory_lock(%s)", (int.from_bytes(b"tapeflow"),))
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (dead.info.backend_pid,))
        assert migrate(database_url) == FILES


def test_a_file_that_fails_leaves_nothing(database_url: str, tmp_path: Path) -> None:
    """Neither its first statements nor a record of it; the files before it stay. Mended, it applies."""
    folder = write(tmp_path, **{"0001_a": "CREATE TABLE a ();", "0002_b": "CREATE TABLE b (); SELECT 1/0;"})
    with pytest.raises(UserError, match=r"^0002_b\.sql could not be applied: division by zero$"):
        migrate(database_url, folder=folder)
    assert answer(database_url, "SELECT to_regclass('a') IS NULL, to_regclass('b') IS NULL") == [(False, True)]
    write(folder, **{"0002_b": "CREATE TABLE b ();"})
    assert migrate(database_url, folder=folder) == ["0002_b"]


def test_an_applied_file_may_not_change(database_url: str, tmp_path: Path) -> None:
    """The change would never reach this database, so it is refused by the file's name."""
    folder = write(tmp_path, **{"0001_a": "CREATE TABLE a ();"})
    migrate(database_url, folder=folder)
    write(folder, **{"0001_a": "CREATE TABLE a (x int);"})
    with pytest.raises(UserError, match=r"^0001_a\.sql has changed since it was applied"):
        migrate(database_url, folder=folder)


def test_outside_a_transaction_statements_run_one_by_one(database_url: str, tmp_path: Path) -> None:
    """What no transaction may hold runs by itself, bodies in dollar quotes stay whole."""
    folder = write(
        tmp_path,
        **{
            "0001_a": "CREATE TABLE a (x int);",
            "0002_b": "-- transactional: false\n\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_x ON a (x);\n\n"
            "DO $$\nBEGIN\n    INSERT INTO a VALUES (1);\nEND $$;\n\nVACUUM a;\n",
        },
    )
    assert migrate(database_url, folder=folder) == ["0001_a", "0002_b"]
    assert answer(database_url, "SELECT x, to_regclass('a_x') IS NOT NULL FROM a") == [(1, True)]


def test_a_database_that_is_away_is_told_apart(tmp_path: Path) -> None:
    """Whoever starts it may wait and try again, which helps against no other error."""
    with pytest.raises(psycopg.OperationalError):
        migrate("postgresql://127.0.0.1:1/none?connect_timeout=2", folder=tmp_path)
