"""Upbit: requests, answers over REST to trades and candles, market entries to instruments."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt
import pytest

from producers.dialect import BookRule, Channel, FrameError, Ids, Kind, Trade
from producers.dialects.upbit import Upbit
from schemas.market import HistoryCandle, Instrument
from tests.producers.dialects.samples import samples

UPBIT = Upbit()
STEP = Decimal("0.00000001")


def instrument(market_id: str) -> Instrument:
    return UPBIT.instrument(ccxt.upbit({"number": str}).parse_market({"market": market_id}))


ETH = instrument("BTC-ETH")


def rest(shared: Path, kind: str) -> Any:
    """The last sample of an answer: a list of rows as Upbit sends it."""
    return json.loads([one.text for one in samples(shared, "upbit") if one.kind == kind][-1])


@pytest.mark.parametrize(
    ("market_id", "symbol", "base", "quote"), [("KRW-BTC", "BTC/KRW", "BTC", "KRW"), ("BTC-ETH", "ETH/BTC", "ETH", "BTC")]
)
def test_an_instrument_has_the_finest_steps_there_are(market_id: str, symbol: str, base: str, quote: str):
    """Upbit's list of markets tells none, and its price steps depend on the price."""
    found = instrument(market_id)
    assert (found.symbol, found.market_id, found.base, found.quote) == (symbol, market_id, base, quote)
    assert (found.type, found.contract_size, found.inverse, found.settle, found.active) == ("spot", Decimal(1), False, None, True)
    assert (found.tick_size, found.lot_size, found.min_amount) == (STEP, STEP, STEP)
    assert UPBIT.ids(found) is Ids.RISING


def test_every_collected_market_is_read(shared: Path):
    markets = [ccxt.upbit({"number": str}).parse_market(row) for row in rest(shared, "rest_instruments")]
    assert [UPBIT.instrument(market).symbol for market in markets] == ["BTC/KRW"]


@pytest.mark.parametrize("market", [{}, {"symbol": "X"}, {"symbol": "X", "info": None}])
def test_an_entry_without_its_fields_is_named(market: dict[str, Any]):
    with pytest.raises(FrameError, match="without"):
        UPBIT.instrument(market)


def test_spot_has_no_mark_prices():
    paths = {kind: UPBIT.path(Channel(kind, "BTC-ETH"), ETH) for kind in Kind}
    assert {kind for kind, path in paths.items() if path == "/websocket/v1"} == set(Kind) - {
        Kind.MARK,
        Kind.FUNDING,
        Kind.INTEREST,
    }
    assert set(paths.values()) == {"/websocket/v1", None}


def channels(*market_ids: str) -> list[Channel]:
    return [Channel(kind, market_id) for market_id in market_ids for kind in (Kind.BOOK, Kind.QUOTES, Kind.CANDLES, Kind.TRADES)]


def test_a_request_replaces_the_one_before_it_and_asks_for_what_is_held_as_well():
    wanted, held = channels("KRW-ETH"), channels("KRW-BTC")
    (message,) = UPBIT.subscribe(wanted, held, 7)
    codes = ["KRW-BTC", "KRW-ETH"]
    types = [{"type": name, "codes": codes} for name in ("trade", "orderbook", "candle.1m")]
    assert json.loads(message.text) == [{"ticket": "tapeflow-7"}, *types, {"format": "SIMPLE"}]
    assert (message.request, message.channels) == (7, tuple(wanted))
    assert not UPBIT.acknowledges


def test_what_is_given_up_is_not_asked_for_again():
    trades, book, quotes = (Channel(kind, "KRW-BTC") for kind in (Kind.TRADES, Kind.BOOK, Kind.QUOTES))
    (message,) = UPBIT.unsubscribe([trades, book], [quotes], 8)
    assert json.loads(message.text)[1:-1] == [{"type": "orderbook", "codes": ["KRW-BTC"]}]
    assert message.channels == (trades, book)


def test_a_connection_for_nothing_is_asked_for_nothing():
    assert UPBIT.unsubscribe(channels("KRW-BTC"), [], 8) == ()
    assert UPBIT.subscribe([], channels("KRW-BTC"), 8) == ()


def test_trades_are_asked_for_by_id():
    last = Trade(15428949259430000, 15428949259430000, 1, Decimal(1), Decimal(1), taker_buy=True)
    first, older = UPBIT.trades_request(ETH, None), UPBIT.trades_request(ETH, last)
    assert first is not None
    assert older is not None
    assert hasattr(ccxt.upbit(), first.method)
    assert first.params == {"market": "BTC-ETH", "count": "500"}
    assert older.params == {"market": "BTC-ETH", "count": "500", "cursor": "15428949259430000"}
    assert UPBIT.recent_trades(ETH) == 500


OLDER = Trade(15428917910540000, 15428917910540000, 1542891790123, Decimal("0.02917"), Decimal("7.392"), taker_buy=False)
NEWER = Trade(15428949259430000, 15428949259430000, 1542894924397, Decimal("0.02914289"), Decimal("0.20074397"), taker_buy=False)


@pytest.mark.parametrize("told", [str, float])
def test_trades_are_read_oldest_first_exactly_as_strings_and_as_numbers(told: type, shared: Path):
    """ccxt puts JSON's own texts of numbers in quotes, exponents and all."""
    rows = [
        {key: told(value) if isinstance(value, float) else value for key, value in row.items()}
        for row in rest(shared, "rest_recent_trades")
    ]
    assert UPBIT.trades_page(ETH, rows) == (OLDER, NEWER)
    assert UPBIT.trades_page(ETH, [{key: str(value) for key, value in row.items()} for row in rows]) == (OLDER, NEWER)
    (small,) = UPBIT.trades_page(ETH, [{**rows[0], "trade_volume": told(8.428e-05), "trade_price": 37625}])
    assert (small.price, small.amount) == (Decimal(37625), Decimal("0.00008428"))


PRICES = (Decimal("0.02915963"), Decimal("0.02915963"), Decimal("0.02915448"), Decimal("0.02915448"))


@pytest.mark.parametrize("told", [str, float])
def test_candles_are_read_exactly_as_strings_and_as_numbers(told: type, shared: Path):
    rows = [
        {key: told(value) if isinstance(value, float) else value for key, value in row.items()}
        for row in rest(shared, "rest_klines")
    ]
    first, second = UPBIT.candles_page(ETH, rows)
    assert first.candle == HistoryCandle(1542894420000, *PRICES, Decimal("3.36693173"), Decimal("0.0981629437535248"))
    assert (first.closed, second.closed, second.candle.open_time) == (True, True, 1542881160000)


def test_only_minutes_that_have_ended_are_asked_for():
    request = UPBIT.candles_request(ETH, 1542894479999)
    assert hasattr(ccxt.upbit(), request.method)
    assert request.params == {"market": "BTC-ETH", "to": "2018-11-22T13:47:00Z", "count": "200"}


ROW = {"market": "BTC-ETH", "timestamp": 1, "sequential_id": 1, "trade_price": "1", "trade_volume": "1", "ask_bid": "ASK"}
CHANGES = [
    {"market": "KRW-ETH"}, {"trade_price": "1_0"}, {"trade_price": " 1"}, {"trade_price": "NaN"}, {"trade_price": "-1"},
    {"trade_price": "1e400"}, {"trade_price": "01"}, {"trade_price": float("nan")}, {"trade_price": -1.5}, {"trade_price": True},
    {"trade_price": None}, {"trade_price": {}}, {"trade_price": 0}, {"sequential_id": 1.5}, {"sequential_id": None},
    {"timestamp": "1e3"}, {"ask_bid": []}, {"ask_bid": None},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_row_that_is_broken_is_refused(change: dict[str, Any]):
    with pytest.raises(FrameError):
        UPBIT.trades_page(ETH, [ROW | change])


@pytest.mark.parametrize("answer", [{}, None, ["x"], [[]], [{}], [{"market": "BTC-ETH"}], {"error": {"name": 404}}])
def test_an_answer_that_is_no_page_is_refused(answer: Any):
    for read in (UPBIT.trades_page, UPBIT.candles_page):
        with pytest.raises(FrameError):
            read(ETH, answer)


def test_every_push_is_a_whole_book():
    assert UPBIT.book_request(ETH) is None
    assert UPBIT.book_rule(ETH) == BookRule("whole")
    with pytest.raises(FrameError, match="BTC-ETH"):
        UPBIT.book_page(ETH, [])
