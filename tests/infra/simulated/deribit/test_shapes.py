"""Every kind of message the simulated Deribit says has the shape of real samples: the same fields, of the same JSON types."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.deribit.exchange import DERIBIT
from tests.infra.simulated.samples import START, Speaking, body, decoded, moment, samples, shape

PATH, REST = "/ws/api/v2", "/api/v2/public"
PERPETUAL, DATED, OPTION = "BTC-PERPETUAL", "BTC-27MAR26", "BTC-27MAR26-100000-C"
NAMED = {"instrument_name": PERPETUAL}


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(DERIBIT)


def request(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": f"public/{method}", "params": params}


def pushed(venue: Speaking, channel: str, until: int = 60_000) -> list[Any]:
    return venue.pushed(PATH, request("subscribe", channels=[channel]), until)


def reply(venue: Speaking, method: str, **params: Any) -> Any:
    return venue.answered(PATH, request(method, **params))[0]


def notice(venue: Speaking) -> Any:
    talk = venue.talk(PATH)
    list(talk.hear(json.dumps(request("subscribe", channels=["platform_state.public_methods_state"])), moment()))
    (frame,) = talk.maintenance(60.0, moment())
    return decoded(frame)


def asked(venue: Speaking) -> Any:
    talk = venue.talk(PATH)
    list(talk.hear(json.dumps(request("set_heartbeat", interval=10)), moment()))
    return decoded(list(talk.beats(moment(10_000)))[1])


def candles(venue: Speaking) -> Any:
    times = {"start_timestamp": str(START - 10 * MINUTE), "end_timestamp": str(START)}
    return venue.ask(f"{REST}/get_tradingview_chart_data", **NAMED, **times, resolution="1")


KINDS: dict[str, tuple[str, str, Callable[[Speaking], Any]]] = {
    "trade": ("trade", "wsAllTrades", lambda venue: pushed(venue, f"trades.{PERPETUAL}.agg2")[0]),
    "ticker": ("ticker", "deribit messages/5", lambda venue: pushed(venue, f"ticker.{PERPETUAL}.100ms")[0]),
    "option's ticker": ("ticker", "DERIBIT.ws.1.0#L4", lambda venue: pushed(venue, f"ticker.{OPTION}.100ms")[0]),
    "quote": ("book_ticker", "deribit messages/2", lambda venue: pushed(venue, f"quote.{PERPETUAL}")[0]),
    "book": ("book_snapshot", "DERIBIT.ws.1.0#L14", lambda venue: pushed(venue, f"book.{PERPETUAL}.100ms")[0]),
    "book with depth": ("book_snapshot", "grouped", lambda venue: pushed(venue, f"book.{PERPETUAL}.none.10.100ms")[0]),
    "book change": ("book_delta", "ws_book_delta", lambda venue: pushed(venue, f"book.{PERPETUAL}.100ms")[1]),
    "candle": ("candle", "ws_chart", lambda venue: pushed(venue, f"chart.trades.{PERPETUAL}.1")[0]),
    "granted": ("ack", "ws_subscribe_response", lambda venue: reply(venue, "subscribe", channels=[f"quote.{PERPETUAL}"])),
    "asked": ("ping_pong", "ws_test_request", asked),
    "notice": ("system_notice", "deribit_test.go#L4432", notice),
    "recent trades": (
        "rest_recent_trades",
        "#L1681",
        lambda venue: without_contracts(venue.ask(f"{REST}/get_last_trades_by_instrument", **NAMED)),
    ),
    "klines": ("rest_klines", "js/deribit.js", candles),
    "book over REST": ("rest_order_book", "js/deribit.js", lambda venue: venue.ask(f"{REST}/get_order_book", **NAMED)),
    "time": ("rest_server_time", "js/deribit.js", lambda venue: venue.ask(f"{REST}/get_time")),
    "status": ("rest_system_status", "js/deribit.js", lambda venue: venue.ask(f"{REST}/status")),
    "ticker over REST": ("rest_ticker", "#L1351", lambda venue: venue.ask(f"{REST}/ticker", **NAMED)),
    "summary": (
        "rest_ticker",
        "#L1435",
        lambda venue: venue.ask(f"{REST}/get_book_summary_by_currency", currency="BTC", kind="option"),
    ),
    "error": ("rest_error", "js/deribit.js", lambda venue: venue.ask(f"{REST}/get_order_book")),
}


def without_contracts(message: Any) -> Any:
    """Trades without the number of contracts, which the recorded ones are too old to have."""
    trades = [{field: value for field, value in row.items() if field != "contracts"} for row in message["result"]["trades"]]
    return {**message, "result": {**message["result"], "trades": trades}}


@pytest.mark.parametrize("named", KINDS)
def test_a_message_has_the_shape_of_a_real_one(named: str, venue: Speaking, shared: Path) -> None:
    kind, source, said = KINDS[named]
    assert shape(said(venue)) in [shape(one) for one in samples(shared, "deribit", kind, source)]


def test_an_error_names_the_parameter(venue: Speaking, shared: Path) -> None:
    (sample,) = samples(shared, "deribit", "error", "pro/deribit.js")
    answer = reply(venue, "subscribe", channels="all")
    assert shape(answer["error"]) == shape(sample["error"])
    assert answer.keys() == sample.keys()


def test_an_option_s_trade_has_a_volatility_too(venue: Speaking, shared: Path) -> None:
    (sample,) = samples(shared, "deribit", "rest_recent_trades", "#/public/get_last_trades_by_instrument/200")
    answer = venue.ask(f"{REST}/get_last_trades_by_instrument", instrument_name=OPTION)
    assert shape(answer["result"]) == shape(sample["result"])


def test_instruments_have_every_field_of_the_recorded_ones(venue: Speaking, shared: Path) -> None:
    (sample,) = samples(shared, "deribit", "rest_instruments", "http_get_instruments.json")
    recorded = {row["kind"]: shape(row) for row in sample["result"] if "combo" not in row["kind"]}
    ours = venue.ask(f"{REST}/get_instruments")
    assert {row["kind"]: shape(row) for row in ours["result"]} == recorded
    assert {field for field in ours if field != "id"} == {field for field in sample if field != "id"}


def test_a_dated_future_s_ticker_has_no_funding(venue: Speaking) -> None:
    dated, perpetual = (pushed(venue, f"ticker.{name}.100ms")[0]["params"]["data"] for name in (DATED, PERPETUAL))
    assert set(dated) - set(perpetual) == {"estimated_delivery_price"}
    assert set(perpetual) - set(dated) == {"funding_8h", "current_funding"}


def test_funding_history_is_like_the_documented_one(venue: Speaking, shared: Path) -> None:
    (sample,) = samples(shared, "deribit", "rest_funding", "get_funding_rate_history/200")
    times = {"start_timestamp": str(START - 4 * 60 * MINUTE), "end_timestamp": str(START)}
    assert shape(venue.ask(f"{REST}/get_funding_rate_history", **NAMED, **times)["result"]) == shape(sample["result"])


def test_every_documented_request_is_answered(venue: Speaking, shared: Path) -> None:
    """Of methods that are here with a result, or with an error that names what is not listed."""
    kinds = (
        "rest_funding__request", "rest_instruments__request", "rest_klines__request", "rest_order_book__request",
        "rest_recent_trades__request", "rest_server_time__request", "rest_system_status__request", "rest_ticker__request",
    )  # fmt: skip
    for kind in kinds:
        for sample in samples(shared, "deribit", kind):
            answer = venue.exchange.rest("POST", "/api/v2", {}, json.dumps(sample).encode(), moment())
            told = body(answer)
            assert told["id"] == sample["id"]
            listed = sample["params"].get("instrument_name", PERPETUAL) in venue.exchange.board.listings
            assert (answer.status, "result" in told) == ((200, True) if listed else (400, False))
    for sample in [*samples(shared, "deribit", "subscribe_request"), *samples(shared, "deribit", "ping_pong")]:
        if "id" in sample and sample["method"].startswith("public/"):
            assert "result" in venue.answered(PATH, sample)[0]
