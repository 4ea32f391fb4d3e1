"""Every kind of message the simulated Bitget says has the shape of real samples: the same fields, of the same JSON types."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.bitget.exchange import BITGET
from infra.simulated.faults import FaultKind
from tests.infra.simulated.samples import Speaking, body, moment, samples, shape

PUBLIC = "/v2/ws/public"
SPOT, MIX = "/api/v2/spot/market", "/api/v2/mix/market"
FUTURES = {"symbol": "BTCUSDT", "productType": "USDT-FUTURES"}


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(BITGET)


def asked(inst_type: str, channel: str, inst_id: str = "BTCUSDT", operation: str = "subscribe") -> dict[str, Any]:
    return {"op": operation, "args": [{"instType": inst_type, "channel": channel, "instId": inst_id}]}


def first(venue: Speaking, inst_type: str, channel: str, action: str = "snapshot") -> Any:
    pushed = venue.pushed(PUBLIC, asked(inst_type, channel), until=60_000)
    return next(message for message in pushed if message["action"] == action)


def without_sequence(message: Any) -> Any:
    """A book without its number, which the recorded ones were too old to have."""
    return {**message, "data": [{field: value for field, value in row.items() if field != "seq"} for row in message["data"]]}


def klines(venue: Speaking) -> Any:
    return venue.ask(f"{SPOT}/candles", symbol="BTCUSDT", granularity="1h", at=90 * MINUTE)


KINDS: dict[str, tuple[str, str, Callable[[Speaking], Any]]] = {
    "trade": ("trade", "bitget-futures messages/3", lambda venue: first(venue, "USDT-FUTURES", "trade", "update")),
    "ticker": ("ticker", "pro/bitget.js#L319", lambda venue: first(venue, "USDT-FUTURES", "ticker")),
    "ticker spot": ("ticker", "Spot/Ticker.txt", lambda venue: first(venue, "SPOT", "ticker")),
    "book": ("book_snapshot", "bitget messages/8", lambda venue: without_sequence(first(venue, "SPOT", "books"))),
    "book change": ("book_delta", "futures messages/5", lambda venue: without_sequence(first(venue, "SPOT", "books", "update"))),
    "book of one": ("book_snapshot", "bitget messages/8", lambda venue: without_sequence(first(venue, "SPOT", "books1"))),
    "candle": ("candle", "pro/bitget.js", lambda venue: first(venue, "SPOT", "candle1m")),
    "granted": ("ack", "futures messages/7", lambda venue: venue.answered(PUBLIC, asked("USDT-FUTURES", "ticker"))[0]),
    "refused": ("error", "stream_test.go", lambda venue: venue.answered(PUBLIC, asked("SPOT", "books5", "BTCUSDT-"))[0]),
    "recent trades": ("rest_recent_trades", "GetRecentTrades", lambda venue: venue.ask(f"{MIX}/fills", **FUTURES)),
    "klines": ("rest_klines", "Spot/ExchangeData/GetKlines", klines),
    "book over REST": ("rest_order_book", "Spot/Exchange", lambda venue: venue.ask(f"{SPOT}/orderbook", symbol="BTCUSDT")),
    "contract's book": ("rest_order_book", "Futures/Exchange", lambda venue: venue.ask(f"{MIX}/merge-depth", **FUTURES)),
    "time": ("rest_server_time", "js/bitget.js", lambda venue: venue.ask("/api/v2/public/time")),
    "ticker over REST": ("rest_ticker", "#L3795", lambda venue: venue.ask(f"{SPOT}/tickers", symbol="BTCUSDT")),
    "contract's ticker": ("rest_ticker", "#L3823", lambda venue: venue.ask(f"{MIX}/ticker", **FUTURES)),
    "symbols": ("rest_instruments", "test_bitget_exchange.py#L84", lambda venue: venue.ask("/api/v2/spot/public/symbols")),
    "contracts": ("rest_instruments", "derivative.py#L94", lambda venue: venue.ask(f"{MIX}/contracts", **FUTURES)),
    "funding": ("rest_funding", "#L9506", lambda venue: venue.ask(f"{MIX}/current-fund-rate", **FUTURES)),
    "funding time": ("rest_funding", "#L9550", lambda venue: venue.ask(f"{MIX}/funding-time", **FUTURES)),
    "funding history": ("rest_funding", "Historical", lambda venue: venue.ask(f"{MIX}/history-fund-rate", **FUTURES)),
    "error": ("rest_error", "js/bitget.js#L12157", lambda venue: venue.ask(f"{SPOT}/fills", symbol="NOSUCH")),
}


@pytest.mark.parametrize("named", KINDS)
def test_a_message_has_the_shape_of_a_real_one(named: str, venue: Speaking, shared: Path) -> None:
    kind, source, said = KINDS[named]
    assert shape(said(venue)) in [shape(one) for one in samples(shared, "bitget", kind, source)]


def test_a_book_is_numbered(venue: Speaking) -> None:
    for action in ("snapshot", "update"):
        assert isinstance(first(venue, "SPOT", "books", action)["data"][0]["seq"], int)


def test_a_ping_is_answered_as_recorded(venue: Speaking, shared: Path) -> None:
    talk = venue.talk(PUBLIC)
    for ping in samples(shared, "bitget", "ping_pong"):
        assert list(talk.hear(ping, moment())) == ["pong"]


def test_a_maintenance_is_an_error_like_any(venue: Speaking, shared: Path) -> None:
    refusal = venue.exchange.refusal(FaultKind.MAINTENANCE, "/api/v2/public/time", 60.0, moment())
    assert refusal is not None
    assert shape(body(refusal)) in [shape(one) for one in samples(shared, "bitget", "rest_error", "js/bitget.js#L12157")]
    assert body(refusal)["code"] == "40200"


def test_every_real_request_is_answered_for_each_channel(venue: Speaking, shared: Path) -> None:
    """Requests of real clients, most of them for what is not public or not listed."""
    for request in samples(shared, "bitget", "subscribe_request"):
        answers = venue.answered(PUBLIC, request)
        assert [answer["arg"] for answer in answers] == request["args"]
        for answer, arg in zip(answers, request["args"], strict=True):
            known = arg.get("instId") in {"BTCUSDT", "ETHUSDT"} and arg["instType"] in {"SPOT", "USDT-FUTURES"}
            public = arg["channel"] in {"ticker", "books5", "candle1m", "candle1H", "candle1D"}
            granted = request["op"] == "unsubscribe" or (known and public)
            assert answer["event"] == (request["op"] if granted else "error")


def test_trades_at_first_are_told_like_those_that_follow(venue: Speaking) -> None:
    snapshot, update = (first(venue, "SPOT", "trade", action) for action in ("snapshot", "update"))
    assert shape(snapshot) == shape(update)
