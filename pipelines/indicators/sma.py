"""Simple moving average."""

from math import fsum

from msgspec import Struct


class Sma(Struct, array_like=True):
    """Mean of the last `length` closes.

    >>> average = Sma(3)
    >>> [average.update(close) for close in (1.0, 2.0, 3.0, 7.0)]
    [None, None, 2.0, 4.0]
    """

    length: int
    window: list[float] = []
    oldest: int = 0
    total: float = 0.0

    def update(self, close: float) -> float | None:
        """The average with this close in it; None before there are `length` closes."""
        if len(self.window) < self.length:
            self.window.append(close)
            self.total += close
            return self.total / self.length if len(self.window) == self.length else None
        self.total += close - self.window[self.oldest]
        self.window[self.oldest] = close
        self.oldest = (self.oldest + 1) % self.length
        if self.oldest == 0:  # once a turn, so that rounding errors of the running sum never add up
            self.total = fsum(self.window)
        return self.total / self.length
