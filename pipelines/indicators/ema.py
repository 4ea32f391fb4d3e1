"""Exponential moving average."""

from msgspec import Struct


class Ema(Struct, array_like=True):
    """Exponential average with weight 2 / (length + 1), seeded by the mean of the first `length` closes.

    >>> average = Ema(3)
    >>> [average.update(close) for close in (1.0, 2.0, 3.0, 7.0)]
    [None, None, 2.0, 4.5]
    """

    length: int
    count: int = 0
    value: float = 0.0  # until seeded, the sum of the closes so far

    def update(self, close: float) -> float | None:
        """The average with this close in it; None before there are `length` closes."""
        if self.count >= self.length:
            self.value += (close - self.value) * (2.0 / (self.length + 1))
            return self.value
        self.count += 1
        self.value += close
        if self.count < self.length:
            return None
        self.value /= self.length
        return self.value
