"""The channels of Deribit's websocket: what each of them pushes, by its name.

trades.BTC-PERPETUAL.100ms   trades.option.BTC.agg2   book.BTC-PERPETUAL.100ms   book.BTC-PERPETUAL.none.10.100ms
ticker.BTC-PERPETUAL.100ms   quote.BTC-PERPETUAL   chart.trades.BTC-PERPETUAL.1   perpetual.BTC-PERPETUAL.100ms
deribit_price_index.btc_usd   instrument.state.any.any   platform_state   platform_state.public_methods_state
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from infra.simulated.bars import Bar
from infra.simulated.deribit.board import RESOLUTIONS, DeribitBoard
from infra.simulated.deribit.encoding import candle, notification, trade_rows
from infra.simulated.feeds import BookFeed, BookPush, CandleFeed, Feed, Frame, Moment, StateFeed, TradesFeed
from infra.simulated.figures import Figures
from infra.simulated.quotes import Level, Quote

PACES = {"100ms": 100, "agg2": 1000}  # how often an interval is told
RAW = "raw"  # the interval that only those have who have logged in
QUIET = ("platform_state", "platform_state.public_methods_state", "instrument.state")  # that say nothing by themselves
_BOOK_DEPTH = 200
_DEPTHS = ("1", "10", "20")
_KINDS = ("any", "future", "option")


def feeds(board: DeribitBoard, channel: str, now: Moment) -> list[Feed]:
    """Open the feeds of a channel; none where there is no such channel, or it is one of the quiet ones."""
    head, *rest = channel.split(".")
    listed = board.board.listings
    match head, *rest:
        case "trades", name, pace if name in listed and pace in PACES:
            return [_trades(board, channel, name, now)]
        case "trades", kind, currency, pace if kind in _KINDS and pace in PACES:
            return [_trades(board, channel, name, now) for name in board.among(kind, currency)]
        case "ticker", name, pace if name in listed and pace in PACES:
            return [_ticker(board, channel, name, PACES[pace])]
        case "quote", name if name in listed:
            return [_quote(board, channel, name)]
        case "book", name, pace if name in listed and pace in PACES:
            frames = BookFrames(board.board.figures[name], channel)
            return [BookFeed(name, PACES[pace], lambda time: board.board.book(name, _BOOK_DEPTH, time), frames, now)]
        case "book", name, "none", depth, pace if name in listed and depth in _DEPTHS and pace in PACES:
            return [_whole_book(board, channel, name, int(depth), PACES[pace])]
        case "chart", "trades", name, resolution if name in listed and resolution in RESOLUTIONS:
            return [_candles(board, channel, name, RESOLUTIONS[resolution], now)]
        case "perpetual", name, pace if name in listed and listed[name].expiry is None and pace in PACES:
            return [_interest(board, channel, name, PACES[pace])]
        case "deribit_price_index", index if board.indexed(index):
            return [_index(board, channel, str(board.indexed(index)), index)]
    return []


def is_quiet(channel: str) -> bool:
    """Whether it is a channel that says something only when something happens to the venue."""
    return channel in QUIET or (channel.startswith("instrument.state.") and channel.count(".") == 3)


def _trades(board: DeribitBoard, channel: str, name: str, now: Moment) -> TradesFeed:
    """Trades that came together, in one list."""

    def tape(time: int) -> Any:
        return board.board.tape(name, time)

    def frames(trades: Any, when: Moment) -> list[Frame]:
        number, worth = board.numbers[name], board.worth(name)
        return [notification(channel, trade_rows(board.board.figures[name], number, tape(when.ms), trades, worth))]

    return TradesFeed(name, tape, frames, now)


def _ticker(board: DeribitBoard, channel: str, name: str, pace_ms: int) -> StateFeed[tuple[Quote | None, int, int]]:
    """A ticker when the quote has changed, something was traded, or another second has another mark price."""

    def state(now: Moment) -> tuple[Quote | None, int, int]:
        return board.board.quote(name, now.ms), board.board.tape(name, now.ms).through(now.ms), now.ms // 1000

    def frames(told: tuple[Quote | None, int, int], now: Moment) -> Iterator[str]:  # noqa: ARG001 - the row is looked up
        row = board.ticker(name, now.ms, now.told)
        if row is not None:
            yield notification(channel, row)

    return StateFeed(name, pace_ms, state, frames)


def _quote(board: DeribitBoard, channel: str, name: str) -> StateFeed[Quote]:
    figures = board.board.figures[name]

    def frames(quote: Quote, now: Moment) -> Iterator[str]:
        row = {
            "timestamp": now.told,
            "instrument_name": name,
            "best_bid_price": figures.price(quote.bid.price),
            "best_bid_amount": figures.size(quote.bid.size),
            "best_ask_price": figures.price(quote.ask.price),
            "best_ask_amount": figures.size(quote.ask.size),
        }
        yield notification(channel, row)

    return StateFeed(name, 10, lambda now: board.board.quote(name, now.ms), frames)


class BookFrames:
    """Writes the pushes of one subscription to a book; each change says which one it follows."""

    def __init__(self, figures: Figures, channel: str) -> None:
        self._figures, self._channel = figures, channel
        self._known: dict[str, set[int]] = {"bids": set(), "asks": set()}

    def __call__(self, push: BookPush, now: Moment) -> Iterator[str]:
        """Yield the frame of a push."""
        follows = {} if push.snapshot else {"prev_change_id": push.previous}
        row = {
            "type": "snapshot" if push.snapshot else "change",
            "timestamp": now.told,
            **follows,
            "instrument_name": self._channel.split(".")[1],
            "change_id": push.number,
            "bids": [self._level("bids", level) for level in push.bids],
            "asks": [self._level("asks", level) for level in push.asks],
        }
        self._known = {"bids": {one.price for one in push.whole.bids}, "asks": {one.price for one in push.whole.asks}}
        yield notification(self._channel, row)

    def _level(self, side: str, level: Level) -> list[str | Decimal]:
        action = "delete" if not level.size else "change" if level.price in self._known[side] else "new"
        return [action, self._figures.price(level.price), self._figures.size(level.size)]


def _whole_book(board: DeribitBoard, channel: str, name: str, depth: int, pace_ms: int) -> StateFeed[tuple[Any, ...]]:
    def state(now: Moment) -> tuple[Any, ...] | None:
        view = board.board.book(name, depth, now.ms)
        return None if view is None else (*view.asks, *view.bids)

    def frames(told: tuple[Any, ...], now: Moment) -> Iterator[str]:  # noqa: ARG001 - the book is looked up
        yield notification(channel, board.book(name, depth, now.ms, now.told))

    return StateFeed(name, pace_ms, state, frames)


def _candles(board: DeribitBoard, channel: str, name: str, length: int, now: Moment) -> CandleFeed:
    def bars(first: int, last: int, until: int) -> list[Bar]:
        return board.board.bars(name, first, last, length, until)

    def frames(bar: Bar, closed: bool, when: Moment) -> Iterator[str]:  # noqa: ARG001 - the venue does not say
        yield notification(channel, candle(board.board.figures[name], bar))

    return CandleFeed(name, length, bars, frames, now)


def _interest(board: DeribitBoard, channel: str, name: str, pace_ms: int) -> StateFeed[tuple[float, int]]:
    def frames(told: tuple[float, int], now: Moment) -> Iterator[str]:
        rate, _ = told
        row = {"timestamp": now.told, "interest": rate, "index_price": board.worth(name)(now.ms)[1]}
        yield notification(channel, row)

    return StateFeed(name, pace_ms, lambda now: (board.board.funding(name, now.ms), now.ms // 1000), frames)


def _index(board: DeribitBoard, channel: str, name: str, index: str) -> StateFeed[Decimal]:
    def frames(price: Decimal, now: Moment) -> Iterator[str]:
        yield notification(channel, {"timestamp": now.told, "price": price, "index_name": index})

    return StateFeed(name, 1000, lambda now: board.worth(name)(now.ms)[1], frames)
