"""What is said on one connection to Bybit v5: requests in, answers out, and the channels that were subscribed to.

    {"op":"subscribe","args":["publicTrade.BTCUSDT"],"req_id":"1"}
    {"success":true,"ret_msg":"","conn_id":"13ac3a8f","req_id":"1","op":"subscribe"}

A request is granted as a whole or not at all: one topic that does not exist, or is subscribed to already, spoils it.
"""

import json
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from infra.simulated.bars import Bar
from infra.simulated.board import Board
from infra.simulated.bybit.board import INTERVALS, Boards, opening
from infra.simulated.bybit.encoding import BookFrames, book_frame, candle, trade_frames, update_of
from infra.simulated.bybit.tickers import Fields, ticker
from infra.simulated.encoded import text
from infra.simulated.exchange import Close
from infra.simulated.feeds import BookFeed, CandleFeed, Feed, Frame, Moment, StateFeed, TradesFeed
from infra.simulated.quotes import Quote

MOST_SPOT_ARGS = 10
MOST_ARGS_LENGTH = 21_000  # characters of all the topics of a connection
BOOK_MS = {"1": 10, "50": 20, "200": 100, "500": 100, "1000": 200}  # depths, and how often they are told
_AGAIN_MS = 3000  # after so long the best quote is told once more though it has not changed
STATUS = "status"  # the address that tells of maintenance and nothing else


class BybitTalk:
    """One connection to one category of the venue, or to its status."""

    def __init__(self, boards: Boards, category: str, connection: str) -> None:
        self.feeds: dict[Hashable, Feed] = {}
        self._boards, self._board = boards, boards.board
        self._category, self._connection = category, connection
        self._follows_status = False

    def greet(self, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - the venue says nothing first
        """Say nothing."""
        return ()

    def hear(self, said: str, now: Moment) -> Iterable[Frame]:
        """Answer a request."""
        request = _request(said)
        operation, args = request.get("op"), request.get("args")
        if operation == "ping":
            return self._pong(request)
        if operation not in {"subscribe", "unsubscribe"}:
            return [self._reply(request, "error:invalid op", success=False)]
        if not isinstance(args, list) or not args or not all(isinstance(topic, str) for topic in args):
            return [self._reply(request, "error:invalid args", success=False)]
        if operation == "unsubscribe":
            for topic in args:
                self.feeds.pop(topic, None)
        elif (refused := self._subscribe(args, now)) is not None:
            return [self._reply(request, refused, success=False)]
        granted = "subscribe" if self._category == "spot" and operation == "subscribe" else ""
        return [self._reply(request, granted, success=True)]

    def heartbeat(self, said: str, now: Moment) -> Sequence[Frame] | None:  # noqa: ARG002 - part of the contract
        """Answer a ping."""
        request = _request(said)
        return self._pong(request) if request.get("op") == "ping" else None

    def beats(self, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - only the client begins
        """Send nothing."""
        return ()

    def over(self, now: Moment) -> Close | None:  # noqa: ARG002 - no rule of its own
        """Go on."""
        return None

    def notice(self, seconds: float, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - the venue never says
        """Say nothing."""
        return ()

    def maintenance(self, seconds: float, now: Moment) -> Iterable[Frame]:
        """Tell those who follow the system's status."""
        if not self._follows_status:
            return ()
        return [text({"topic": "system.status", "ts": now.told, "data": [maintenance_row(seconds, now)]})]

    def _pong(self, request: dict[str, Any]) -> list[Frame]:
        return [self._reply(request, "pong", success=True)]

    def _reply(self, request: dict[str, Any], message: str, *, success: bool) -> str:
        asked = {"req_id": str(request["req_id"])} if "req_id" in request else {}
        operation = request.get("op", "")
        return text({"success": success, "ret_msg": message, "conn_id": self._connection, **asked, "op": operation})

    def _subscribe(self, args: list[str], now: Moment) -> str | None:
        """Open feeds for all topics, or for none and say why."""
        if self._category == "spot" and len(args) > MOST_SPOT_ARGS:
            return f"args size >{MOST_SPOT_ARGS}"
        if sum(map(len, [*args, *map(str, self.feeds)])) > MOST_ARGS_LENGTH:
            return f"args size >{MOST_ARGS_LENGTH}"
        if self._category == STATUS:
            self._follows_status = args == ["system.status"]
            return None if self._follows_status else f"error:handler not found,topic:{args[0]}"
        opened: dict[Hashable, Feed] = {}
        for topic in args:
            if topic in self.feeds or topic in opened:
                return f"error:already subscribed,topic:{topic}"
            feed = self._feed(topic, now)
            if feed is None:
                return f"Invalid symbol :[{topic}]" if self._category == "spot" else f"error:handler not found,topic:{topic}"
            opened[topic] = feed
        self.feeds |= opened
        return None

    def _feed(self, topic: str, now: Moment) -> Feed | None:
        """Open a feed; None where there is no such topic, or no such instrument in this category."""
        channel, _, rest = topic.partition(".")
        option, _, symbol = rest.rpartition(".")
        name = self._boards.names.get((self._category, symbol))
        if name is None:
            return None
        match channel, option:
            case "publicTrade", "":
                return _trades(self._board, name, now)
            case "tickers", "":
                frames = TickerFrames(topic, changes=self._category != "spot")
                pace = 50 if self._category == "spot" else 100
                return StateFeed(name, pace, lambda when: _fields(self._board, name, when), frames)
            case "orderbook", "1":
                return _best(self._board, name, topic)
            case "orderbook", depth if depth in BOOK_MS:
                frames_of = BookFrames(self._board.figures[name], topic)
                return BookFeed(name, BOOK_MS[depth], lambda time: self._board.book(name, int(depth), time), frames_of, now)
            case "kline", interval if interval in INTERVALS:
                return _candles(self._board, name, topic, interval, now)
        return None


class TickerFrames:
    """Writes the pushes of one subscription to a ticker: the whole of it first, then, of contracts, what has changed."""

    def __init__(self, topic: str, *, changes: bool) -> None:
        self._topic, self._changes = topic, changes
        self._told: Fields = {}

    def __call__(self, state: tuple[tuple[str, str], ...], now: Moment) -> Iterator[str]:
        """Yield the frame of a ticker's fields."""
        fields = dict(state)
        kind = "delta" if self._told and self._changes else "snapshot"
        same = self._told if kind == "delta" else {}
        data = {field: value for field, value in fields.items() if field == "symbol" or same.get(field) != value}
        self._told = fields
        yield text({"topic": self._topic, "type": kind, "data": data, "cs": 50_000_000_000 + now.ms, "ts": now.told})


def maintenance_row(seconds: float, now: Moment) -> dict[str, Any]:
    """Return the entry of a maintenance that begins now."""
    return {
        "id": "4d95b2a0-587f-11f0-bcc9-56f28c94d6ea",
        "title": "System upgrade",
        "state": "ongoing",
        "begin": str(now.told),
        "end": str(now.told + int(seconds * 1000)),
        "href": "",
        "serviceTypes": [1, 2, 3, 4, 5],
        "product": [1, 2],
        "uidSuffix": [],
        "maintainType": 1,
        "env": 1,
    }


def _request(said: str) -> dict[str, Any]:
    try:
        request = json.loads(said)
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


def _trades(board: Board, name: str, now: Moment) -> TradesFeed:
    figures = board.figures[name]
    return TradesFeed(
        name,
        lambda time: board.tape(name, time),
        lambda trades, when: trade_frames(figures, board.tape(name, when.ms), trades, when),
        now,
    )


def _fields(board: Board, name: str, now: Moment) -> tuple[tuple[str, str], ...] | None:
    fields = ticker(board, name, now.ms)
    return None if fields is None else tuple(fields.items())


def _best(board: Board, name: str, topic: str) -> StateFeed[tuple[Quote, int]]:
    """The best bid and ask, always as a whole, and again after a while without a change."""

    def state(now: Moment) -> tuple[Quote, int] | None:
        quote = board.quote(name, now.ms)
        return None if quote is None else (quote, now.ms // _AGAIN_MS)

    def frames(told: tuple[Quote, int], now: Moment) -> Iterator[str]:
        quote, _ = told
        yield book_frame(board.figures[name], topic, "snapshot", ([quote.ask], [quote.bid]), update_of(now.ms), now)

    return StateFeed(name, BOOK_MS["1"], state, frames)


def _candles(board: Board, name: str, topic: str, interval: str, now: Moment) -> CandleFeed:
    length, _ = INTERVALS[interval]

    def bars(first: int, last: int, until: int) -> list[Bar]:
        return board.bars(name, first, last, length, until)

    def frames(bar: Bar, closed: bool, when: Moment) -> Iterator[str]:  # noqa: ARG001 - the row says it
        row = candle(board.figures[name], bar, interval, length, when)
        yield text({"topic": topic, "data": [row], "ts": when.told, "type": "snapshot"})

    return CandleFeed(name, length, bars, frames, now, lambda time: opening(interval, time))
