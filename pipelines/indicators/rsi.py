"""Relative strength index by Wilder."""

from msgspec import Struct


class Rsi(Struct, array_like=True):
    """100 times average gain over average gain plus average loss, both smoothed by Wilder's 1 / length.

    A market that has not moved at all is neither strong nor weak: 50 (TA-Lib says 0, which would read as oversold).

    >>> rsi = Rsi(2)
    >>> [rsi.update(close) for close in (1.0, 2.0, 3.0, 2.0)]
    [None, None, 100.0, 50.0]
    """

    length: int
    count: int = 0  # changes seen, up to `length`
    last: float | None = None
    gain: float = 0.0  # until `count` reaches `length`, the sum
    loss: float = 0.0

    def update(self, close: float) -> float | None:
        """The index with this close in it; None before there are `length` changes."""
        last, self.last = self.last, close
        if last is None:
            return None
        gain, loss = max(close - last, 0.0), max(last - close, 0.0)
        if self.count >= self.length:
            self.gain = (self.gain * (self.length - 1) + gain) / self.length
            self.loss = (self.loss * (self.length - 1) + loss) / self.length
        else:
            self.count += 1
            self.gain += gain
            self.loss += loss
            if self.count < self.length:
                return None
            self.gain /= self.length
            self.loss /= self.length
        moved = self.gain + self.loss
        return 100.0 * self.gain / moved if moved else 50.0
