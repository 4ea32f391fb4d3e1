"""What a backfill has fetched so far: a SQLite file beside its output, so that it may be ended at any time and go on.

Rows are kept by their place in the order (a candle's open time; a trade's time and id), so that one fetched twice is kept once.
Whatever is written in one call is there as a whole or not at all.
"""

import csv
import gzip
import io
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self, TextIO

import msgspec
from msgspec import Struct

from infra.settings import UserError

CANDLES: Final = ("time", "open", "high", "low", "close", "volume")
TRADES: Final = ("time", "id", "price", "amount", "side", "first_id", "count")


class Wanted(Struct, frozen=True):
    """What to fetch: [since, until) in epoch ms; `timeframe` None for trades."""

    venue: str
    symbol: str
    since: int
    until: int
    timeframe: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Of a row; the first, with trades the first two, are integers and its place in the order."""
        return TRADES if self.timeframe is None else CANDLES


class Span(Struct, frozen=True, order=True):
    """Times [since, until), epoch ms."""

    since: int
    until: int


class Journal:
    """The file of one backfill. Raises UserError when the file belongs to another one."""

    def __init__(self, file: Path, wanted: Wanted) -> None:
        self.file = file
        self.wanted = wanted
        try:
            self._connection = sqlite3.connect(file, isolation_level=None)
            self._prepare()
        except sqlite3.Error as error:
            raise UserError(f"cannot keep the backfill's journal {file}: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add(self, rows: Sequence[Sequence[int | str]], done: Span | None = None, note: str | None = None) -> None:
        """Keep rows, what of the time is done with them, and a note for the one who goes on."""
        columns = self.wanted.columns
        with self._transaction() as connection:
            connection.executemany(f"INSERT OR IGNORE INTO rows VALUES ({', '.join('?' * len(columns))})", rows)  # noqa: S608
            if done is not None:
                connection.execute("INSERT INTO done VALUES (?, ?)", (done.since, done.until))
            if note is not None:
                connection.execute("INSERT OR REPLACE INTO notes VALUES ('note', ?)", (note,))

    def note(self) -> str | None:
        """The newest note."""
        row = self._connection.execute("SELECT text FROM notes WHERE name = 'note'").fetchone()
        return row[0] if row else None

    def left(self) -> list[Span]:
        """What of the wanted time is not done, in order."""
        spans, at = [], self.wanted.since
        for since, until in self._connection.execute("SELECT since, until FROM done ORDER BY since"):
            if since > at:
                spans.append(Span(at, since))
            at = max(at, until)
        if at < self.wanted.until:
            spans.append(Span(at, self.wanted.until))
        return spans

    def forget(self, spans: Sequence[Span]) -> None:
        """Have these fetched again."""
        whole = [Span(*row) for row in self._connection.execute("SELECT since, until FROM done")]
        kept = [part for one in whole for part in _without(one, spans)]
        with self._transaction() as connection:
            connection.execute("DELETE FROM done")
            connection.executemany("INSERT INTO done VALUES (?, ?)", [(one.since, one.until) for one in kept])

    def rows(self) -> Iterator[tuple[int | str, ...]]:
        """All that is kept, in order."""
        yield from self._connection.execute(f"SELECT * FROM rows ORDER BY {', '.join(self._place)}")  # noqa: S608

    def count(self) -> int:
        """How many rows are kept."""
        return int(self._connection.execute("SELECT count(*) FROM rows").fetchone()[0])

    def write(self, out: Path) -> None:
        """The rows as CSV with a header, gzipped where the name ends in .gz; all of it or nothing."""
        fresh = out.with_name(f".{out.name}.new")
        try:
            with _text(fresh, zipped=out.suffix == ".gz") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(self.wanted.columns)
                writer.writerows(self.rows())
            fresh.replace(out)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise UserError(f"cannot write {out}: {error.strerror}; what was fetched is in {self.file}") from None

    def remove(self) -> None:
        """There is nothing to go on with."""
        self._connection.close()
        self.file.unlink()

    @property
    def _place(self) -> tuple[str, ...]:
        return self.wanted.columns[: 2 if self.wanted.timeframe is None else 1]

    def _prepare(self) -> None:
        types = dict.fromkeys(self._place, "INTEGER")
        columns = ", ".join(f"{name} {types.get(name, '')} NOT NULL" for name in self.wanted.columns)
        with self._transaction() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, text TEXT NOT NULL)")
            connection.execute("CREATE TABLE IF NOT EXISTS done (since INTEGER NOT NULL, until INTEGER NOT NULL)")
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS rows ({columns}, PRIMARY KEY ({', '.join(self._place)})) WITHOUT ROWID"
            )
            mine = msgspec.json.encode(self.wanted).decode()
            connection.execute("INSERT OR IGNORE INTO notes VALUES ('wanted', ?)", (mine,))
            (found,) = connection.execute("SELECT text FROM notes WHERE name = 'wanted'").fetchone()
        if found != mine:
            other = msgspec.json.decode(found)
            told = " ".join(str(other[name]) for name in ("venue", "symbol", "timeframe") if other[name])
            raise UserError(f"{self.file} belongs to another backfill ({told}, other times?): remove it, or name another --out")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def begun(file: Path) -> Wanted | None:
    """What a journal is of; None where there is none that can be read."""
    if not file.exists():
        return None
    try:
        connection = sqlite3.connect(file)
        try:
            (text,) = connection.execute("SELECT text FROM notes WHERE name = 'wanted'").fetchone()
        finally:
            connection.close()
        return msgspec.json.decode(text, type=Wanted)
    except (sqlite3.Error, msgspec.MsgspecError, TypeError):
        return None


def _without(one: Span, others: Sequence[Span]) -> list[Span]:
    """What is left of a span."""
    parts = [one]
    for other in others:
        parts = [
            part
            for old in parts
            for part in (Span(old.since, min(old.until, other.since)), Span(max(old.since, other.until), old.until))
            if part.since < part.until
        ]
    return parts


@contextmanager
def _text(file: Path, *, zipped: bool) -> Iterator[TextIO]:
    with file.open("wb") as raw:
        if not zipped:
            with io.TextIOWrapper(raw, "utf-8", newline="") as text:
                yield text
            return
        # No name and no time in the file: the same rows are the same bytes.
        with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed, io.TextIOWrapper(packed, "utf-8", newline="") as text:
            yield text
