"""The tape of one instrument: its trades as columns, oldest first."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Trades(NamedTuple):
    """Columns of equal length. `prices` are in ticks, `sizes` in lots, `buys` is 1 where the taker bought."""

    ids: Ints
    times: Ints
    prices: Ints
    sizes: Ints
    buys: Ints


class Tape:
    """Trades in the order of their ids and times, in one growing block of numbers (40 bytes a trade)."""

    def __init__(self) -> None:
        self._block = np.zeros((len(Trades._fields), 1024), dtype=np.int64)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, trades: Trades) -> None:
        """Add trades no older than the last. Raises ValueError when times or ids run backwards."""
        joined_times = np.concatenate([self._block[1, self._length - 1 : self._length], trades.times])
        joined_ids = np.concatenate([self._block[0, self._length - 1 : self._length], trades.ids])
        if np.any(np.diff(joined_times) < 0) or np.any(np.diff(joined_ids) <= 0):
            raise ValueError("trades must be appended in the order of their ids and times")
        needed = self._length + len(trades.ids)
        if needed > self._block.shape[1]:
            grown = np.zeros((len(Trades._fields), max(needed, 2 * self._block.shape[1])), dtype=np.int64)
            grown[:, : self._length] = self._block[:, : self._length]
            self._block = grown
        for column, values in enumerate(trades):
            self._block[column, self._length : needed] = values
        self._length = needed

    def slice(self, low: int, high: int) -> Trades:
        """Return the trades from position `low` up to, and without, `high`."""
        part = self._block[:, low:high]
        return Trades(part[0], part[1], part[2], part[3], part[4])

    def before(self, time_ms: int) -> int:
        """How many trades are older than a time."""
        return int(np.searchsorted(self._block[1, : self._length], time_ms, side="left"))

    def through(self, time_ms: int) -> int:
        """How many trades are as old as a time, or older."""
        return int(np.searchsorted(self._block[1, : self._length], time_ms, side="right"))

    def position(self, trade_id: int) -> int:
        """How many trades have a smaller id."""
        return int(np.searchsorted(self._block[0, : self._length], trade_id, side="left"))
