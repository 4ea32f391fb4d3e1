"""Binance answers requests as it does, and its streams tell what its REST answers say."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from infra.simulated.bars import MINUTE
from infra.simulated.faults import FaultKind
from tests.infra.simulated.wire import START, Wire, ask, opened, read

VENUES = ("binance", "binanceusdm")


def wire(venue: str = "binance", path: str = "/ws", **query: str) -> Wire:
    return Wire(opened(venue), path, query)


def subscribe(one: Wire, *streams: str, method: str = "SUBSCRIBE", number: int = 1) -> Any:
    (answer,) = one.say({"method": method, "params": list(streams), "id": number})
    return answer


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ('{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":7}', {"result": None, "id": 7}),
        ('{"method":"SUBSCRIBE","params":["nosuch@trade"],"id":"a"}', {"result": None, "id": "a"}),
        ('{"method":"SUBSCRIBE","params":["btcusdt@moon"],"id":1}', {"result": None, "id": 1}),
        ('{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":2}', {"result": None, "id": 2}),
        ('{"method":"SUBSCRIBE","params":["BTCUSDT trade"],"id":1}', 2),
        ('{"method":"SUBSCRIBE","params":[],"id":1}', 2),
        ('{"method":"SUBSCRIBE","params":[1],"id":1}', 2),
        ('{"method":"FLY","id":1}', 2),
        ("[1]", 2),
        ("hello", 3),
    ],
)
def test_a_request_is_granted_or_refused_with_binance_s_code(said: str, answer: Any) -> None:
    (reply,) = wire().say(said)
    assert reply == answer if isinstance(answer, dict) else reply["error"]["code"] == answer


def test_what_is_subscribed_to_can_be_listed() -> None:
    one = wire(path="/ws/btcusdt@trade")
    subscribe(one, "ethusdt@aggTrade", "nosuch@trade")
    subscribe(one, "btcusdt@trade", method="UNSUBSCRIBE")
    assert one.say({"method": "LIST_SUBSCRIPTIONS", "id": 3}) == [{"result": ["ethusdt@aggTrade", "nosuch@trade"], "id": 3}]
    assert {message["s"] for message in one.pass_time(5 * MINUTE)} == {"ETHUSDT"}


def test_more_streams_than_1024_are_too_many() -> None:
    one = wire()
    assert subscribe(one, *(f"x{number}@trade" for number in range(1024)))["result"] is None
    assert "error" in subscribe(one, "btcusdt@trade")


@pytest.mark.parametrize(
    ("venue", "path", "query", "wrapped"),
    [
        ("binance", "/ws/btcusdt@aggTrade", {}, False),
        ("binance", "/stream", {"streams": "btcusdt@aggTrade/ethusdt@aggTrade"}, True),
        ("binanceusdm", "/market/stream", {"streams": "btcusdt@aggTrade/ethusdt@aggTrade"}, True),
        ("binanceusdm", "/market/ws/btcusdt@aggTrade", {}, False),
        ("binanceusdm", "/ws/btcusdt@aggTrade", {}, False),
    ],
)
def test_streams_can_be_named_in_the_address(venue: str, path: str, query: dict[str, str], wrapped: bool) -> None:
    one = wire(venue, path, **query)
    assert one.exchange.accepts(path, query)
    messages = one.pass_time(5 * MINUTE)
    if wrapped:
        assert {message["stream"] for message in messages} == {"btcusdt@aggTrade", "ethusdt@aggTrade"}
        messages = [message["data"] for message in messages]
    assert {message["e"] for message in messages} == {"aggTrade"}


def test_addresses_that_are_not_there_are_not_accepted() -> None:
    assert not opened("binance").accepts("/market/stream", {})
    assert not opened("binance").accepts("/wsx", {})
    assert not opened("binanceusdm").accepts("/private/ws", {})


@pytest.mark.parametrize("venue", VENUES)
def test_aggregates_go_on_from_rest_to_the_stream_without_a_gap(venue: str) -> None:
    """And `f` to `l` are the trades that the stream of single trades tells, in sum."""
    one = wire(venue)
    subscribe(one, "btcusdt@aggTrade", "btcusdt@trade")
    messages = one.pass_time(20 * MINUTE)
    told = [message for message in messages if message["e"] == "aggTrade"]
    trades = {message["t"]: message for message in messages if message["e"] == "trade"}
    prefix = {"binance": "/api/v3", "binanceusdm": "/fapi/v1"}[venue]
    before = ask(one.exchange, f"{prefix}/aggTrades", symbol="BTCUSDT", limit=1).body[0]
    assert all((late["a"], late["f"]) == (early["a"] + 1, early["l"] + 1) for early, late in pairwise([before, *told]))
    for aggregate in told:
        parts = [trades[number] for number in range(aggregate["f"], aggregate["l"] + 1)]
        assert {(part["p"], part["m"], part["T"]) for part in parts} == {(aggregate["p"], aggregate["m"], aggregate["T"])}
        assert sum(Decimal(part["q"]) for part in parts) == Decimal(aggregate["q"])
    page = ask(one.exchange, f"{prefix}/aggTrades", one.ms, symbol="BTCUSDT", fromId=told[0]["a"], limit=1000).body
    common = page[0].keys()
    assert [{field: message[field] for field in common} for message in told] == page
    assert any(message["l"] > message["f"] for message in told)


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("taken_at", [0, 40_000])
def test_changes_go_on_from_a_snapshot_over_rest(venue: str, taken_at: int) -> None:
    """By the venue's own rules, whenever the snapshot is taken, also between two changes that are seconds apart."""
    one = wire(venue)
    subscribe(one, "btcusdt@depth@100ms")
    early = one.pass_time(taken_at, step=3000) if taken_at else []
    prefix = {"binance": "/api/v3", "binanceusdm": "/fapi/v1"}[venue]
    snapshot = ask(one.exchange, f"{prefix}/depth", one.ms + 1300, symbol="BTCUSDT", limit=1000).body
    last = snapshot["lastUpdateId"]
    changes = [change for change in early + one.pass_time(2 * MINUTE, step=3000) if change["u"] > last]
    assert changes[0]["U"] <= last + 1 <= changes[0]["u"]
    sides = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}
    for before, change in pairwise([{"u": changes[0]["U"] - 1}, *changes]):
        assert change["U"] == before["u"] + 1
        assert change.get("pu", before["u"]) == before["u"]
        for side, levels in sides.items():
            levels.update(dict(change[side]))
            sides[side] = {price: size for price, size in levels.items() if Decimal(size)}
    now = changes[-1]["u"] - last + one_time(snapshot, one, last)
    view, figures = one.board.book("BTCUSDT", 500, now), one.board.figures["BTCUSDT"]
    assert view is not None
    for side, levels in (("a", view.asks), ("b", view.bids)):
        kept = {Decimal(price): Decimal(size) for price, size in sides[side].items()}
        assert kept == {figures.price(level.price): figures.size(level.size) for level in levels}


def one_time(snapshot: dict[str, Any], one: Wire, last: int) -> int:
    """The market time that a book's number stands for."""
    other = ask(one.exchange, "/api/v3/depth" if "E" not in snapshot else "/fapi/v1/depth", START, symbol="BTCUSDT").body
    return START + last - int(other["lastUpdateId"])


@pytest.mark.parametrize("venue", VENUES)
def test_a_kline_is_closed_once_and_then_as_rest_has_it(venue: str) -> None:
    one = wire(venue)
    subscribe(one, "flowusdt@kline_1m")
    closed = [message["k"] for message in one.pass_time(12 * MINUTE + 3000) if message["k"]["x"]]
    prefix, limit = {"binance": "/api/v3", "binanceusdm": "/fapi/v1"}[venue], 12
    rows = ask(one.exchange, f"{prefix}/klines", one.ms, symbol="FLOWUSDT", interval="1m", startTime=START, limit=limit).body
    assert [[k[field] for field in ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")] for k in closed] == rows
    assert [k["f"] for k in closed if not k["n"]] == [-1] * len([k for k in closed if not k["n"]])


@pytest.mark.parametrize("venue", VENUES)
def test_the_best_prices_are_those_of_the_depth(venue: str) -> None:
    one = wire(venue)
    subscribe(one, "btcusdt@bookTicker", "btcusdt@depth5@100ms")
    best: dict[str, Any] = {}
    for message in one.pass_time(MINUTE):
        if "b" in message and isinstance(message["b"], str):
            best = message
        else:
            bids, asks = (message.get(long, message.get(short)) for long, short in (("bids", "b"), ("asks", "a")))
            assert (len(bids), len(asks)) == (5, 5)
            assert [bids[0], asks[0]] == [[best["b"], best["B"]], [best["a"], best["A"]]]


def test_marks_come_every_second_of_the_market_with_the_funding_that_is_due() -> None:
    one = wire("binanceusdm", "/market/ws")
    subscribe(one, "btcusdt@markPrice@1s", "btcusdt_260327@markPrice@1s")
    messages = one.pass_time(MINUTE, step=100)
    perpetual = [message for message in messages if message["s"] == "BTCUSDT"]
    assert {message["T"] for message in perpetual} == {START + 8 * 60 * MINUTE}
    assert {(message["r"], message["T"]) for message in messages if message["s"] != "BTCUSDT"} == {("", 0)}
    assert 15 <= len(perpetual) <= 20  # twenty times a real second at most
    spot = wire()
    subscribe(spot, "btcusdt@markPrice@1s")
    assert spot.pass_time(MINUTE) == []


@pytest.mark.parametrize(("venue", "notice"), [("binance", [{"e": "serverShutdown", "E": START}]), ("binanceusdm", [])])
def test_spot_announces_a_shutdown_and_futures_never(venue: str, notice: list[Any]) -> None:
    one = wire(venue)
    one.strike(FaultKind.NOTICE, seconds=5.0)
    assert [read(frame) for frame in one.due()] == notice
    one.wait(5.1)
    assert one.session.over(one.now) is not None
