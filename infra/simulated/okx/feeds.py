"""The channels of the websocket: what each has to say now that it has not said yet.

A feed remembers what it sent and is asked with the market's time and the real time. It keeps no queue: a reader that
is slow makes a feed ask later, not hold more.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from infra.simulated.okx.board import BARS, Board, opening
from infra.simulated.okx.encoding import SEQUENCE_STEP, candle_row, level_rows, push, trade_frames
from infra.simulated.quotes import Quote

_CHUNK = 256  # trades encoded at a time
_REAL_SECONDS = 0.05  # at high speed, nothing but trades is pushed more often than this


class Feed(Protocol):
    """One channel of one instrument on one connection."""

    def due(self, now_ms: int, real: float) -> Iterable[str]:
        """Yield the frames to send at a market time and a real time (seconds, monotonic)."""
        ...

    def forget(self, now_ms: int) -> None:
        """Lose what would be due now."""
        ...


class TradesFeed:
    """`trades`: first the last trade there was, then each as it comes, one a frame."""

    def __init__(self, board: Board, name: str, now_ms: int) -> None:
        self._board, self.name = board, name
        self._sent = max(0, board.tape(name, now_ms).through(now_ms) - 1)
        self._withheld = 0

    def due(self, now_ms: int, real: float) -> Iterator[str]:  # noqa: ARG002 - trades wait for nothing
        """Yield every trade through now that was not sent."""
        tape = self._board.tape(self.name, now_ms)
        known = tape.through(now_ms)
        while self._sent < known:
            upto = min(known, self._sent + _CHUNK)
            frames = trade_frames(self._board.numbers[self.name], tape.slice(self._sent, upto))
            for frame in frames:
                self._sent += 1
                if self._withheld:
                    self._withheld -= 1
                else:
                    yield frame

    def forget(self, now_ms: int) -> None:
        """Count everything through now as sent."""
        self._sent = max(self._sent, self._board.tape(self.name, now_ms).through(now_ms))

    def repeat(self, count: int, now_ms: int) -> list[str]:
        """Return the last `count` trades that were sent once more."""
        tape = self._board.tape(self.name, now_ms)
        return trade_frames(self._board.numbers[self.name], tape.slice(max(0, self._sent - count), self._sent))

    def withhold(self, count: int) -> None:
        """Do not send the next `count` trades, ever."""
        self._withheld += count


class QuoteFeed:
    """`tickers` (at most every 100 ms of market time) and `bbo-tbt` (every 10 ms), when something has changed."""

    def __init__(self, board: Board, channel: str, name: str) -> None:
        self._board, self._channel, self._name = board, channel, name
        self._pace_ms = {"tickers": 100, "bbo-tbt": 10}[channel]
        self._pushed: tuple[int, float] = (-self._pace_ms, -_REAL_SECONDS)
        self._told: tuple[Quote | None, int] = (None, 0)

    def due(self, now_ms: int, real: float) -> Iterator[str]:
        """Yield one frame at most."""
        pushed_ms, pushed_real = self._pushed
        if now_ms - pushed_ms < self._pace_ms or real - pushed_real < _REAL_SECONDS:
            return
        trades = self._board.tape(self._name, now_ms).through(now_ms) if self._channel == "tickers" else 0
        state = (self._board.quote(self._name, now_ms), trades)
        if state[0] is None or state == self._told:
            return
        self._pushed, self._told = (now_ms, real), state
        row = self._board.ticker(self._name, now_ms) if self._channel == "tickers" else self._bbo(state[0], now_ms)
        if row is not None:
            yield push(self._channel, row, self._name)

    def forget(self, now_ms: int) -> None:
        """Nothing to lose: what is due is always the present."""

    def _bbo(self, quote: Quote, now_ms: int) -> dict[str, object]:
        numbers = self._board.numbers[self._name]
        asks, bids = level_rows(numbers, [quote.ask]), level_rows(numbers, [quote.bid])
        return {"asks": asks, "bids": bids, "ts": str(now_ms), "seqId": now_ms * SEQUENCE_STEP}


class CandleFeed:
    """`candle*`: the open bar when it changes, at most once a market second, and every bar once more when it closes."""

    def __init__(self, board: Board, bar: str, name: str, now_ms: int) -> None:
        self._board, self._bar, self._name = board, bar, name
        self._open = opening(bar, now_ms)
        self._pushed: tuple[int, float] = (-1000, -_REAL_SECONDS)
        self._told = -1

    def due(self, now_ms: int, real: float) -> Iterator[str]:
        """Yield the bars that have closed, then the open one."""
        current = opening(self._bar, now_ms)
        if current == self._open and (now_ms - self._pushed[0] < 1000 or real - self._pushed[1] < _REAL_SECONDS):
            return
        numbers, length = self._board.numbers[self._name], BARS[self._bar][0]
        for bar in self._board.bars(self._name, self._bar, self._open, current, now_ms):
            closed = bar.open_time + length <= now_ms
            if closed or bar.lots != self._told:
                self._told = -1 if closed else bar.lots
                yield push(f"candle{self._bar}", candle_row(numbers, bar, closed=closed), self._name)
        self._open, self._pushed = current, (now_ms, real)

    def forget(self, now_ms: int) -> None:
        """Skip the bars that have closed meanwhile."""
        self._open = opening(self._bar, now_ms)


class StatusFeed:
    """`status`: maintenance that is announced; there is none of its own accord."""

    def due(self, now_ms: int, real: float) -> Iterable[str]:  # noqa: ARG002 - part of the contract
        """Return nothing."""
        return ()

    def forget(self, now_ms: int) -> None:
        """Nothing to lose."""
