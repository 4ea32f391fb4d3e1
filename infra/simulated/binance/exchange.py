"""Binance's spot market and its USDⓈ-M futures as two of the simulated venues.

Either also answers, as empty, the lists of the other products that a client asks for when it loads all of Binance's markets.
"""

import re
from collections.abc import Callable
from typing import Final

from infra.simulated.binance import rest
from infra.simulated.binance.aggregates import Aggregates
from infra.simulated.binance.naming import symbol
from infra.simulated.binance.product import FUTURES, SPOT, Product
from infra.simulated.binance.streams import Streams
from infra.simulated.binance.talk import Talk
from infra.simulated.board import Board
from infra.simulated.exchange import Answer, Opening, Query
from infra.simulated.faults import FaultKind
from infra.simulated.feeds import Frame, Moment
from infra.simulated.listing import Listing, paced
from infra.simulated.market import Market
from infra.simulated.tape import Tape

_STATUS: Final = "/sapi/v1/system/status"
_OTHERS: Final = ("/api/v3/exchangeInfo", "/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo", "/eapi/v1/exchangeInfo")
_SPOT_ADDRESS: Final = re.compile(r"/(?:ws(?:/.*)?|stream(?:/.*)?)")
_FUTURES_ADDRESS: Final = re.compile(r"(?:/public|/market)?/(?:ws(?:/.*)?|stream(?:/.*)?)")


class Binance:
    """One of Binance's markets."""

    garbage: tuple[Frame, ...] = (
        '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1672515782136,"s":"BTCUSDT","a":123',
        '{"stream":"btcusdt@moonPhase","data":{"e":"moonPhase","E":1672515782136,"s":"BTCUSDT","p":"waxing"}}',
        '{"e":"aggTrade","E":1672515782136,"s":"BTCUSDT","a":1,"p":"NaN","q":[],"f":"x","l":-1,"T":-5,"m":"no","M":true}',
        "hello",
    )

    def __init__(self, product: Product, market: Market) -> None:
        self.name, self.rules, self._product = product.name, product.rules, product
        self.board = board = Board(market, {symbol(listing): listing for listing in market.listings})

        def source(name: str) -> Callable[[int], Tape]:
            return lambda now_ms: board.tape(name, now_ms)

        self._aggregates = {name: Aggregates(source(name)) for name in board.listings}
        self._streams = Streams(product, board, self._aggregates)

    def told(self, name: str, now_ms: int) -> Tape:
        """Aggregates: they are what can be asked for by id without a key."""
        return self._aggregates[name].tape(now_ms)

    def trade_id(self, name: str, tape_id: int) -> int:  # noqa: ARG002 - part of the contract
        """The ids of aggregates are one above the other."""
        return tape_id

    def accepts(self, path: str, query: Query) -> bool:  # noqa: ARG002 - part of the contract
        """`/ws`, `/ws/btcusdt@trade`, `/stream?streams=..`; on futures below `/public` and `/market` too."""
        return (_FUTURES_ADDRESS if self._product.futures else _SPOT_ADDRESS).fullmatch(path) is not None

    def talk(self, path: str, query: Query, connection: str, now: Moment) -> Talk:  # noqa: ARG002 - Binance names no connections
        """Begin to talk, with the streams that the address names."""
        wrapped = "stream" in path.split("/")
        named = query.get("streams", "") if wrapped else path.rpartition("/ws/")[2] if "/ws/" in path else ""
        return Talk(self._streams, [stream for stream in named.split("/") if stream], now, wrapped=wrapped)

    def rest(self, method: str, path: str, query: Query, body: bytes, now: Moment) -> Answer:  # noqa: ARG002 - nothing is sent
        """Answer a request."""
        prefix = self._product.prefix
        if method == "GET" and path.startswith(prefix):
            found = rest.answer(self._streams, path.removeprefix(prefix), query, now)
            if found is not None:
                return Answer(*found)
        if path in _OTHERS:
            return Answer(
                200, {"timezone": "UTC", "serverTime": now.told, "rateLimits": [], "exchangeFilters": [], "symbols": []}
            )
        if path == _STATUS:
            return Answer(200, {"status": 0, "msg": "normal"})
        return Answer(404, {"code": -1000, "msg": f"Path {path}, Method {method} is invalid"})

    def refusal(self, kind: FaultKind, path: str, seconds: float, now: Moment) -> Answer | None:  # noqa: ARG002 - part of the contract
        """In maintenance, the system's status says so."""
        if kind is FaultKind.MAINTENANCE and path == _STATUS:
            return Answer(200, {"status": 1, "msg": "system_maintenance"})
        status, code, message = self._product.errors[kind]
        return Answer(status, {"code": code, "msg": message})


def _opening(product: Product) -> Opening:
    def listings(count: int, pace: float) -> tuple[Listing, ...]:
        return paced(product.listings, count, pace)

    return Opening(listings, lambda market: Binance(product, market))


BINANCE: Final = _opening(SPOT)
BINANCEUSDM: Final = _opening(FUTURES)
