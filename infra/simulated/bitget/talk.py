"""What is said on one connection to Bitget v2: requests in, answers out, and the channels that were subscribed to.

    {"op":"subscribe","args":[{"instType":"USDT-FUTURES","channel":"trade","instId":"BTCUSDT"}]}
    {"event":"subscribe","arg":{"instType":"USDT-FUTURES","channel":"trade","instId":"BTCUSDT"}}

Every channel is answered for itself. The heartbeat is the client's: the text `ping`, which is answered `pong`.
"""

import json
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from infra.simulated.bars import Bar
from infra.simulated.bitget.board import PERIODS, Boards, opening
from infra.simulated.bitget.encoding import BookFrames, book_frame, candle_row, push, trade_rows
from infra.simulated.bitget.tickers import pushed
from infra.simulated.board import Board
from infra.simulated.book import View
from infra.simulated.encoded import text
from infra.simulated.exchange import Close
from infra.simulated.feeds import BookFeed, CandleFeed, Feed, Frame, Moment, StateFeed, TradesFeed
from infra.simulated.tape import Trades

MOST_CHANNELS = 1000
MOST_REQUESTS = 240  # to subscribe or unsubscribe, an hour
OPENING_TRADES, OPENING_CANDLES = 50, 500  # what a subscription begins with
BOOK_DEPTH, BOOK_MS = 150, 150
SMALL_BOOKS = {"books1": (1, 20), "books5": (5, 150), "books15": (15, 150)}  # depth, and how often it is told
_HOUR = 3600.0


class BitgetTalk:
    """One connection to the public address."""

    def __init__(self, boards: Boards) -> None:
        self.feeds: dict[Hashable, Feed] = {}
        self._boards, self._board = boards, boards.board
        self._asked: deque[float] = deque()
        self._ends: Close | None = None

    def greet(self, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - the venue says nothing first
        """Say nothing."""
        return ()

    def hear(self, said: str, now: Moment) -> Iterable[Frame]:
        """Answer a request."""
        heartbeat = self.heartbeat(said, now)
        if heartbeat is not None:
            return heartbeat
        try:
            request = json.loads(said)
            operation, args = request["op"], request["args"]
        except (ValueError, KeyError, TypeError):
            return [_error(None, 30002, f"illegal request: {said:.100}")]
        if operation not in {"subscribe", "unsubscribe"}:
            return [_error(None, 30003, f"Invalid op: {operation}")]
        if not isinstance(args, list) or not args or not all(_is_arg(arg) for arg in args):
            return [_error(None, 30016, "Param error")]
        self._asked.append(now.seconds)
        while self._asked[0] <= now.seconds - _HOUR:
            self._asked.popleft()
        if len(self._asked) > MOST_REQUESTS or len(self.feeds) + len(args) > MOST_CHANNELS:
            self._ends = Close(1008, "request over limit")
            return [_error(None, 30007, "request over limit, connection close")]
        return [self._answer(operation, arg, now) for arg in args]

    def heartbeat(self, said: str, now: Moment) -> Sequence[Frame] | None:  # noqa: ARG002 - part of the contract
        """Answer a ping."""
        return ["pong"] if said == "ping" else None

    def beats(self, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - only the client begins
        """Send nothing."""
        return ()

    def over(self, now: Moment) -> Close | None:  # noqa: ARG002 - part of the contract
        """End after too many requests."""
        return self._ends

    def notice(self, seconds: float, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - the venue never says
        """Say nothing."""
        return ()

    def maintenance(self, seconds: float, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - the venue never says
        """Say nothing."""
        return ()

    def _answer(self, operation: str, arg: dict[str, str], now: Moment) -> str:
        key = tuple(sorted(arg.items()))
        if operation == "unsubscribe":
            self.feeds.pop(key, None)
        elif key not in self.feeds:
            feed = self._feed(arg, now)
            if feed is None:
                wanted = ",".join(f"{field}:{value}" for field, value in arg.items())
                return _error(arg, 30001, f"{wanted} doesn't exist")
            self.feeds[key] = feed
        return text({"event": operation, "arg": arg})

    def _feed(self, arg: dict[str, str], now: Moment) -> Feed | None:
        """Open a feed; None where there is no such channel or instrument."""
        name = self._boards.names.get((arg["instType"], arg.get("instId", "")))
        if name is None:
            return None
        match arg["channel"]:
            case "trade":
                return _trades(self._board, name, arg, now)
            case "ticker":
                return _ticker(self._board, name, arg)
            case "books":
                frames = BookFrames(self._board.figures[name], arg)
                return BookFeed(name, BOOK_MS, lambda time: self._board.book(name, BOOK_DEPTH, time), frames, now)
            case small if small in SMALL_BOOKS:
                return _small_book(self._board, name, arg)
            case candles if candles.removeprefix("candle") in PERIODS:
                return _candles(self._board, name, arg, now)
        return None


def _error(arg: Mapping[str, str] | None, code: int, message: str) -> str:
    told = {} if arg is None else {"arg": arg}
    return text({"event": "error", **told, "code": code, "msg": message, **({} if arg is None else {"op": "subscribe"})})


def _is_arg(arg: Any) -> bool:
    return isinstance(arg, dict) and {"instType", "channel"} <= arg.keys() and all(isinstance(one, str) for one in arg.values())


def _trades(board: Board, name: str, arg: Mapping[str, str], now: Moment) -> TradesFeed:
    figures = board.figures[name]

    def written(action: str, trades: Trades, when: Moment) -> list[Frame]:
        rows = trade_rows(figures, trades)
        return [push(arg, action, rows, when)] if rows else []

    return TradesFeed(
        name,
        lambda time: board.tape(name, time),
        lambda trades, when: written("update", trades, when),
        now,
        opening=OPENING_TRADES,
        snapshot=lambda trades, when: written("snapshot", trades, when),
    )


def _ticker(board: Board, name: str, arg: Mapping[str, str]) -> StateFeed[tuple[tuple[str, str], ...]]:
    def state(now: Moment) -> tuple[tuple[str, str], ...] | None:
        fields = pushed(board, name, now.ms)
        return None if fields is None else tuple(fields.items())

    def frames(told: tuple[tuple[str, str], ...], now: Moment) -> Iterator[str]:
        yield push(arg, "snapshot", [{**dict(told), "ts": str(now.told)}], now)

    return StateFeed(name, 100, state, frames)


def _small_book(board: Board, name: str, arg: Mapping[str, str]) -> StateFeed[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    depth, pace_ms = SMALL_BOOKS[arg["channel"]]

    def state(now: Moment) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
        view: View | None = board.book(name, depth, now.ms)
        return None if view is None else (tuple(view.asks), tuple(view.bids))

    def frames(told: tuple[tuple[Any, ...], tuple[Any, ...]], now: Moment) -> Iterator[str]:
        yield book_frame(board.figures[name], arg, told, 0, now.ms, now, whole=True)

    return StateFeed(name, pace_ms, state, frames)


def _candles(board: Board, name: str, arg: Mapping[str, str], now: Moment) -> CandleFeed:
    """The candles of a while ago in one snapshot, then the open one again and again; nothing says that one is closed."""
    period, figures = PERIODS[arg["channel"].removeprefix("candle")], board.figures[name]
    length, began = period[0], False

    def bars(first: int, last: int, until: int) -> list[Bar]:
        return board.bars(name, first, last, length, until)

    def frames(bar: Bar, closed: bool, when: Moment) -> Iterator[str]:  # noqa: ARG001 - the venue does not say
        nonlocal began
        told = [bar] if began else bars(bar.open_time - (OPENING_CANDLES - 1) * length, bar.open_time, when.ms)
        yield push(arg, "update" if began else "snapshot", [candle_row(figures, one) for one in told], when)
        began = True

    return CandleFeed(name, length, bars, frames, now, lambda time: opening(period, time))
