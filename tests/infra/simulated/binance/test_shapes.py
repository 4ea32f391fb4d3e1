"""Every kind of message Binance emits has the shape of real samples: the same fields, of the same JSON types."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.faults import FaultKind
from tests.infra.simulated.wire import START, Wire, ask, moment, opened, read, samples, shape

FOLDERS = {"binance": "binance", "binanceusdm": "binance_usdm"}
PREFIX = {"binance": "/api/v3", "binanceusdm": "/fapi/v1"}


class Emitted:
    """What one of the venues says of each kind."""

    def __init__(self, name: str) -> None:
        self.name, self.venue = name, opened(name)

    def raw(self, stream: str, nth: int = 0) -> Any:
        wire = Wire(self.venue, f"/ws/{stream}")
        return wire.pass_time(2 * MINUTE)[nth]

    def wrapped(self, stream: str, nth: int = 0) -> Any:
        wire = Wire(self.venue, "/stream", {"streams": stream})
        return wire.pass_time(2 * MINUTE)[nth]

    def answered(self, request: dict[str, Any]) -> Any:
        return Wire(self.venue, "/ws").say(request)[0]

    def notice(self) -> Any:
        wire = Wire(self.venue, "/ws")
        wire.strike(FaultKind.NOTICE)
        return read(wire.due()[0])

    def read(self, path: str, **query: object) -> Any:
        return ask(self.venue, path if path.startswith("/") else f"{PREFIX[self.name]}/{path}", START + 90 * MINUTE, **query).body

    def refused(self, kind: FaultKind, path: str = "/api/v3/time") -> Any:
        refusal = self.venue.refusal(kind, path, 1.0, moment(START))
        return None if refusal is None else refusal.body


Kinds = dict[tuple[str, str, str], Callable[[Emitted], Any]]
SYMBOL = {"symbol": "BTCUSDT"}
# By the venue, the kind of sample and the source in the wire form of today, the message that is to be like it.
KINDS: Kinds = {
    ("binance", "trade", "web-socket-streams.md#L237"): lambda venue: venue.raw("btcusdt@aggTrade"),
    ("binance", "trade", "web-socket-streams.md#L261"): lambda venue: venue.raw("btcusdt@trade"),
    ("binance", "trade", "AggregatedTrades.txt"): lambda venue: venue.wrapped("btcusdt@aggTrade"),
    ("binance", "book_ticker", "web-socket-streams.md#L541"): lambda venue: venue.raw("btcusdt@bookTicker"),
    ("binance", "book_ticker", "BINANCE.ws.1.0"): lambda venue: venue.wrapped("btcusdt@bookTicker"),
    ("binance", "book_delta", "web-socket-streams.md#L607"): lambda venue: venue.raw("btcusdt@depth@100ms", 1),
    ("binance", "book_snapshot", "barter-rs"): lambda venue: venue.raw("btcusdt@depth20@100ms"),
    ("binance", "candle", "web-socket-streams.md#L326"): lambda venue: venue.raw("btcusdt@kline_1m"),
    ("binance", "candle", "BINANCE.ws.1.0"): lambda venue: venue.wrapped("btcusdt@kline_1m"),
    ("binance", "ticker", "web-socket-streams.md#L443"): lambda venue: venue.raw("btcusdt@ticker"),
    ("binance", "ticker", "web-socket-streams.md#L405"): lambda venue: venue.raw("btcusdt@miniTicker"),
    ("binance", "ack", "roq-binance"): lambda venue: venue.answered({"method": "SUBSCRIBE", "params": ["x@trade"], "id": 1}),
    ("binance", "error", "js/pro/binance.js"): lambda venue: venue.answered({"method": "SUBSCRIBE", "params": ["?"], "id": 1}),
    ("binance", "system_notice", "streams/handler.rs#L321"): lambda venue: venue.notice(),
    ("binance", "rest_recent_trades", "testdata/http.json#/api/v3/aggTrades"): lambda venue: venue.read("aggTrades", **SYMBOL),
    ("binance", "rest_recent_trades", "testdata/http.json#/api/v3/trades"): lambda venue: venue.read("trades", **SYMBOL),
    ("binance", "rest_klines", "http_spot_market_klines"): lambda venue: venue.read("klines", interval="1m", **SYMBOL),
    ("binance", "rest_order_book", "http_spot_market_depth"): lambda venue: venue.read("depth", limit=3, **SYMBOL),
    ("binance", "rest_ticker", "ticker_24hr_response"): lambda venue: venue.read("ticker/24hr", **SYMBOL),
    ("binance", "rest_ticker", "rest-api.md#L1381"): lambda venue: venue.read("ticker/24hr"),
    ("binance", "rest_ticker", "book_ticker_response"): lambda venue: venue.read("ticker/bookTicker", **SYMBOL),
    ("binance", "rest_ticker", "ticker_price_response"): lambda venue: venue.read("ticker/price", **SYMBOL),
    ("binance", "rest_server_time", ""): lambda venue: venue.read("time"),
    ("binance", "rest_system_status", "L4686"): lambda venue: venue.read("/sapi/v1/system/status"),
    ("binance", "rest_error", "rest-api.md#L125"): lambda venue: venue.read("depth", symbol="NOSUCH"),
    ("binanceusdm", "trade", "json_agg_trade.cpp#L18"): lambda venue: venue.raw("btcusdt@aggTrade"),
    ("binanceusdm", "trade", "mappers.test.ts#map binance futures messages/11"): lambda venue: venue.wrapped("btcusdt@trade"),
    ("binanceusdm", "book_ticker", "json_book_ticker.cpp#L18"): lambda venue: venue.raw("btcusdt@bookTicker"),
    ("binanceusdm", "book_ticker", "BINANCE_FUTURES.ws.1.0"): lambda venue: venue.wrapped("btcusdt@bookTicker"),
    ("binanceusdm", "book_delta", "l2.rs#L373"): lambda venue: venue.raw("btcusdt@depth@100ms", 1),
    ("binanceusdm", "book_delta", "PartialBook.txt"): lambda venue: venue.wrapped("btcusdt@depth5@100ms"),
    ("binanceusdm", "candle", "BINANCE_FUTURES.ws.1.0"): lambda venue: venue.wrapped("btcusdt@kline_1m"),
    ("binanceusdm", "ticker", "ticker_stream.json"): lambda venue: venue.raw("btcusdt@ticker"),
    ("binanceusdm", "ticker", "MiniTicker.txt"): lambda venue: venue.wrapped("btcusdt@miniTicker"),
    ("binanceusdm", "funding", "json_mark_price_update.cpp"): lambda venue: venue.raw("btcusdt@markPrice@1s"),
    ("binanceusdm", "rest_recent_trades", "fapi/v1/aggTrades"): lambda venue: venue.read("aggTrades", **SYMBOL),
    ("binanceusdm", "rest_klines", "http.json#/fapi/v1/klines"): lambda venue: venue.read("klines", interval="1m", **SYMBOL),
    ("binanceusdm", "rest_order_book", "http.json#/fapi/v1/depth"): lambda venue: venue.read("depth", limit=5, **SYMBOL),
    ("binanceusdm", "rest_ticker", "http.json#/fapi/v1/ticker/24hr"): lambda venue: venue.read("ticker/24hr"),
    ("binanceusdm", "rest_ticker", "http_futures_market_book_ticker"): lambda venue: venue.read("ticker/bookTicker", **SYMBOL),
    ("binanceusdm", "rest_funding", "http_futures_market_premium_index"): lambda venue: venue.read("premiumIndex", **SYMBOL),
    ("binanceusdm", "rest_server_time", ""): lambda venue: venue.read("time"),
    ("binanceusdm", "rest_error", "data_client.rs#L446"): lambda venue: venue.read("depth", symbol="NOSUCH"),
}


@pytest.fixture(scope="module")
def venues() -> dict[str, Emitted]:
    return {name: Emitted(name) for name in FOLDERS}


def alike(sample: Any) -> Any:
    """The shape of a message, and of lists of rows that of the first: real rows differ in nothing but their number."""
    return shape(sample[:1] if isinstance(sample, list) else sample)


@pytest.mark.parametrize("kind", KINDS, ids=":".join)
def test_a_message_has_the_shape_of_a_sample(kind: tuple[str, str, str], venues: dict[str, Emitted], shared: Path) -> None:
    name, what, source = kind
    wanted = [alike(message) for message in samples(shared, FOLDERS[name], what, source)]
    assert alike(KINDS[kind](venues[name])) in wanted


@pytest.mark.parametrize("kind", [FaultKind.RATE_LIMIT, FaultKind.SERVER_ERROR, FaultKind.MAINTENANCE])
@pytest.mark.parametrize("name", FOLDERS)
def test_a_refusal_has_the_shape_of_an_error(name: str, kind: FaultKind, venues: dict[str, Emitted]) -> None:
    assert shape(venues[name].refused(kind)) == {"code": "int", "msg": "str"}


def test_the_system_status_tells_of_maintenance(venues: dict[str, Emitted]) -> None:
    told = venues["binance"].refused(FaultKind.MAINTENANCE, "/sapi/v1/system/status")
    assert told == {"status": 1, "msg": "system_maintenance"}


@pytest.mark.parametrize(
    ("name", "source"), [("binance", "exchange_info_response.json"), ("binanceusdm", "http.json#/fapi/v1/exchangeInfo")]
)
def test_an_instrument_has_every_field_of_today_s(name: str, source: str, venues: dict[str, Emitted], shared: Path) -> None:
    sample = samples(shared, FOLDERS[name], "rest_instruments", source)[0]
    ours = venues[name].read("exchangeInfo")
    assert ours.keys() >= sample.keys()
    free = {"filters", "permissionSets", "permissions", "underlyingSubType", "orderTypes", "timeInForce"}
    for row in ours["symbols"]:
        assert row.keys() == sample["symbols"][0].keys()
        assert {field: shape(row[field]) for field in row if field not in free} == {
            field: shape(value) for field, value in sample["symbols"][0].items() if field not in free
        }


def test_filters_are_written_as_the_venue_writes_them(venues: dict[str, Emitted], shared: Path) -> None:
    (sample, *_) = samples(shared, "binance_usdm", "rest_instruments", "http.json#/fapi/v1/exchangeInfo")
    ours = venues["binanceusdm"].read("exchangeInfo")["symbols"][0]["filters"]
    assert [shape(one) for one in ours] == [shape(one) for one in sample["symbols"][0]["filters"]]


def test_every_real_request_is_answered(venues: dict[str, Emitted], shared: Path) -> None:
    """Requests recorded from real clients; some are for streams that are not here, which are granted and silent."""
    for name, folder in FOLDERS.items():
        for message in samples(shared, folder, "subscribe_request"):
            answer = venues[name].answered(message)
            assert answer["id"] == message["id"]
            assert ("error" in answer) == (message["params"] == ["123"])
