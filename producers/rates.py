"""How fast all processes of this host together may ask a venue: one SQLite file, one number a venue.

The number is GCRA's: the time at which the venue would be asked nothing more if nobody came. A venue that says `Retry-After`
pushes it into the future, for everybody. Costs are ccxt's, in thousandths.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pyrate_limiter import GCRA, Rate, RateItem, StateBucket, StateStore, WallClock
from pyrate_limiter.abstracts.algorithm import Decision, State, StateAlgorithm

_UNITS: Final = 1_000  # of one unit of cost
_BURST_MS: Final = 1_000  # what may be asked at once: as much as in this time
_BUSY_S: Final = 5.0  # how long another process may hold the file


class RestingError(Exception):
    """Nobody on this host may ask the venue for so many seconds: too long to wait for."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"asked enough for now; again in {seconds:.0f} s")
        self.seconds = seconds


class Pace:
    """One venue's share of the file, as slow as one unit of cost in `unit_ms` milliseconds. Any thread may use it.

    Methods raise sqlite3.Error where the file cannot be kept.
    """

    def __init__(self, file: Path, name: str, unit_ms: float) -> None:
        per_s = max(1, int(_BURST_MS * _UNITS / unit_ms))
        # A unit always fits, however slow the venue is.
        self._rate = Rate(per_s, _BURST_MS, burst=max(per_s, _UNITS))
        self._store = _File(file, name)
        self._bucket = StateBucket([self._rate], GCRA(), self._store)

    async def enter(self, cost: float, patience_s: float) -> None:
        """Wait for one's turn. Raises RestingError when that takes longer than `patience_s`."""
        left = max(1, round(cost * _UNITS))
        deadline = time.monotonic() + patience_s
        while left > 0:
            weight = min(left, self._rate.burst)
            wait_s = await asyncio.to_thread(self._take, weight)
            if not wait_s:
                left -= weight
            elif time.monotonic() + wait_s > deadline:
                raise RestingError(wait_s)
            else:
                await asyncio.sleep(wait_s)

    def rest(self, seconds: float) -> None:
        """Nobody asks before so many seconds have passed."""
        full_us = self._rate.burst * self._rate.interval * 1_000 // self._rate.limit
        self._store.push(time.time_ns() // 1_000 + int(seconds * 1_000_000) + full_us)

    def close(self) -> None:
        """Let go of the file."""
        self._bucket.close()

    def _take(self, weight: int) -> float:
        """0.0 when it is granted, else how many seconds to wait."""
        item = RateItem("request", time.time_ns() // 1_000_000, weight)
        with self._store.lock:
            if self._bucket.put(item):
                return 0.0
            waiting = self._bucket.waiting(item)
        assert isinstance(waiting, int)
        return max(1, waiting) / 1_000


class _File(StateStore):
    """The state of one name, read and written in one transaction."""

    is_async = False
    default_clock = WallClock()  # a monotonic clock means nothing to another process

    def __init__(self, file: Path, name: str) -> None:
        self.lock = threading.RLock()
        self._file = file
        self._name = name
        self._connection: sqlite3.Connection | None = None

    def check(self, algorithm: StateAlgorithm, rates: list[Rate], now: int, weight: int) -> Decision:
        """Take one step of the algorithm."""
        with self._transaction() as connection:
            state, decision = algorithm.step(rates, (self._read(connection),), now, weight)
            if decision.allowed:
                self._write(connection, int(state[0]))
        return decision

    def push(self, until_us: int) -> None:
        """Move the state to a time (epoch us), unless it is later already."""
        with self._transaction() as connection:
            self._write(connection, max(until_us, self._read(connection)))

    def read(self, algorithm: StateAlgorithm, rates: list[Rate]) -> State:
        """The state as it is."""
        del algorithm, rates
        with self._transaction() as connection:
            return (self._read(connection),)

    def reset(self) -> None:
        """As though nothing had ever been asked."""
        with self._transaction() as connection:
            self._write(connection, 0)

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self.lock:
            connection = self._connection = self._connection or _opened(self._file)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _read(self, connection: sqlite3.Connection) -> int:
        row = connection.execute("SELECT until_us FROM rates WHERE name = ?", (self._name,)).fetchone()
        return int(row[0]) if row else 0

    def _write(self, connection: sqlite3.Connection, until_us: int) -> None:
        connection.execute("INSERT OR REPLACE INTO rates VALUES (?, ?)", (self._name, until_us))


def _opened(file: Path) -> sqlite3.Connection:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise sqlite3.OperationalError(str(error)) from None
    connection = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    # A lost second of limits is no loss: nothing waits for the disk.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("CREATE TABLE IF NOT EXISTS rates (name TEXT PRIMARY KEY, until_us INTEGER NOT NULL) WITHOUT ROWID")
    return connection
