"""One websocket connection to OKX v5, without the socket: text in, frames out.

    {"op":"subscribe","args":[{"channel":"trades","instId":"BTC-USDT"}],"id":"1"}
    {"id":"1","event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"},"connId":"4adc328c"}

Errors are answered with the codes 60012 (not a request) and 60018 (no such channel on this address, or no such
instrument). A connection on which nothing was said for 30 seconds, by either side, is closed with code 4004.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from infra.simulated.faults import Fault, FaultKind, Silence
from infra.simulated.okx.board import BARS, Board
from infra.simulated.okx.encoding import text
from infra.simulated.okx.feeds import CandleFeed, Feed, QuoteFeed, StatusFeed, TradesFeed

Frame = str | bytes

IDLE_SECONDS = 30.0
# Which channels live at which address; `candle` stands for candle1m, candle5m and so on.
ADDRESSES: Mapping[str, frozenset[str]] = {
    "public": frozenset({"trades", "tickers", "bbo-tbt", "status"}),
    "business": frozenset({"candle"}),
}
_GARBAGE: tuple[Frame, ...] = (
    '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"1306394',
    '{"arg":{"channel":"moon-phases","instId":"BTC-USDT"},"data":[{"phase":"waxing","ts":"1597026383085"}]}',
    bytes(range(256)),
)


class Session:
    """What one client has subscribed to and has been told. Real times are monotonic seconds."""

    def __init__(self, board: Board, address: str, conn_id: str, silence: Silence, real: float) -> None:
        self._board = board
        self._channels = ADDRESSES[address]
        self._conn_id = conn_id
        self._silence = silence
        self._feeds: dict[tuple[str, str], Feed] = {}
        self._extra: deque[Frame] = deque()
        self._spoken = real
        self._ends: tuple[float, int, str] | None = None

    @property
    def follows_trades(self) -> bool:
        """Whether any trades are subscribed to."""
        return any(isinstance(feed, TradesFeed) for feed in self._feeds.values())

    def receive(self, said: str, now_ms: int, real: float) -> list[str]:
        """Take what the client said and return the answers."""
        self._spoken = real
        if said == "ping":
            return ["pong"]
        if self._silence:
            return []
        try:
            request = json.loads(said)
            operation, args = request["op"], request["args"]
            fine = operation in {"subscribe", "unsubscribe"} and args and all(_is_arg(arg) for arg in args)
        except (ValueError, KeyError, TypeError):
            request, fine = {}, False
        if not fine:
            return [self._error("60012", f"Illegal request: {said}", request)]
        return [self._answer(request, operation, arg, now_ms) for arg in args]

    def due(self, now_ms: int, real: float) -> Iterator[Frame]:
        """Yield what is to be sent now. A ticker of time T comes after every trade through T of its instrument."""
        if self._silence:
            self._extra.clear()
            for feed in self._feeds.values():
                feed.forget(now_ms)
            return
        while self._extra:
            self._spoken = real
            yield self._extra.popleft()
        for feed in sorted(self._feeds.values(), key=lambda feed: not isinstance(feed, TradesFeed)):
            for frame in feed.due(now_ms, real):
                self._spoken = real
                yield frame

    def over(self, real: float) -> tuple[int, str] | None:
        """Return the code and the reason to close the connection with, if it is to be closed now."""
        if self._ends is not None and real >= self._ends[0]:
            return self._ends[1:]
        return (4004, "No data received in 30s.") if real - self._spoken >= IDLE_SECONDS else None

    def strike(self, fault: Fault, now_ms: int, real: float) -> None:
        """Suffer a fault of this connection."""
        feeds = [feed for feed in self._feeds.values() if isinstance(feed, TradesFeed) and fault.instrument in {None, feed.name}]
        match fault.kind:
            case FaultKind.DISCONNECT:
                self._ends = (real, 1001, "")
            case FaultKind.NOTICE:
                notice = "The connection will soon be closed for a service upgrade. Please reconnect."
                self._extra.append(self._event({"event": "notice", "msg": notice, "code": "64008"}))
                self._ends = (real + fault.seconds, 1001, "")
            case FaultKind.GARBAGE:
                self._extra.extend(_GARBAGE)
            case FaultKind.DUPLICATE:
                for feed in feeds:
                    self._extra.extend(feed.repeat(fault.count, now_ms))
            case FaultKind.SKIP:
                for feed in feeds:
                    feed.withhold(fault.count)
            case FaultKind.SILENCE:
                pass  # of the whole venue: see Silence

    def _answer(self, request: Mapping[str, Any], operation: str, arg: Mapping[str, str], now_ms: int) -> str:
        """Subscribe to one channel, or leave it, and return the acknowledgement or the error."""
        channel, name = arg["channel"], arg.get("instId", "")
        key = (channel, name)
        if operation == "subscribe" and key not in self._feeds:
            feed = self._feed(channel, name, now_ms)
            if feed is None:
                wanted = ",".join(f"{field}:{value}" for field, value in arg.items())
                advice = "Please use the correct URL, channel and parameters referring to API document."
                return self._error("60018", f"Wrong URL or {wanted} doesn't exist. {advice}", request)
            self._feeds[key] = feed
        if operation == "unsubscribe":
            self._feeds.pop(key, None)
        return self._event({**_id_of(request), "event": operation, "arg": dict(arg)})

    def _feed(self, channel: str, name: str, now_ms: int) -> Feed | None:
        """Open a feed; None when this address has no such channel or the market no such instrument."""
        bar = channel.removeprefix("candle") if channel.startswith("candle") else None
        if ("candle" if bar is not None else channel) not in self._channels:
            return None
        if channel == "status":
            return StatusFeed()
        if name not in self._board.listings:
            return None
        if bar is not None:
            return CandleFeed(self._board, bar, name, now_ms) if bar in BARS else None
        if channel == "trades":
            return TradesFeed(self._board, name, now_ms)
        return QuoteFeed(self._board, channel, name)

    def _error(self, code: str, message: str, request: Mapping[str, Any]) -> str:
        return self._event({**_id_of(request), "event": "error", "msg": message, "code": code})

    def _event(self, event: dict[str, Any]) -> str:
        return text({**event, "connId": self._conn_id})


def _is_arg(arg: object) -> bool:
    return isinstance(arg, dict) and "channel" in arg and all(isinstance(value, str) for value in arg.values())


def _id_of(request: object) -> dict[str, Any]:
    return {"id": request["id"]} if isinstance(request, dict) and "id" in request else {}
