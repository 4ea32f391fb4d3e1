"""What is said on one connection to Upbit: requests in, and the streams that were asked for. There are no acknowledgements.

    [{"ticket":"x"},{"type":"trade","codes":["KRW-BTC"]},{"format":"SIMPLE"}]
    {"error":{"name":"NO_CODES","message":"codes field not exists."}}

A request takes the place of everything the connection had asked for before. Codes that are not listed are passed over in
silence. The text `PING` is answered with a status, which is repeated from then on.
"""

import json
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any

from infra.simulated.bars import Bar
from infra.simulated.exchange import Close
from infra.simulated.feeds import BookFeed, BookPush, CandleFeed, Feed, Frame, Moment, StateFeed, TradesFeed
from infra.simulated.tape import Trades
from infra.simulated.upbit.board import CANDLES, UpbitBoard
from infra.simulated.upbit.encoding import FORMATS, body, book_row, trade_pushes, written

MOST_MESSAGES = 100  # that a client may send within a minute
DEPTH = 30
BOOK_MS, TICKER_MS = 100, 100
STATUS_SECONDS = 10.0
_DEPTHS = (1, 5, 15, 30)
_STATUS = b'{"status":"UP"}'

Stream = Callable[[str], str]
"""Says whether a row begins a stream or goes on with it: `SNAPSHOT` or `REALTIME`."""


class WrongError(Exception):
    """A request that makes no sense: the name of the error and its message."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class UpbitTalk:
    """One connection to the public address."""

    def __init__(self, board: UpbitBoard) -> None:
        self.feeds: dict[Hashable, Feed] = {}
        self._board = board
        self._said: deque[float] = deque()
        self._status_due: float | None = None

    def greet(self, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - the venue says nothing first
        """Say nothing."""
        return ()

    def hear(self, said: str, now: Moment) -> Iterable[Frame]:
        """Take a request."""
        self._said.append(now.seconds)
        while self._said[0] <= now.seconds - 60.0:
            self._said.popleft()
        heartbeat = self.heartbeat(said, now)
        if heartbeat is not None:
            return heartbeat
        try:
            return self._take(_request(said), now)
        except WrongError as wrong:
            return [body({"error": {"name": wrong.name, "message": str(wrong)}})]

    def heartbeat(self, said: str, now: Moment) -> Sequence[Frame] | None:
        """Answer a ping."""
        if said != "PING":
            return None
        self._status_due = now.seconds + STATUS_SECONDS
        return [_STATUS]

    def beats(self, now: Moment) -> Iterable[Frame]:
        """Repeat the status to who has asked for it once."""
        if self._status_due is None or now.seconds < self._status_due:
            return ()
        self._status_due = now.seconds + STATUS_SECONDS
        return (_STATUS,)

    def over(self, now: Moment) -> Close | None:  # noqa: ARG002 - part of the contract
        """End after too many messages."""
        return Close(1008, "too many requests") if len(self._said) > MOST_MESSAGES else None

    def notice(self, seconds: float, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - the venue never says
        """Say nothing."""
        return ()

    def maintenance(self, seconds: float, now: Moment) -> Iterable[Frame]:  # noqa: ARG002 - the venue never says
        """Say nothing."""
        return ()

    def _take(self, parts: list[dict[str, Any]], now: Moment) -> Iterable[Frame]:
        if not any(isinstance(part.get("ticket"), str) and part["ticket"] for part in parts):
            raise WrongError("NO_TICKET", "Ticket field must be contained.")
        form = next((str(part["format"]) for part in parts if "format" in part), "DEFAULT")
        if form not in FORMATS:
            raise WrongError("INVALID_PARAM", f"format {form} is not supported.")
        if any(part.get("method") == "LIST_SUBSCRIPTIONS" for part in parts):
            return [self._listed(next(part["ticket"] for part in parts if "ticket" in part))]
        wanted = [part for part in parts if "type" in part]
        if not wanted:
            raise WrongError("NO_TYPE", "type field not exists.")
        opened: dict[Hashable, Feed] = {}
        for part in wanted:
            for one in _codes(part):
                key, feed = (part["type"], one), self._feed(part, one, form, now)
                if feed is not None:
                    opened[key] = feed
        self.feeds = opened
        return ()

    def _listed(self, ticket: str) -> bytes:
        types = dict.fromkeys(kind for kind, _ in self._keys())
        result = [{"type": kind, "codes": [one for other, one in self._keys() if other == kind]} for kind in types]
        return body({"method": "LIST_SUBSCRIPTIONS", "result": result, "ticket": ticket})

    def _keys(self) -> list[tuple[str, str]]:
        return [key for key in self.feeds if isinstance(key, tuple)]

    def _feed(self, part: dict[str, Any], wanted: str, form: str, now: Moment) -> Feed | None:
        """Open a feed; None where there is no such instrument."""
        kind = part["type"]
        name, _, depth = wanted.partition(".")
        if name not in self._board.board.listings or (depth and kind != "orderbook"):
            return None
        skipped, once = _flag(part, "is_only_realtime"), _flag(part, "is_only_snapshot")
        if kind == "trade":
            feed: Feed = _trades(self._board, name, form, now, opening=not skipped)
        elif kind == "ticker":
            feed = _ticker(self._board, name, form)
        elif kind == "orderbook":
            feed = _book(self._board, name, form, int(depth) if depth else DEPTH, now)
        else:
            feed = _candles(self._board, name, form, kind, now)
        return Once(feed) if once else feed


class Once:
    """A feed that says one thing and then nothing more: of who asks for a snapshot alone."""

    def __init__(self, feed: Feed) -> None:
        self.name, self.of_trades = feed.name, feed.of_trades
        self.next_ms = self.next_real = 0.0
        self._feed: Feed = feed

    def due(self, now: Moment) -> Iterator[Frame]:
        """Yield what the feed says first."""
        if self.next_ms:
            return
        for frame in self._feed.due(now):
            self.next_ms = float("inf")
            yield frame
            return

    def forget(self, now: Moment) -> None:
        """Lose what would be due now."""
        self._feed.forget(now)

    def strike(self, fault: Any, now: Moment) -> None:
        """Suffer nothing."""

    def clear(self) -> None:
        """Suffer nothing."""


def _request(said: str) -> list[dict[str, Any]]:
    try:
        parts = json.loads(said)
    except ValueError:
        parts = None
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise WrongError("WRONG_FORMAT", "Requested using wrong format")
    return parts


def _codes(part: dict[str, Any]) -> list[str]:
    kind, codes = part["type"], part.get("codes")
    if kind not in {"trade", "ticker", "orderbook", *CANDLES}:
        raise WrongError("INVALID_PARAM", f"type {kind} is not supported.")
    if not isinstance(codes, list):
        raise WrongError("NO_CODES", "codes field not exists.")
    if not codes:
        raise WrongError("INVALID_PARAM", "codes field is empty.")
    depths = [one.partition(".")[2] for one in map(str, codes)]
    if kind == "orderbook" and any(depth not in {"", *map(str, _DEPTHS)} for depth in depths):
        raise WrongError("INVALID_PARAM", "orderbook count is not supported.")
    return [str(one) for one in codes]


def _flag(part: dict[str, Any], name: str) -> bool:
    """Whether a flag is set, in today's spelling or the former one: `is_only_snapshot`, `isOnlySnapshot`."""
    first, *rest = name.split("_")
    return bool(part.get(name) or part.get(first + "".join(word.capitalize() for word in rest)))


def _first_then() -> Callable[[], str]:
    """Say `SNAPSHOT` once and `REALTIME` ever after."""
    words = iter(("SNAPSHOT",))
    return lambda: next(words, "REALTIME")


def _trades(board: UpbitBoard, name: str, form: str, now: Moment, *, opening: bool) -> TradesFeed:
    """The last trade there was, then each as it comes, one a frame."""
    plain, figures = board.board, board.board.figures[name]

    def rows(trades: Trades, when: Moment, stream: str) -> Iterator[Frame]:
        quote = plain.quote(name, when.ms)
        if quote is not None:
            for row in trade_pushes(figures, name, plain.tape(name, when.ms), trades, quote, when.told):
                yield written({**row, "stream_type": stream}, form)

    return TradesFeed(
        name,
        lambda time: plain.tape(name, time),
        lambda trades, when: rows(trades, when, "REALTIME"),
        now,
        opening=1 if opening else 0,
        snapshot=lambda trades, when: rows(trades, when, "SNAPSHOT"),
    )


def _ticker(board: UpbitBoard, name: str, form: str) -> StateFeed[int]:
    """A ticker with every trade, though not more often than its pace."""
    stream = _first_then()

    def frames(known: int, now: Moment) -> Iterator[Frame]:  # noqa: ARG001 - the row is looked up
        row = board.pushed_ticker(name, now.ms, now.told)
        if row is not None:
            yield written({**row, "stream_type": stream()}, form)

    return StateFeed(name, TICKER_MS, lambda now: board.board.tape(name, now.ms).through(now.ms), frames)


def _book(board: UpbitBoard, name: str, form: str, depth: int, now: Moment) -> BookFeed:
    """The whole book, again and again."""
    stream, figures = _first_then(), board.board.figures[name]

    def frames(push: BookPush, when: Moment) -> Iterator[Frame]:
        row = book_row(figures, push.whole.asks, push.whole.bids, when.told)
        yield written({"type": "orderbook", "code": name, **row, "stream_type": stream()}, form)

    return BookFeed(name, BOOK_MS, lambda time: board.board.book(name, depth, time), frames, now)


def _candles(board: UpbitBoard, name: str, form: str, kind: str, now: Moment) -> CandleFeed:
    stream, length = _first_then(), CANDLES[kind]

    def bars(first: int, last: int, until: int) -> list[Bar]:
        return board.bars(name, first, last, length, until)

    def frames(bar: Bar, closed: bool, when: Moment) -> Iterator[Frame]:  # noqa: ARG001 - the venue does not say
        yield written({"type": kind, "code": name, **board.candle(name, bar, length, when.ms), "stream_type": stream()}, form)

    return CandleFeed(name, length, bars, frames, now)
