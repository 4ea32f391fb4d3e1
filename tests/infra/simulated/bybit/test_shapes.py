"""Every kind of message the simulated Bybit says has the shape of real samples: the same fields, of the same JSON types."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.bybit.exchange import BYBIT
from infra.simulated.faults import FaultKind
from tests.infra.simulated.samples import Speaking, body, decoded, moment, samples, shape

PUBLIC = "/v5/public"


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(BYBIT)


def first(venue: Speaking, category: str, topic: str, kind: str = "snapshot") -> Any:
    pushed = venue.pushed(f"{PUBLIC}/{category}", {"op": "subscribe", "args": [topic], "req_id": "1"}, until=60_000)
    return next(message for message in pushed if message["type"] == kind)


def reply(venue: Speaking, request: dict[str, Any], category: str = "spot") -> Any:
    return venue.answered(f"{PUBLIC}/{category}", request)[0]


def status_push(venue: Speaking) -> Any:
    talk = venue.talk(f"{PUBLIC}/misc/status")
    list(talk.hear('{"op":"subscribe","args":["system.status"]}', moment()))
    (frame,) = talk.maintenance(60.0, moment())
    return decoded(frame)


def _asked(*topics: str) -> dict[str, Any]:
    return {"op": "subscribe", "args": list(topics), "req_id": "4000001"}


def recent(venue: Speaking, category: str, symbol: str) -> Any:
    return venue.ask("/v5/market/recent-trade", category=category, symbol=symbol)


def klines(venue: Speaking) -> Any:
    return venue.ask("/v5/market/kline", category="inverse", symbol="BTCUSD", interval="60", at=90 * MINUTE)


def book(venue: Speaking) -> Any:
    return venue.ask("/v5/market/orderbook", category="spot", symbol="BTCUSDT", limit="1")


def tickers(venue: Speaking, category: str, symbol: str) -> Any:
    return venue.ask("/v5/market/tickers", category=category, symbol=symbol)


def instruments(venue: Speaking, category: str, symbol: str) -> Any:
    return venue.ask("/v5/market/instruments-info", category=category, symbol=symbol)


def status(venue: Speaking) -> Any:
    answer = venue.exchange.refusal(FaultKind.MAINTENANCE, "/v5/system/status", 60.0, moment())
    assert answer is not None
    return body(answer)


KINDS: dict[str, tuple[str, str, Callable[[Speaking], Any]]] = {
    "trade": ("trade", "trade.mdx", lambda venue: first(venue, "linear", "publicTrade.BTCUSDT")),
    "trade inverse": ("trade", "trade.mdx", lambda venue: first(venue, "inverse", "publicTrade.BTCUSD")),
    "ticker": ("ticker", "ws_ticker_linear", lambda venue: first(venue, "linear", "tickers.BTCUSDT")),
    "ticker inverse": ("ticker", "ws_ticker_linear", lambda venue: first(venue, "inverse", "tickers.BTCUSD")),
    "ticker dated": ("ticker", "bybit messages/47", lambda venue: first(venue, "inverse", "tickers.BTCUSDH26")),
    "ticker spot": ("ticker", "Spot/Ticker.txt", lambda venue: first(venue, "spot", "tickers.BTCUSDT")),
    "book": ("book_snapshot", "Option/Book.txt", lambda venue: first(venue, "spot", "orderbook.50.BTCUSDT")),
    "book of one": ("book_snapshot", "Option/Book.txt", lambda venue: first(venue, "linear", "orderbook.1.BTCUSDT")),
    "book change": ("book_delta", "orderbook.mdx", lambda venue: first(venue, "linear", "orderbook.50.BTCUSDT", "delta")),
    "candle": ("candle", "ws_kline", lambda venue: first(venue, "linear", "kline.1.BTCUSDT")),
    "granted": ("ack", "json_subscribe.cpp#L16", lambda venue: reply(venue, _asked("publicTrade.BTCUSDT"))),
    "granted unnumbered": ("ack", "#L267", lambda venue: reply(venue, {"op": "subscribe", "args": ["tickers.BTCUSDT"]})),
    "refused": ("error", "json_subscribe.cpp#L82", lambda venue: reply(venue, _asked(*("publicTrade.BTCUSDT",) * 11))),
    "refused unnumbered": ("error", "ws_subscription_failure", lambda venue: reply(venue, {"op": "subscribe", "args": ["moon"]})),
    "pong": ("ping_pong", "json_ping.cpp", lambda venue: reply(venue, {"op": "ping", "req_id": "7"})),
    "notice": ("system_notice", "SystemStatus", status_push),
    "recent trades": ("rest_recent_trades", "recent-trade.mdx", lambda venue: recent(venue, "spot", "BTCUSDT")),
    "klines": ("rest_klines", "GetKlines.txt", klines),
    "book over REST": ("rest_order_book", "orderbook.mdx", book),
    "ticker over REST": ("rest_ticker", "GetLinearInverseTickers", lambda venue: tickers(venue, "inverse", "BTCUSD")),
    "instruments": ("rest_instruments", "market/instrument.mdx", lambda venue: instruments(venue, "linear", "BTCUSDT")),
    "spot instruments": ("rest_instruments", "GetSpotSymbols", lambda venue: instruments(venue, "spot", "BTCUSDT")),
    "error": ("rest_error", "getOrderError", lambda venue: venue.ask("/v5/market/kline", category="moon")),
}


@pytest.mark.parametrize("named", KINDS)
def test_a_message_has_the_shape_of_a_real_one(named: str, venue: Speaking, shared: Path) -> None:
    kind, source, said = KINDS[named]
    assert shape(said(venue)) in [shape(one) for one in samples(shared, "bybit", kind, source)]


def test_a_spot_trade_lacks_the_tick_direction_alone(venue: Speaking, shared: Path) -> None:
    (documented,) = samples(shared, "bybit", "trade", "trade.mdx")
    row = dict(documented["data"][0])
    del row["L"]
    assert shape(first(venue, "spot", "publicTrade.BTCUSDT")) == shape({**documented, "data": [row]})
    assert set(first(venue, "spot", "publicTrade.BTCUSDT")["data"][0]) - {"seq"} == set(
        samples(shared, "bybit", "trade", "bybit_test.go#L3030")[0]["data"][0]
    )


def test_a_ticker_s_change_says_its_symbol_and_some_of_the_fields(venue: Speaking, shared: Path) -> None:
    whole, changes = (first(venue, "linear", "tickers.BTCUSDT", kind) for kind in ("snapshot", "delta"))
    assert {"symbol", "bid1Price"} <= set(changes["data"]) < set(whole["data"])
    recorded = samples(shared, "bybit", "ticker", "wsTicker.json")
    assert set(changes) == set(recorded[-1])


def test_the_status_of_a_maintenance_has_every_field(venue: Speaking, shared: Path) -> None:
    (sample,) = samples(shared, "bybit", "rest_system_status", "GetSystemStatus")
    assert set(status(venue)["result"]["list"][0]) == set(sample["result"]["list"][0])


def test_funding_is_told_like_the_recorded_one(venue: Speaking, shared: Path) -> None:
    (sample,) = samples(shared, "bybit", "rest_funding", "http_get_funding_history")
    answer = venue.ask("/v5/market/funding/history", category="linear", symbol="BTCUSDT", limit="2")
    assert shape(answer["result"]) == shape(sample["result"])


def test_every_real_request_is_granted_or_refused_as_a_whole(venue: Speaking, shared: Path) -> None:
    """Requests of real clients, most of them for channels that are not here."""
    granted = {
        "spot": {"publicTrade.BTCUSDT", "orderbook.1.BTCUSDT", "kline.60.ETHUSDT", "kline.D.ETHUSDT"},
        "linear": {"publicTrade.BTCUSDT", "orderbook.1.BTCUSDT"},
        "inverse": set(),
    }
    for request in samples(shared, "bybit", "subscribe_request"):
        for category, topics in granted.items():
            (answer,) = venue.answered(f"{PUBLIC}/{category}", request)
            assert (answer["op"], answer["success"]) == ("subscribe", set(request["args"]) <= topics)
