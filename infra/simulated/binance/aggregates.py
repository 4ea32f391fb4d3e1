"""Aggregate trades: what one order took at one price within one millisecond, told as one.

They have ids of their own, one above the other, and are made along with the tape: whoever asks, and whenever, finds the same.
"""

import threading
from collections.abc import Callable

import numpy as np

from infra.simulated.tape import Ints, Tape, Trades


class Aggregates:
    """The aggregate trades of one instrument. `source` gives its tape, complete through a time."""

    def __init__(self, source: Callable[[int], Tape]) -> None:
        self._source = source
        self._tape = Tape()
        self._firsts = np.zeros(1024, dtype=np.int64)  # the first trade of each
        self._counts = np.zeros(1024, dtype=np.int64)
        self._taken = 0  # how many trades of the source are in there
        self._first_id = 0
        self._alone = threading.Lock()  # a ledger may be read while the venue serves

    def tape(self, now_ms: int) -> Tape:
        """Return them as a tape, complete through a time: ids are theirs, sizes are sums."""
        source = self._source(now_ms)
        with self._alone:
            there = len(source)
            if there > self._taken:
                self._take(source.slice(self._taken, there))
                self._taken = there
        return self._tape

    def spans(self, ids: Ints) -> tuple[Ints, Ints]:
        """Return the first and the last trade of each."""
        places = ids - self._first_id
        return self._firsts[places], self._firsts[places] + self._counts[places] - 1

    def _take(self, trades: Trades) -> None:
        """Add trades. What is added at one time holds whole milliseconds, so that no order is cut in two."""
        before = len(self._tape)
        if not before:
            self._first_id = int(trades.ids[0]) // 3
        same = np.ones(len(trades.ids), dtype=bool)
        for column in (trades.times, trades.prices, trades.buys):
            same[1:] &= column[1:] == column[:-1]
        same[0] = False
        starts = np.flatnonzero(~same)
        after = before + len(starts)
        if after > len(self._firsts):
            room = np.zeros(max(after, len(self._firsts)), dtype=np.int64)
            self._firsts, self._counts = np.concatenate([self._firsts, room]), np.concatenate([self._counts, room])
        self._firsts[before:after] = trades.ids[starts]
        self._counts[before:after] = np.diff(np.append(starts, len(trades.ids)))
        ids = np.arange(before, after, dtype=np.int64) + self._first_id
        sums = np.add.reduceat(trades.sizes, starts)
        self._tape.append(Trades(ids, trades.times[starts], trades.prices[starts], sums, trades.buys[starts]))
