"""The channels of OKX's websocket: at which address each is to be had, and the feed that speaks for it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from infra.simulated.bars import Bar
from infra.simulated.board import Board
from infra.simulated.feeds import BookFeed, BookPush, CandleFeed, Feed, Moment, StateFeed, TradesFeed
from infra.simulated.listing import Contract
from infra.simulated.marks import Mark
from infra.simulated.okx.encoding import (
    SEQUENCE_STEP,
    book_row,
    candle_row,
    funding_row,
    interest_row,
    level_rows,
    push,
    ticker_row,
    trade_frames,
)
from infra.simulated.okx.naming import INSTRUMENT_TYPES, inst_type, instrument_row
from infra.simulated.okx.periods import BARS, opening
from infra.simulated.quotes import Quote

DEPTH: Final = 400
Arg = Mapping[str, str]
# `candle` stands for candle1m, candle5m and so on.
ADDRESSES: Final[Mapping[str, frozenset[str]]] = {
    "public": frozenset({
        "trades", "tickers", "bbo-tbt", "books", "books5", "status", "instruments", "mark-price", "funding-rate", "open-interest",
    }),
    "business": frozenset({"candle", "trades-all"}),
}  # fmt: skip


def feed(board: Board, address: str, arg: Arg, now: Moment) -> Feed | None:
    """Open a feed; None when this address has no such channel, or the channel no such instrument."""
    channel, name = arg["channel"], arg.get("instId", "")
    bar = channel.removeprefix("candle") if channel.startswith("candle") else None
    if ("candle" if bar is not None else channel) not in ADDRESSES[address]:
        return None
    if channel == "status":
        return StateFeed("", 60_000, lambda _: None, _nothing)
    if channel == "instruments":
        return _instruments(board, arg) if arg.get("instType") in INSTRUMENT_TYPES else None
    if name not in board.listings:
        return None
    if bar is not None:
        return _candles(board, arg, bar, name, now) if bar in BARS else None
    return _FEEDS[channel](board, arg, name, now)


def _nothing(state: object, now: Moment) -> Iterator[str]:  # noqa: ARG001 - maintenance is announced by the talk itself
    return iter(())


def _instruments(board: Board, arg: Arg) -> Feed:
    """All of a kind once; the list never changes."""
    rows = [instrument_row(listing, code) for code, listing in enumerate(board.listings.values(), start=10001)]
    chosen = [row for row in rows if row["instType"] == arg["instType"]]
    return StateFeed("", 60_000, lambda _: "told", lambda *_: iter([push(arg, *chosen)]))


def _trades(board: Board, arg: Arg, name: str, now: Moment) -> Feed:
    """`trades` and `trades-all`: first the last trade there was, then each as it comes, one a frame."""
    figures = board.figures[name]
    return TradesFeed(
        name,
        lambda now_ms: board.tape(name, now_ms),
        lambda trades, _: trade_frames(figures, trades, arg["channel"]),
        now,
        opening=1,
    )


def _tickers(board: Board, arg: Arg, name: str, now: Moment) -> Feed:  # noqa: ARG001 - every feed opens alike
    def state(at: Moment) -> tuple[Quote, int] | None:
        quote = board.quote(name, at.ms)
        return None if quote is None else (quote, board.tape(name, at.ms).through(at.ms))

    def encode(told: tuple[Quote, int], at: Moment) -> Iterator[str]:
        day = board.day(name, at.ms)
        if day is not None:
            yield push(arg, ticker_row(board.figures[name], board.tape(name, at.ms), told[0], day, at.ms, at.told))

    return StateFeed(name, 100, state, encode)


def _best(board: Board, arg: Arg, name: str, now: Moment) -> Feed:  # noqa: ARG001 - every feed opens alike
    def encode(quote: Quote, at: Moment) -> Iterator[str]:
        asks, bids = (level_rows(board.figures[name], [level]) for level in (quote.ask, quote.bid))
        yield push(arg, {"asks": asks, "bids": bids, "ts": str(at.told), "seqId": at.ms * SEQUENCE_STEP})

    return StateFeed(name, 10, lambda at: board.quote(name, at.ms), encode)


def _books(board: Board, arg: Arg, name: str, now: Moment) -> Feed:
    def encode(told: BookPush, at: Moment) -> Iterator[str]:
        action = "snapshot" if told.snapshot else "update"
        yield push(arg, book_row(board.figures[name], told, at.told), action=action)

    return BookFeed(name, 100, lambda now_ms: board.book(name, DEPTH, now_ms), encode, now)


def _books5(board: Board, arg: Arg, name: str, now: Moment) -> Feed:  # noqa: ARG001 - every feed opens alike
    def state(at: Moment) -> tuple[tuple[Any, ...], ...] | None:
        view = board.book(name, 5, at.ms)
        return None if view is None else (tuple(view.asks), tuple(view.bids))

    def encode(sides: tuple[tuple[Any, ...], ...], at: Moment) -> Iterator[str]:
        asks, bids = (level_rows(board.figures[name], side) for side in sides)
        row = {"asks": asks, "bids": bids, "instId": name, "ts": str(at.told), "seqId": at.ms * SEQUENCE_STEP}
        yield push(arg, row)

    return StateFeed(name, 100, state, encode)


def _candles(board: Board, arg: Arg, bar: str, name: str, now: Moment) -> Feed:
    length = BARS[bar][0]

    def encode(one: Bar, closed: bool, _: Moment) -> Iterator[str]:
        yield push(arg, candle_row(board.figures[name], one, closed=closed))

    def bars(first: int, last: int, now_ms: int) -> list[Bar]:
        return board.bars(name, first, last, length, now_ms)

    return CandleFeed(name, length, bars, encode, now, lambda time: opening(bar, time))


def _marks(board: Board, arg: Arg, name: str, now: Moment) -> Feed:  # noqa: ARG001 - every feed opens alike
    figures = board.figures[name]

    def encode(mark: Mark, at: Moment) -> Iterator[str]:
        kind = inst_type(figures.listing)
        yield push(arg, {"instType": kind, "instId": name, "markPx": figures.short_price(mark.mark), "ts": str(at.told)})

    return StateFeed(name, 200, lambda at: board.mark(name, at.ms), encode)


def _funding(board: Board, arg: Arg, name: str, now: Moment) -> Feed | None:  # noqa: ARG001 - every feed opens alike
    figures = board.figures[name]
    if inst_type(figures.listing) != "SWAP":
        return None
    return StateFeed(
        name,
        30_000,
        lambda at: (at.ms // 60_000, board.funding(name, at.ms)),
        lambda state, at: iter([push(arg, funding_row(figures, state[1], at.ms, at.told))]),
    )


def _interest(board: Board, arg: Arg, name: str, now: Moment) -> Feed | None:  # noqa: ARG001 - every feed opens alike
    figures = board.figures[name]
    if figures.listing.contract is Contract.SPOT:
        return None

    def encode(lots: int, at: Moment) -> Iterator[str]:
        mark = board.mark(name, at.ms)
        if mark is not None:
            yield push(arg, interest_row(figures, lots, mark.mark, at.told))

    return StateFeed(name, 3000, lambda at: board.interest(name, at.ms), encode)


_FEEDS: Final[Mapping[str, Callable[[Board, Arg, str, Moment], Feed | None]]] = {
    "trades": _trades,
    "trades-all": _trades,
    "tickers": _tickers,
    "bbo-tbt": _best,
    "books": _books,
    "books5": _books5,
    "mark-price": _marks,
    "funding-rate": _funding,
    "open-interest": _interest,
}
