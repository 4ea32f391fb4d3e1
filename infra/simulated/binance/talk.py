"""What is said on one websocket connection to Binance.

    {"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}     {"result":null,"id":1}
    {"method":"LIST_SUBSCRIPTIONS","id":3}                          {"result":["btcusdt@aggTrade"],"id":3}

A stream that makes no sense is refused; one of an instrument that does not exist is granted and silent. Streams can be named in
the address too: `/ws/btcusdt@trade`, or wrapped with their name `/stream?streams=btcusdt@trade/ethusdt@trade`.
"""

import json
from collections.abc import Hashable, Iterable
from typing import Any

from infra.simulated.binance.streams import Streams
from infra.simulated.encoded import text
from infra.simulated.exchange import Close
from infra.simulated.feeds import Feed, Moment

MOST_STREAMS = 1024


class Talk:
    """One client's streams and the answers to what it says."""

    def __init__(self, streams: Streams, named: Iterable[str], now: Moment, *, wrapped: bool) -> None:
        self._streams, self._wrapped = streams, wrapped
        self._subscribed: dict[str, None] = {}  # also those that are silent
        self.feeds: dict[Hashable, Feed] = {}
        for stream in named:
            self._subscribe(stream, now)

    def greet(self, now: Moment) -> Iterable[str]:  # noqa: ARG002 - Binance waits for the client
        """Say nothing."""
        return ()

    def hear(self, said: str, now: Moment) -> list[str]:
        """Answer a request."""
        try:
            request = json.loads(said)
        except ValueError:
            return [_error(3, "Invalid JSON: expected value at line 1 column 1", {})]
        if not isinstance(request, dict) or not isinstance(request.get("id"), int | str | None):
            return [_error(2, "Invalid request: request must be an object", {})]
        method, params = request.get("method"), request.get("params")
        if method == "LIST_SUBSCRIPTIONS":
            return [text({"result": list(self._subscribed), "id": request.get("id")})]
        if method not in {"SUBSCRIBE", "UNSUBSCRIBE"}:
            expected = "expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`"
            return [_error(2, f"Invalid request: unknown variant `{method}`, {expected}", request)]
        return [self._change(method, params, request, now)]

    def heartbeat(self, said: str, now: Moment) -> None:
        """Binance's heartbeats are protocol pings of its own."""

    def beats(self, now: Moment) -> Iterable[str]:  # noqa: ARG002 - part of the contract
        """Send none as a text."""
        return ()

    def over(self, now: Moment) -> Close | None:  # noqa: ARG002 - part of the contract
        """Never for a reason of its own."""
        return None

    def notice(self, seconds: float, now: Moment) -> list[str]:  # noqa: ARG002 - Binance does not say when
        """Announce the end of this connection; the futures market never does."""
        return [] if self._streams.product.futures else [text({"e": "serverShutdown", "E": now.told})]

    def maintenance(self, seconds: float, now: Moment) -> list[str]:  # noqa: ARG002 - part of the contract
        """Announce nothing: only `GET /sapi/v1/system/status` tells."""
        return []

    def _change(self, method: str, params: Any, request: dict[str, Any], now: Moment) -> str:
        if not isinstance(params, list) or not params or not all(isinstance(stream, str) for stream in params):
            return _error(2, "Invalid request: params must be an array of strings", request)
        if not all(self._streams.well_formed(stream) for stream in params):
            return _error(2, "Invalid request: invalid stream", request)
        if method == "SUBSCRIBE" and len({*self._subscribed, *params}) > MOST_STREAMS:
            return _error(2, "Invalid request: too many streams", request)
        for stream in params:
            if method == "SUBSCRIBE":
                self._subscribe(stream, now)
            else:
                self._subscribed.pop(stream, None)
                self.feeds.pop(stream, None)
        return text({"result": None, "id": request.get("id")})

    def _subscribe(self, stream: str, now: Moment) -> None:
        self._subscribed[stream] = None
        if stream not in self.feeds and (opened := self._streams.feed(stream, now, wrapped=self._wrapped)) is not None:
            self.feeds[stream] = opened


def _error(code: int, message: str, request: dict[str, Any]) -> str:
    return text({"error": {"code": code, "msg": message}, "id": request.get("id")})
