"""What the simulated Deribit answers over REST: trades by number or time, in either direction, errors with HTTP 400."""

import json
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.deribit.exchange import DERIBIT
from infra.simulated.faults import FaultKind
from tests.infra.simulated.samples import START, Speaking, body, moment

REST = "/api/v2/public"
NAMED = {"instrument_name": "BTC-PERPETUAL"}


@pytest.fixture(scope="module")
def venue() -> Speaking:
    return Speaking(DERIBIT)


def last(venue: Speaking) -> int:
    tape = venue.exchange.told("BTC-PERPETUAL", START)
    return int(tape.slice(0, tape.through(START)).ids[-1])


def trades(venue: Speaking, method: str = "get_last_trades_by_instrument", **query: object) -> tuple[list[int], bool]:
    written = {field: str(value) for field, value in query.items()}
    result = venue.ask(f"{REST}/{method}", **NAMED, **written)["result"]
    return [row["trade_seq"] for row in result["trades"]], result["has_more"]


def test_trades_by_number_reach_back_to_the_first(venue: Speaking) -> None:
    """Ten by default and newest first; rising from a start, unless it is asked for otherwise."""
    end = last(venue)
    assert trades(venue) == (list(range(end, end - 10, -1)), True)
    assert trades(venue, count=3) == ([end, end - 1, end - 2], True)
    assert trades(venue, start_seq=end - 5, count=3) == ([end - 5, end - 4, end - 3], True)
    assert trades(venue, start_seq=end - 5, end_seq=end - 4, count=9) == ([end - 5, end - 4], False)
    assert trades(venue, end_seq=end - 100, count=2) == ([end - 100, end - 101], True)
    assert trades(venue, start_seq=end - 5, count=3, sorting="desc") == ([end, end - 1, end - 2], True)
    assert trades(venue, start_seq=end + 1, count=3) == ([], False)
    tape = venue.exchange.told("BTC-PERPETUAL", START)
    first = int(tape.slice(0, 1).ids[0])
    assert trades(venue, end_seq=first + 1, sorting="asc", count=1000) == ([first, first + 1], False)


def test_trades_by_time(venue: Speaking) -> None:
    tape = venue.exchange.told("BTC-PERPETUAL", START)
    low, high = tape.before(START - 5 * MINUTE), tape.through(START - 3 * MINUTE)
    ids = tape.slice(low, high).ids.tolist()
    times = {"start_timestamp": START - 5 * MINUTE, "end_timestamp": START - 3 * MINUTE}
    found = trades(venue, "get_last_trades_by_instrument_and_time", **times, count=1000)
    assert found == (ids, False)
    assert trades(venue, "get_last_trades_by_instrument_and_time", **times, count=2, sorting="desc") == (ids[:-3:-1], True)


def test_trades_of_a_currency_are_newest_first(venue: Speaking) -> None:
    result = venue.ask(f"{REST}/get_last_trades_by_currency", currency="BTC", kind="option", count="20")["result"]
    times = [row["timestamp"] for row in result["trades"]]
    assert times == sorted(times, reverse=True)
    assert len(times) == 20
    assert {row["instrument_name"].split("-")[0] for row in result["trades"]} == {"BTC"}


@pytest.mark.parametrize(
    ("method", "query", "code"),
    [
        ("get_last_trades_by_instrument", {}, -32602),
        ("get_last_trades_by_instrument", {"instrument_name": "MOON-PERPETUAL"}, 13020),
        ("get_last_trades_by_instrument", {**NAMED, "count": "1001"}, -32602),
        ("get_last_trades_by_instrument", {**NAMED, "count": "many"}, -32602),
        ("get_order_book", {**NAMED, "depth": "7"}, -32602),
        ("get_tradingview_chart_data", {**NAMED, "resolution": "7", "start_timestamp": "1", "end_timestamp": "2"}, -32602),
        ("get_tradingview_chart_data", {**NAMED, "resolution": "1"}, -32602),
        ("get_index_price", {"index_name": "moon_usd"}, -32602),
        ("moon", {}, -32601),
        ("subscribe", {}, -32601),
    ],
)
def test_what_is_wrong_is_refused_with_http_400(venue: Speaking, method: str, query: dict[str, str], code: int) -> None:
    answer = venue.answer(f"{REST}/{method}", **query)
    assert (answer.status, body(answer)["error"]["code"]) == (400, code)


def test_a_request_may_be_posted(venue: Speaking) -> None:
    asked = {"jsonrpc": "2.0", "id": 9, "method": "public/get_time", "params": {}}
    answer = venue.exchange.rest("POST", "/api/v2", {}, json.dumps(asked).encode(), moment(0, skew=70))
    assert (body(answer)["id"], body(answer)["result"]) == (9, START + 70)
    assert venue.exchange.rest("POST", "/api/v2", {}, b"{", moment()).status == 400


def test_candles_are_columns(venue: Speaking) -> None:
    times = {"start_timestamp": str(START - 3 * MINUTE - 1), "end_timestamp": str(START - MINUTE)}
    result = venue.ask(f"{REST}/get_tradingview_chart_data", **NAMED, **times, resolution="1")["result"]
    assert result["ticks"] == [START - minutes * MINUTE for minutes in (3, 2, 1)]
    assert result["status"] == "ok"
    assert all(low <= close <= high for low, close, high in zip(result["low"], result["close"], result["high"], strict=True))
    tape = venue.exchange.told("BTC-PERPETUAL", START)
    minute = tape.slice(tape.before(START - MINUTE), tape.before(START))
    assert result["cost"][-1] == int(minute.sizes.sum()) * 10
    assert result["volume"][-1] == pytest.approx(
        sum(int(s) * 10 / (int(p) * 0.5) for p, s in zip(minute.prices, minute.sizes, strict=True))
    )
    later = {"start_timestamp": str(START + 90 * MINUTE), "end_timestamp": str(START + 99 * MINUTE)}
    empty = venue.ask(f"{REST}/get_tradingview_chart_data", **NAMED, **later, resolution="1")["result"]
    assert (empty["ticks"], empty["status"]) == ([], "no_data")


def test_an_option_s_volume_is_in_coins(venue: Speaking) -> None:
    name = "BTC-27MAR26-100000-C"
    times = {"start_timestamp": str(START - 60 * MINUTE), "end_timestamp": str(START - 1)}
    result = venue.ask(f"{REST}/get_tradingview_chart_data", instrument_name=name, **times, resolution="60")["result"]
    tape = venue.exchange.told(name, START)
    hour = tape.slice(tape.before(START - 60 * MINUTE), tape.before(START))
    assert result["volume"] == [pytest.approx(int(hour.sizes.sum()) * 0.1)]


def test_instruments_by_kind_and_currency(venue: Speaking) -> None:
    def names(**query: str) -> list[str]:
        return [row["instrument_name"] for row in venue.ask(f"{REST}/get_instruments", **query)["result"]]

    assert names(currency="ETH", kind="future") == ["ETH-PERPETUAL", "ETH-27MAR26"]
    assert names(currency="BTC", kind="option") == ["BTC-27MAR26-100000-C", "BTC-27MAR26-90000-P"]
    assert names(currency="any", expired="true") == []
    assert len(names()) == 8
    one: Any = venue.ask(f"{REST}/get_instrument", instrument_name="BTC-27MAR26-90000-P")["result"]
    assert (one["strike"], one["option_type"], one["contract_size"], one["quote_currency"]) == (90000, "put", 1.0, "BTC")
    assert [row["currency"] for row in venue.ask(f"{REST}/get_currencies")["result"]] == ["BTC", "ETH"]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [(FaultKind.RATE_LIMIT, 429, 10028), (FaultKind.MAINTENANCE, 503, 11051), (FaultKind.SERVER_ERROR, 500, 11094)],
)
def test_under_a_fault_everything_is_refused(venue: Speaking, kind: FaultKind, status: int, code: int) -> None:
    refusal = venue.exchange.refusal(kind, f"{REST}/get_time", 60.0, moment())
    assert refusal is not None
    assert (refusal.status, body(refusal)["error"]["code"]) == (status, code)


def test_in_maintenance_the_platform_says_that_it_is_locked(venue: Speaking) -> None:
    told = venue.exchange.refusal(FaultKind.MAINTENANCE, f"{REST}/status", 60.0, moment())
    assert told is not None
    assert (told.status, body(told)["result"]) == (200, {"locked": "true"})
