"""Bybit v5: requests, answers over REST to trades and candles, market entries to instruments."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt
import pytest

from producers.dialect import BookRule, Channel, FrameError, Ids, Kind, Trade
from producers.dialects.bybit import Bybit
from schemas.ids import name_id
from schemas.market import HistoryCandle, Instrument
from tests.producers.dialects.samples import samples

BYBIT = Bybit()
FIRST, SECOND = "20f43950-d8dd-5b31-9112-a178eb6023af", "0cbf2330-952d-5d03-a462-4bf826c867af"
DATED = {
    "symbol": "BTCUSDZ22", "contractType": "InverseFutures", "status": "Trading", "baseCoin": "BTC", "quoteCoin": "USD",
    "launchTime": "1656000000000", "deliveryTime": "1672387200000", "priceFilter": {"tickSize": "0.50"},
    "lotSizeFilter": {"minOrderQty": "1", "qtyStep": "1"}, "settleCoin": "BTC",
}  # fmt: skip


def entries(shared: Path, category: str) -> dict[str, Any]:
    """The instruments of a category, as a sample tells them."""
    for sample in samples(shared, "bybit"):
        if sample.kind == "rest_instruments":
            answer = json.loads(sample.text)
            if answer["result"].get("category") == category and answer["result"]["list"][0]["symbol"].startswith("BTCUSD"):
                return answer
    raise LookupError(category)


def instrument(shared: Path, category: str) -> Instrument:
    """The first instrument of a category, as ccxt makes a market of it."""
    venue = ccxt.bybit({"number": str})
    answer = entries(shared, category)
    venue.publicGetV5MarketInstrumentsInfo = lambda _: answer
    fetch = venue.fetch_spot_markets if category == "spot" else venue.fetch_future_markets
    return BYBIT.instrument(fetch({"category": category})[0])


# Of each: symbol, name, type, settle, whether inverse; price step, amount step, least amount; listed at.
INSTRUMENTS = {
    "spot": ("BTC/USDT", "BTCUSDT", "spot", None, False, "0.01", "0.000001", "0.000001", 0),
    "linear": ("BTC/USDT:USDT", "BTCUSDT", "swap", "USDT", False, "0.10", "0.001", "0.001", 1585526400000),
    "inverse": ("BTC/USD:USD", "BTCUSD", "swap", "USD", True, "0.50", "0.001", "0.001", 1585526400000),
}


@pytest.mark.parametrize("category", INSTRUMENTS)
def test_an_instrument_keeps_the_venue_s_own_digits(category: str, shared: Path):
    """A contract is one base unit, an inverse one a dollar."""
    found = instrument(shared, category)
    symbol, market_id, kind, settle, inverse, *steps, listed = INSTRUMENTS[category]
    assert (found.symbol, found.market_id, found.type, found.settle) == (symbol, market_id, kind, settle)
    assert (found.inverse, found.contract_size, found.expiry, found.valid_from) == (inverse, Decimal(1), None, listed)
    assert [str(step) for step in (found.tick_size, found.lot_size, found.min_amount)] == steps
    assert found.active


def test_a_dated_contract_expires():
    market = {"symbol": "BTC/USD:BTC-221230", "type": "future", "base": "BTC", "quote": "USD", "settle": "BTC", "inverse": True}
    found = BYBIT.instrument({**market, "info": DATED})
    assert (found.type, found.expiry, found.market_id) == ("future", 1672387200000, "BTCUSDZ22")
    assert BYBIT.path(Channel(Kind.FUNDING, "BTCUSDZ22"), found) is None
    assert BYBIT.path(Channel(Kind.MARK, "BTCUSDZ22"), found) == "/v5/public/inverse"


@pytest.mark.parametrize("market", [{}, {"info": None}, {"info": {"lotSizeFilter": {}}, "type": "spot"}])
def test_an_entry_without_its_fields_is_named(market: dict[str, Any]):
    with pytest.raises(FrameError, match="without"):
        BYBIT.instrument(market)


def test_options_are_not_read():
    with pytest.raises(FrameError, match="option"):
        BYBIT.instrument({"type": "option", "info": DATED})


HAS = {"spot": set(Kind) - {Kind.MARK, Kind.FUNDING, Kind.INTEREST}, "linear": set(Kind), "inverse": set(Kind)}


@pytest.mark.parametrize("category", HAS)
def test_an_instrument_has_the_channels_of_its_category_on_its_path(category: str, shared: Path):
    found = instrument(shared, category)
    paths = {kind: BYBIT.path(Channel(kind, found.market_id), found) for kind in Kind}
    assert {kind for kind, path in paths.items() if path} == HAS[category]
    assert set(paths.values()) - {None} == {f"/v5/public/{category}"}


def test_spot_numbers_its_trades_and_contracts_name_them(shared: Path):
    assert BYBIT.ids(instrument(shared, "spot")) is Ids.RISING
    assert BYBIT.ids(instrument(shared, "linear")) is Ids.NAMED


def test_topics_are_asked_for_ten_at_a_time_trades_first_and_once_for_all_that_they_tell():
    wanted = [Channel(kind, f"COIN{at}USDT") for at in range(3) for kind in reversed(Kind)]
    messages = BYBIT.subscribe(wanted, (), 7)
    asked = [json.loads(message.text) for message in messages]
    assert [(one["op"], one["req_id"], len(one["args"])) for one in asked] == [("subscribe", "7", 10), ("subscribe", "8", 5)]
    assert asked[0]["args"][:4] == [*(f"publicTrade.COIN{at}USDT" for at in range(3)), "orderbook.1.COIN0USDT"]
    assert asked[1]["args"] == [*(f"kline.1.COIN{at}USDT" for at in (1, 2)), *(f"tickers.COIN{at}USDT" for at in range(3))]
    assert [message.request for message in messages] == [7, 8]
    assert sorted(channel for message in messages for channel in message.channels) == sorted(wanted)


def test_a_topic_is_kept_while_something_held_comes_from_it():
    mark, funding, book = (Channel(kind, "BTCUSD") for kind in (Kind.MARK, Kind.FUNDING, Kind.BOOK))
    (message,) = BYBIT.unsubscribe([mark, book], [funding], 3)
    assert json.loads(message.text) == {"req_id": "3", "op": "unsubscribe", "args": ["orderbook.50.BTCUSD"]}
    assert message.channels == (book,)
    assert BYBIT.unsubscribe([mark], [funding], 3) == ()
    assert BYBIT.subscribe([mark], [funding], 4) == ()


def past(name: str, time: str, **changed: Any) -> dict[str, Any]:
    row = {"execId": name, "symbol": "BTCUSDT", "price": "16618.49", "size": "0.00012", "side": "Buy", "time": time}
    return {**row, "isBlockTrade": False, **changed}


def test_the_newest_trades_are_asked_for_and_no_older_ones(shared: Path):
    spot, linear = instrument(shared, "spot"), instrument(shared, "linear")
    request = BYBIT.trades_request(spot, None)
    assert request is not None
    assert hasattr(ccxt.bybit(), request.method)
    assert request.params == {"category": "spot", "symbol": "BTCUSDT", "limit": "60"}
    assert BYBIT.trades_request(linear, None).params == {"category": "linear", "symbol": "BTCUSDT", "limit": "1000"}
    assert (BYBIT.recent_trades(spot), BYBIT.recent_trades(linear)) == (60, 1000)
    assert BYBIT.trades_request(spot, Trade(1, 1, 1, Decimal(1), Decimal(1), taker_buy=True)) is None


def test_trades_are_read_oldest_first(shared: Path):
    """Named ones of one millisecond in the venue's order, numbered ones by their numbers."""
    rows = [past(FIRST, "1672052955758"), past(SECOND, "1672052955758"), past(FIRST[::-1], "1672052955757")]
    found = BYBIT.trades_page(instrument(shared, "linear"), {"result": {"list": rows}})
    assert [trade.id for trade in found] == [name_id(name) for name in (FIRST[::-1], SECOND, FIRST)]
    rows = [past("2100000000007764263", "1672052955758", side="Sell"), past("2100000000007764262", "1672052955758")]
    found = BYBIT.trades_page(instrument(shared, "spot"), {"result": {"list": rows}})
    assert [(trade.id, trade.taker_buy) for trade in found] == [(2100000000007764262, True), (2100000000007764263, False)]


@pytest.mark.parametrize("sample", range(3))
def test_every_collected_page_of_trades_is_read(sample: int, shared: Path):
    pages = [json.loads(one.text) for one in samples(shared, "bybit") if one.kind == "rest_recent_trades"]
    (row,) = pages[sample]["result"]["list"]
    (trade,) = BYBIT.trades_page(instrument(shared, pages[sample]["result"]["category"]), pages[sample])
    assert (trade.time, str(trade.price), str(trade.amount)) == (int(row["time"]), row["price"], row["size"])
    assert trade.id == (int(row["execId"]) if row["execId"].isdecimal() else name_id(row["execId"]))


def test_numbers_of_an_answer_are_read_exactly_as_strings_and_as_numbers(shared: Path):
    row = past(FIRST, 1672052955758, price=16618.49, size=1)  # type: ignore[arg-type]
    (trade,) = BYBIT.trades_page(instrument(shared, "linear"), {"result": {"list": [row]}})
    assert (trade.time, trade.price, trade.amount) == (1672052955758, Decimal("16618.49"), Decimal(1))


CANDLE = ["1670608800000", "17071", "17073", "17027", "17055.5", "268611", "15.74462667"]


@pytest.mark.parametrize(("category", "volumes"), [("linear", CANDLE[5:]), ("inverse", CANDLE[:4:-1])])
def test_a_candle_s_volume_is_in_base_units(category: str, volumes: list[str], shared: Path):
    """The volume of an inverse contract counts dollars and its turnover coins."""
    answer = {"result": {"list": [["1670608860000", *CANDLE[1:]], CANDLE]}, "time": "1670608919999"}
    running, ended = BYBIT.candles_page(instrument(shared, category), answer)
    assert (running.closed, ended.closed) == (False, True)
    assert ended.candle == HistoryCandle(1670608800000, *map(Decimal, CANDLE[1:5]), *map(Decimal, volumes))


def test_candles_before_a_time_are_asked_for(shared: Path):
    request = BYBIT.candles_request(instrument(shared, "inverse"), 1670608800000)
    assert hasattr(ccxt.bybit(), request.method)
    expected = {"category": "inverse", "symbol": "BTCUSD", "interval": "1", "end": "1670608799999", "limit": "1000"}
    assert request.params == expected


ANSWERS = [{}, None, [], {"result": {}}, {"result": {"list": None}}, {"result": {"list": ["x"]}}, {"result": {"list": [["1"]]}}]


@pytest.mark.parametrize("answer", [*ANSWERS, {"result": {"list": [{}]}}, {"result": {"list": [CANDLE]}}])
def test_an_answer_that_is_no_page_is_refused(answer: Any, shared: Path):
    spot = instrument(shared, "spot")
    for read in (BYBIT.trades_page, BYBIT.candles_page):
        with pytest.raises(FrameError):
            read(spot, answer)


def test_books_come_over_the_websocket(shared: Path):
    spot = instrument(shared, "spot")
    assert BYBIT.book_request(spot) is None
    assert BYBIT.book_rule(spot) == BookRule("adjoining", depth=50)
    with pytest.raises(FrameError, match="BTCUSDT"):
        BYBIT.book_page(spot, {})
