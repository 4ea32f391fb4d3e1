"""Binance's streams: `btcusdt@aggTrade` and so on, and the feed that speaks for each."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from infra.simulated.bars import MINUTE, Bar
from infra.simulated.binance.aggregates import Aggregates
from infra.simulated.binance.encoding import Writer
from infra.simulated.binance.product import Product
from infra.simulated.board import Board
from infra.simulated.book import View
from infra.simulated.encoded import text
from infra.simulated.feeds import BookFeed, BookPush, CandleFeed, Feed, Moment, StateFeed, TradesFeed
from infra.simulated.marks import Mark
from infra.simulated.quotes import Level, Quote
from infra.simulated.tape import Trades

BOOK_DEPTH: Final = 500
INTERVALS: Final[Mapping[str, int]] = {
    "1s": 1000,
    **{f"{count}m": count * MINUTE for count in (1, 3, 5, 15, 30)},
    **{f"{count}h": count * 60 * MINUTE for count in (1, 2, 4, 6, 8, 12)},
    **{f"{count}d": count * 24 * 60 * MINUTE for count in (1, 3)},
}
_STREAM: Final = re.compile(r"(?P<symbol>[A-Za-z0-9_]+)@(?P<kind>[a-zA-Z]+)(?P<more>[0-9a-zA-Z_]*)(?:@(?P<pace>\d+m?s))?")
_MARKS: Final = {"": 3000, "1s": 1000}
_SECOND: Final = 1000
_REMEMBERED: Final = 1000  # snapshots of a book over REST

Sides = tuple[tuple[Level, ...], tuple[Level, ...]]


class Streams:
    """Opens feeds by the names of streams. `wrapped` puts each message into `{"stream": .., "data": ..}`."""

    def __init__(self, product: Product, board: Board, aggregates: Mapping[str, Aggregates]) -> None:
        self.product, self.board, self.aggregates = product, board, aggregates
        self.snapshots: dict[str, deque[int]] = {name: deque(maxlen=_REMEMBERED) for name in board.listings}
        self.writers = {name: Writer(product, figures) for name, figures in board.figures.items()}

    def snapshots_between(self, name: str, after: int, until: int) -> list[int]:
        """Return when snapshots of a book were taken after a time and until another."""
        return sorted({time for time in self.snapshots[name] if after < time < until})

    def well_formed(self, stream: str) -> bool:
        """Whether it looks like a stream: one that does not exist is silent, one that makes no sense is refused."""
        return _STREAM.fullmatch(stream) is not None or stream.startswith("!")

    def feed(self, stream: str, now: Moment, *, wrapped: bool) -> Feed | None:
        """Open a feed; None where there is no such stream."""
        parts = _STREAM.fullmatch(stream)
        name = parts["symbol"].upper() if parts and parts["symbol"].islower() else ""
        if parts is None or name not in self.board.listings:
            return None
        opened = _KINDS.get(parts["kind"])
        wrap = (lambda message: f'{{"stream":"{stream}","data":{message}}}') if wrapped else str
        return None if opened is None else opened(self, name, parts["more"], parts["pace"] or "", wrap, now)


Wrap = Callable[[str], str]


def _aggregates(streams: Streams, name: str, more: str, pace: str, wrap: Wrap, now: Moment) -> Feed | None:
    writer, made = streams.writers[name], streams.aggregates[name]
    if more or pace:
        return None

    def encode(trades: Trades, at: Moment) -> Iterator[str]:
        return map(wrap, writer.aggregates(trades, made, at))

    return TradesFeed(name, made.tape, encode, now)


def _trades(streams: Streams, name: str, more: str, pace: str, wrap: Wrap, now: Moment) -> Feed | None:
    writer = streams.writers[name]
    if more or pace:
        return None

    def encode(trades: Trades, at: Moment) -> Iterator[str]:
        return map(wrap, writer.trades(trades, at))

    return TradesFeed(name, lambda ms: streams.board.tape(name, ms), encode, now)


def _best(streams: Streams, name: str, more: str, pace: str, wrap: Wrap, now: Moment) -> Feed | None:  # noqa: ARG001 - all alike
    writer = streams.writers[name]
    if more or pace:
        return None

    def encode(quote: Quote, at: Moment) -> Iterable[str]:
        yield wrap(text(writer.best(quote, at)))

    return StateFeed(name, 10, lambda at: streams.board.quote(name, at.ms), encode)


def _depth(streams: Streams, name: str, more: str, pace: str, wrap: Wrap, now: Moment) -> Feed | None:
    paces = {"": streams.product.book_ms, "100ms": 100, **({"500ms": 500} if streams.product.futures else {"1000ms": 1000})}
    if pace not in paces or more not in {"", "5", "10", "20"}:
        return None
    if more:
        return _top(streams, name, int(more), paces[pace], wrap)
    writer = streams.writers[name]

    def encode(push: BookPush, at: Moment) -> Iterable[str]:
        yield wrap(text(writer.change(push, at)))

    def book(now_ms: int) -> View | None:
        return streams.board.book(name, BOOK_DEPTH, now_ms)

    def cuts(after: int, until: int) -> list[int]:
        return streams.snapshots_between(name, after, until)

    return BookFeed(name, paces[pace], book, encode, now, snapshot=False, cuts=cuts)


def _top(streams: Streams, name: str, depth: int, pace_ms: int, wrap: Wrap) -> Feed:
    writer = streams.writers[name]

    def state(at: Moment) -> Sides | None:
        view = streams.board.book(name, depth, at.ms)
        return None if view is None else (tuple(view.asks), tuple(view.bids))

    def encode(sides: Sides, at: Moment) -> Iterable[str]:
        yield wrap(text(writer.top(*sides, at)))

    return StateFeed(name, pace_ms, state, encode)


def _klines(streams: Streams, name: str, more: str, pace: str, wrap: Wrap, now: Moment) -> Feed | None:
    interval = more.removeprefix("_")
    if interval not in INTERVALS or not more.startswith("_") or pace:
        return None
    length, board, writer = INTERVALS[interval], streams.board, streams.writers[name]

    def encode(bar: Bar, closed: bool, at: Moment) -> Iterable[str]:
        yield wrap(text(writer.kline(bar, length, interval, board.tape(name, at.ms), closed, at)))

    def bars(first: int, last: int, now_ms: int) -> list[Bar]:
        return board.bars(name, first, last, length, now_ms)

    return CandleFeed(name, length, bars, encode, now)


def _tickers(streams: Streams, name: str, more: str, pace: str, wrap: Wrap, now: Moment) -> Feed | None:  # noqa: ARG001 - all alike
    return None if more or pace else _daily(streams, name, wrap, short=False)


def _mini_tickers(streams: Streams, name: str, more: str, pace: str, wrap: Wrap, now: Moment) -> Feed | None:  # noqa: ARG001 - all alike
    return None if more or pace else _daily(streams, name, wrap, short=True)


def _daily(streams: Streams, name: str, wrap: Wrap, *, short: bool) -> Feed:
    """Once a second, when something was traded or quoted."""
    board, writer = streams.board, streams.writers[name]

    def state(at: Moment) -> tuple[Quote, int] | None:
        quote = board.quote(name, at.ms)
        return None if quote is None else (quote, board.tape(name, at.ms).through(at.ms))

    def encode(told: tuple[Quote, int], at: Moment) -> Iterable[str]:
        day, tape = board.day(name, at.ms), board.tape(name, at.ms)
        if day is not None:
            message: dict[str, Any] = writer.mini_ticker(day, at) if short else writer.ticker(day, tape, told[0], at)
            yield wrap(text(message))

    return StateFeed(name, _SECOND, state, encode)


def _marks(streams: Streams, name: str, more: str, pace: str, wrap: Wrap, now: Moment) -> Feed | None:  # noqa: ARG001 - all alike
    if more or pace not in _MARKS or not streams.product.futures:
        return None
    board, writer, every = streams.board, streams.writers[name], _MARKS[pace]

    def state(at: Moment) -> tuple[int, Mark] | None:
        mark = board.mark(name, at.ms)
        return None if mark is None else (at.ms // every, mark)

    def encode(told: tuple[int, Mark], at: Moment) -> Iterable[str]:
        yield wrap(text(writer.mark(told[1], board.funding(name, at.ms), at)))

    return StateFeed(name, every, state, encode)


_KINDS: Final[Mapping[str, Callable[[Streams, str, str, str, Wrap, Moment], Feed | None]]] = {
    "aggTrade": _aggregates,
    "trade": _trades,
    "bookTicker": _best,
    "depth": _depth,
    "kline": _klines,
    "ticker": _tickers,
    "miniTicker": _mini_tickers,
    "markPrice": _marks,
}
